#include "cudaDriver.h"

#include <dlfcn.h>

namespace bridge {
namespace {

using Result = int;  // CUresult; 0 is success
using Device = int;  // CUdevice
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;

struct Driver {
  Result (*init)(unsigned int flags);
  Result (*get)(Device* device, int index);
  Result (*name)(char* name, int length, Device device);
  Result (*totalMemory)(size_t* bytes, Device device);
  Result (*attribute)(int* value, int attribute, Device device);
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// The library stays open: torch uses it too.
std::optional<Driver> openDriver() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::nullopt;
  Driver driver;
  const bool complete = find(library, "cuInit", driver.init) && find(library, "cuDeviceGet", driver.get) &&
                        find(library, "cuDeviceGetName", driver.name) &&
                        find(library, "cuDeviceTotalMem_v2", driver.totalMemory) &&
                        find(library, "cuDeviceGetAttribute", driver.attribute);
  if (!complete || driver.init(0) != 0) return std::nullopt;
  return driver;
}

}  // namespace

std::optional<CudaDevice> cudaDevice(int index) {
  static const std::optional<Driver> driver = openDriver();
  if (!driver) return std::nullopt;
  Device device;
  char name[256] = "";
  size_t bytes = 0;
  int major = 0;
  int minor = 0;
  const bool answered = driver->get(&device, index) == 0 && driver->name(name, sizeof name, device) == 0 &&
                        driver->totalMemory(&bytes, device) == 0 &&
                        driver->attribute(&major, kComputeCapabilityMajor, device) == 0 &&
                        driver->attribute(&minor, kComputeCapabilityMinor, device) == 0;
  if (!answered) return std::nullopt;
  return CudaDevice{name, std::to_string(major) + "." + std::to_string(minor), static_cast<int64_t>(bytes)};
}

}  // namespace bridge
