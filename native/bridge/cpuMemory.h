// Memory of tensors on the CPU: what torch's allocator gives out is counted here, for torch itself keeps no count.
//
// The count is the process's: that of all threads, and of tensors that only an autograd graph holds.
#pragma once
#include <cstdint>

namespace bridge {

// Makes the C library keep freed memory for later tensors; once per process.
//
// By default it gives what a training step frees back to the system, and the next step fetches and clears every page anew:
// about a tenth of a step on two cores. `trimCpuMemory` gives it back.
void keepFreedMemory();

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
