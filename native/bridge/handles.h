// Handles: how JavaScript names a tensor.
//
// A handle is an integer: the low bits are a slot of this thread's table, the high bits count how often the slot has
// been given out. A freed handle is therefore recognised even after its slot has gone to another tensor, until the
// count wraps around. 0 is never a handle. Handles are not shared between threads: each environment has a table.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace bridge {

using Handle = int32_t;

class HandleTable {
 public:
  // Takes the tensor in and names it.
  Handle put(at::Tensor tensor);

  // The tensor behind a handle, or null when it was freed or never given out.
  const at::Tensor* find(int64_t handle) const {
    const int64_t slot = handle & kSlotMask;
    if (handle <= 0 || slot >= static_cast<int64_t>(slots_.size())) return nullptr;
    const Slot& entry = slots_[slot];
    return entry.tensor.defined() && entry.generation == handle >> kSlotBits ? &entry.tensor : nullptr;
  }

  // Forgets a live handle.
  void free(Handle handle);

  int64_t live() const { return live_; }

  // Bytes of the distinct storages behind all tensors.
  int64_t bytes() const;

  // About the bytes that go when all handles go: of each storage the share of its owners that are handles. Ten times
  // faster than `bytes`.
  int64_t shareOfBytes() const;

 private:
  // 4,194,303 live tensors, 511 generations: together a positive int32, which V8 keeps unboxed.
  static constexpr int kSlotBits = 22;
  static constexpr int64_t kSlotMask = (1 << kSlotBits) - 1;
  static constexpr int32_t kGenerations = 1 << (31 - kSlotBits);

  struct Slot {
    at::Tensor tensor;
    int32_t generation = 1;
  };

  std::vector<Slot> slots_;
  std::vector<int32_t> freeSlots_;
  int64_t live_ = 0;
};

}  // namespace bridge
