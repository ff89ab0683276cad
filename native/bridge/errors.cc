#include "errors.h"

#include <c10/util/Exception.h>

#include <exception>

namespace bridge {
namespace {

void throwText(napi_env env, const char* text) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, "TORCH", text);
}

}  // namespace

void throwToJavaScript(napi_env env) {
  try {
    throw;
  } catch (const c10::Error& error) {
    throwText(env, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throwText(env, "out of memory");
  } catch (const std::exception& error) {
    throwText(env, error.what());
  } catch (...) {
    throwText(env, "an unknown C++ exception");
  }
}

}  // namespace bridge
