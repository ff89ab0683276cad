// Settings of the whole process: seed, determinism, TF32, and libraries of further operators; of one thread: how many
// threads its operators take.
#include "functions.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <c10/util/env.h>
#include <dlfcn.h>

#include "errors.h"

namespace bridge {
namespace {

bool acceleratorInUse() {
  const std::optional<c10::DeviceType> type = at::accelerator::getAccelerator(/*checked=*/false);
  return type && at::getDeviceAllocator(*type)->initialized();
}

}  // namespace

// The library registers its operators while it is loaded, as with torch.ops.load_library in Python.
napi_value load(Call& call) {
  const std::string path = call.string(0, "path");
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) throw Fault(dlerror());
  return nullptr;
}

napi_value threads(Call& call) {
  if (call.has(0)) {
    const int64_t count = call.integer(0, "count");
    if (count < 1 || count > 4096) call.refuse("count", {"must be between 1 and 4096", std::to_string(count)});
    at::set_num_threads(static_cast<int>(count));
  }
  return makeInt(call.env, at::get_num_threads());
}

napi_value seed(Call& call) {
  at::manual_seed(static_cast<uint64_t>(call.integer(0, "seed")));
  return nullptr;
}

napi_value deterministic(Call& call) {
  at::Context& context = at::globalContext();
  if (call.has(0)) {
    const bool on = call.boolean(0, "on");
    // cuBLAS reads this when it starts; later it would only silence torch, which then refuses to use cuBLAS.
    // It is set here because Node keeps the environment of a worker to itself.
    if (on && !acceleratorInUse()) {
      c10::utils::set_env("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/false);
    }
    context.setDeterministicAlgorithms(on, /*warn_only=*/false);
    context.setDeterministicCuDNN(on);
    // No tfjs kernel shows memory that nothing has written, so clearing it first would only take time.
    context.setDeterministicFillUninitializedMemory(false);
  }
  return makeBool(call.env, context.deterministicAlgorithms());
}

napi_value tf32(Call& call) {
  const bool on = call.boolean(0, "on");
  at::globalContext().setAllowTF32CuBLAS(on);
  at::globalContext().setAllowTF32CuDNN(on);
  return nullptr;
}

}  // namespace bridge
