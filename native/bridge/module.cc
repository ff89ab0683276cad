// The module: one table of functions, bound to a new environment for every thread that loads the addon.
#include "functions.h"

#include <c10/core/GradMode.h>

#include <memory>

#include "cpuMemory.h"
#include "errors.h"

namespace bridge {
namespace {

constexpr Function kFunctions[] = {
    {"op", op},
    {"schema", schema},
    {"call", run},
    {"callVoid", runVoid},
    {"from", from},
    {"read", read},
    {"free", freeHandle},
    {"info", info},
    {"retain", retain},
    {"exclusive", exclusive},
    {"live", live},
    {"detach", detach},
    {"requiresGrad", requiresGrad},
    {"gradMode", gradMode},
    {"grad", grad},
    {"load", load},
    {"threads", threads},
    {"seed", seed},
    {"deterministic", deterministic},
    {"tf32", tf32},
    {"accelerator", accelerator},
    {"sync", sync},
    {"memory", memory},
    {"resetPeakMemory", resetPeakMemory},
    {"emptyCache", emptyCache},
    {"reportMemory", reportMemory},
    {"onError", onError},
    {"graphsMissing", graphsMissing},
    {"captureBegin", captureBegin},
    {"captureEnd", captureEnd},
    {"captureAbort", captureAbort},
    {"replayGraph", replayGraph},
    {"freeGraph", freeGraph},
};
constexpr size_t kFunctionCount = sizeof kFunctions / sizeof kFunctions[0];

struct Instance {
  Instance(napi_env env, napi_value exports) : environment(env, exports) {}

  Environment environment;
  BoundFunction functions[kFunctionCount];
};

napi_value callFunction(napi_env env, napi_callback_info info) {
  try {
    Call call(env, info);
    return call.function->run(call);
  } catch (...) {
    Instance* instance = nullptr;
    napi_get_instance_data(env, reinterpret_cast<void**>(&instance));
    throwToJavaScript(env, instance->environment.explainError);
    return nullptr;
  }
}

}  // namespace
}  // namespace bridge

NAPI_MODULE_INIT() {
  using namespace bridge;
  try {
    auto* instance = new Instance(env, exports);
    napi_set_instance_data(
        env, instance, [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); }, nullptr);
    for (size_t i = 0; i < kFunctionCount; i++) {
      instance->functions[i] = {&kFunctions[i], &instance->environment};
      napi_value function;
      napi_create_function(env, kFunctions[i].name, NAPI_AUTO_LENGTH, callFunction, &instance->functions[i],
                           &function);
      napi_set_named_property(env, exports, kFunctions[i].name, function);
    }
    c10::GradMode::set_enabled(false);
    countCpuMemory();
    keepFreedMemory();
  } catch (...) {
    throwToJavaScript(env, nullptr);
  }
  return exports;
}
