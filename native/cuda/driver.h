// The CUDA driver, found at run time: devices, functions of compiled code, launches on torch's current stream.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

namespace katlab {

// A function on one device. Copies are cheap; the code stays loaded.
class CudaFunction {
 public:
  CudaFunction(void* function, c10::Device device) : function_(function), device_(device) {}

  // Blocks of this many threads that one multiprocessor holds at a time.
  int residentBlocks(int threads) const;

  // Queues a launch on torch's current stream of the device. `arguments` point to the values.
  void launch(unsigned across, unsigned down, unsigned threads, const std::vector<void*>& arguments) const;

 private:
  void* function_;
  c10::Device device_;
};

// The function `name` of a source, compiled for the device at the first call. The device must be the current one.
// Compile before a CUDA graph is captured: loading code is not allowed within.
CudaFunction cudaFunction(
    c10::Device device,
    const std::string& source,
    const std::vector<std::string>& defines,
    const std::string& name);

int multiprocessors(c10::Device device);

}  // namespace katlab
