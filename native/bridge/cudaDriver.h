// The CUDA driver, asked directly: names and sizes of devices.
//
// libcuda.so.1 comes with the driver and has a stable C interface, so no CUDA headers are needed to build, and no CUDA
// context (which costs hundreds of megabytes) is made by asking.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace bridge {

struct CudaDevice {
  std::string name;
  std::string capability;  // "9.0"
  int64_t memoryBytes;
};

// The device with this number, as CUDA_VISIBLE_DEVICES counts; nothing where the driver does not answer.
std::optional<CudaDevice> cudaDevice(int index);

}  // namespace bridge
