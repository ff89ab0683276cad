#include "handles.h"

#include <unordered_set>

#include "errors.h"

namespace bridge {

Handle HandleTable::put(at::Tensor tensor) {
  int32_t slot;
  if (freeSlots_.empty()) {
    slot = static_cast<int32_t>(slots_.size());
    if (slot > kSlotMask) throw Fault("bridge: at most 4194304 tensors can be alive in one thread. Dispose some.");
    slots_.emplace_back();
  } else {
    slot = freeSlots_.back();
    freeSlots_.pop_back();
  }
  Slot& entry = slots_[slot];
  entry.tensor = std::move(tensor);
  live_++;
  return entry.generation << kSlotBits | slot;
}

void HandleTable::free(Handle handle) {
  const int32_t slot = static_cast<int32_t>(handle & kSlotMask);
  Slot& entry = slots_[slot];
  entry.tensor.reset();
  entry.generation = entry.generation + 1 < kGenerations ? entry.generation + 1 : 1;
  freeSlots_.push_back(slot);
  live_--;
}

int64_t HandleTable::bytes() const {
  std::unordered_set<const c10::StorageImpl*> seen;
  int64_t bytes = 0;
  for (const Slot& entry : slots_) {
    if (!entry.tensor.defined() || !entry.tensor.has_storage()) continue;
    const c10::Storage& storage = entry.tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) bytes += static_cast<int64_t>(storage.nbytes());
  }
  return bytes;
}

int64_t HandleTable::shareOfBytes() const {
  int64_t bytes = 0;
  for (const Slot& entry : slots_) {
    if (!entry.tensor.defined() || !entry.tensor.has_storage()) continue;
    const c10::Storage& storage = entry.tensor.storage();
    bytes += static_cast<int64_t>(storage.nbytes() / storage.use_count());
  }
  return bytes;
}

}  // namespace bridge
