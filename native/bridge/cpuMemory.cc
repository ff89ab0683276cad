#include "cpuMemory.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <limits>

namespace bridge {
namespace {

std::atomic<int64_t> allocated{0};
std::atomic<int64_t> peak{0};

c10::Allocator* counted = nullptr;  // torch's own

// The C library knows the size of a block, so a pointer is all that its deleter needs.
int64_t sizeOf(void* data) { return static_cast<int64_t>(malloc_usable_size(data)); }

void countAndDelete(void* data) {
  allocated.fetch_sub(sizeOf(data), std::memory_order_relaxed);
  counted->raw_deallocate(data);
}

void add(int64_t bytes) {
  const int64_t now = allocated.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t before = peak.load(std::memory_order_relaxed);
  while (now > before && !peak.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
  }
}

// Torch's allocator, with a deleter that counts.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    c10::DataPtr data = counted->allocate(bytes);
    if (data.compare_exchange_deleter(counted->raw_deleter(), &countAndDelete)) add(sizeOf(data.get()));
    return data;
  }
  c10::DeleterFnPtr raw_deleter() const override { return &countAndDelete; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
};

CountingAllocator* install() {
  static CountingAllocator allocator;
  counted = c10::GetCPUAllocator();
  // Another allocator whose blocks are not found by their pointers is left alone: its memory stays uncounted.
  if (counted->raw_deleter() != nullptr) c10::SetCPUAllocator(&allocator, /*priority=*/1);
  return &allocator;
}

}  // namespace

void countCpuMemory() { [[maybe_unused]] static const CountingAllocator* installed = install(); }

void keepFreedMemory() {
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") != nullptr) return;  // the user's wish
  mallopt(M_MMAP_THRESHOLD, 32 << 20);                             // the most there is; larger blocks are mapped by themselves
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

CpuMemory cpuMemory() { return {allocated.load(), peak.load()}; }

void resetCpuPeak() { peak.store(allocated.load()); }

void trimCpuMemory() { malloc_trim(0); }

}  // namespace bridge
