#include "errors.h"

#include <c10/util/Exception.h>

#include <exception>

#include "functions.h"

namespace bridge {
namespace {

napi_value makeError(napi_env env, const char* text) {
  napi_value error;
  napi_create_error(env, makeString(env, "TORCH"), makeString(env, text), &error);
  return error;
}

void throwText(napi_env env, napi_ref explain, const char* text) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  napi_value error = makeError(env, text);
  if (explain != nullptr) {
    napi_value function;
    napi_value explained;
    napi_get_reference_value(env, explain, &function);
    if (napi_call_function(env, makeUndefined(env), function, 1, &error, &explained) != napi_ok) return;  // it threw
    error = explained;
  }
  napi_throw(env, error);
}

}  // namespace

void throwToJavaScript(napi_env env, napi_ref explain) {
  try {
    throw;
  } catch (const c10::Error& error) {
    throwText(env, explain, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throwText(env, explain, "out of memory");
  } catch (const std::exception& error) {
    throwText(env, explain, error.what());
  } catch (...) {
    throwText(env, explain, "an unknown C++ exception");
  }
}

napi_value onError(Call& call) {
  if (typeOf(call.env, call[0]) != napi_function) {
    call.refuse("explain", {"must be a function", describe(call.env, call[0])});
  }
  napi_ref& explain = call.environment->explainError;
  if (explain != nullptr) napi_delete_reference(call.env, explain);
  napi_create_reference(call.env, call[0], 1, &explain);
  return nullptr;
}

}  // namespace bridge
