// Memory of tensors on the CPU: what torch's allocator gives out is counted here, for torch itself keeps no count.
//
// The count is the process's: that of all threads, and of tensors that only an autograd graph holds.
#pragma once
#include <cstdint>

namespace bridge {

struct CpuMemory {
  int64_t allocated;
  int64_t peak;
};

// Counts from here on; once per process. Before the first tensor, so that nothing is missed.
void countCpuMemory();

CpuMemory cpuMemory();

// Starts the peak anew at what is allocated now.
void resetCpuPeak();

// Gives memory that was freed, and that the C library keeps for later, back to the system.
void trimCpuMemory();

}  // namespace bridge
