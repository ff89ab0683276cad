#include "cuda/driver.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <tuple>

#include "cuda/nvrtc.h"

namespace katlab {
namespace {

// What is used of cuda.h; all of it is in every driver that torch 2.11 or newer runs on.
struct Driver {
  int (*getErrorString)(int, const char**);
  int (*currentContext)(void**);
  int (*deviceGet)(int*, int);
  int (*deviceAttribute)(int*, int, int);
  int (*retainPrimaryContext)(void**, int);
  int (*setContext)(void*);
  int (*loadModule)(void**, const void*);
  int (*moduleFunction)(void**, void*, const char*);
  int (*occupancy)(int*, void*, int, size_t);
  int (*launch)(
      void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
};

// CUdevice_attribute
constexpr int kMultiprocessorCount = 16;
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

template <typename Function>
void bind(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  TORCH_CHECK(
      function, "katlab: the CUDA driver must have ", name, "; got ", dlerror(), ". Update the driver.");
}

const Driver& driver() {
  static const Driver api = [] {
    void* library = dlopen("libcuda.so.1", RTLD_NOW);
    TORCH_CHECK(library, "katlab: the CUDA driver must be installed; got ", dlerror());
    Driver d;
    bind(library, "cuGetErrorString", d.getErrorString);
    bind(library, "cuCtxGetCurrent", d.currentContext);
    bind(library, "cuDeviceGet", d.deviceGet);
    bind(library, "cuDeviceGetAttribute", d.deviceAttribute);
    bind(library, "cuDevicePrimaryCtxRetain", d.retainPrimaryContext);
    bind(library, "cuCtxSetCurrent", d.setContext);
    bind(library, "cuModuleLoadData", d.loadModule);
    bind(library, "cuModuleGetFunction", d.moduleFunction);
    bind(library, "cuOccupancyMaxActiveBlocksPerMultiprocessor", d.occupancy);
    bind(library, "cuLaunchKernel", d.launch);
    return d;
  }();
  return api;
}

void check(int result, const char* what) {
  if (result == 0) return;
  const char* text = nullptr;
  driver().getErrorString(result, &text);
  TORCH_CHECK(false, "katlab: the CUDA driver must ", what, "; got ", text == nullptr ? "no reason" : text);
}

int attribute(c10::Device device, int which) {
  int handle = 0, value = 0;
  check(driver().deviceGet(&handle, device.index()), "find the device");
  check(driver().deviceAttribute(&value, which, handle), "describe the device");
  return value;
}

// Torch uses the primary context; a thread that has called nothing of CUDA's has none yet.
void needContext(c10::Device device) {
  void* context = nullptr;
  check(driver().currentContext(&context), "tell its context");
  if (context != nullptr) return;
  int handle = 0;
  check(driver().deviceGet(&handle, device.index()), "find the device");
  check(driver().retainPrimaryContext(&context, handle), "give a context");
  check(driver().setContext(context), "set a context");
}

}  // namespace

int multiprocessors(c10::Device device) { return attribute(device, kMultiprocessorCount); }

CudaFunction cudaFunction(
    c10::Device device,
    const std::string& source,
    const std::vector<std::string>& defines,
    const std::string& name) {
  using ModuleKey = std::tuple<int, std::string, std::vector<std::string>>;
  static std::mutex mutex;
  static std::map<ModuleKey, void*> modules;
  static std::map<std::pair<void*, std::string>, void*> functions;
  const std::lock_guard<std::mutex> lock(mutex);
  needContext(device);
  void*& module = modules[{device.index(), source, defines}];
  if (module == nullptr) {
    const int major = attribute(device, kCapabilityMajor), minor = attribute(device, kCapabilityMinor);
    const std::string architecture = "sm_" + std::to_string(major) + std::to_string(minor);
    const std::string cubin = compileCubin(cudaSource(source), architecture, defines);
    check(driver().loadModule(&module, cubin.data()), "load compiled code");
  }
  void*& function = functions[{module, name}];
  if (function == nullptr)
    check(driver().moduleFunction(&function, module, name.c_str()), "find a function of compiled code");
  return {function, device};
}

int CudaFunction::residentBlocks(int threads) const {
  int blocks = 0;
  check(driver().occupancy(&blocks, function_, threads, 0), "tell the occupancy");
  return blocks;
}

void CudaFunction::launch(
    unsigned across, unsigned down, unsigned threads, const std::vector<void*>& arguments) const {
  needContext(device_);
  const c10::impl::VirtualGuardImpl guard(device_.type());
  void* stream = guard.getStreamNativeHandle(guard.getStream(device_));
  check(
      driver().launch(
          function_, across, down, 1, threads, 1, 1, 0, stream, const_cast<void**>(arguments.data()),
          nullptr),
      "launch a function");
}

}  // namespace katlab
