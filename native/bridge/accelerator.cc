// The accelerator: what there is, waiting for it, and the memory of tensors, there or on the CPU.
//
// Everything goes through torch's device-neutral interface, so the same file serves CPU and CUDA builds of torch.
// Nothing here wakes a device up: without an accelerator in use, `sync` has nothing to wait for.
#include "functions.h"

#include <ATen/DeviceAccelerator.h>

#include "cpuMemory.h"
#include "cudaDriver.h"

namespace bridge {
namespace {

// The kind of accelerator of which at least one device can be used.
std::optional<c10::DeviceType> usable() {
  const std::optional<c10::DeviceType> type = at::accelerator::getAccelerator(/*checked=*/false);
  if (!type || at::accelerator::deviceCount() == 0) return std::nullopt;
  return type;
}

struct Place {
  at::DeviceAllocator* allocator;
  c10::DeviceIndex index;
  // False before the first tensor: then there is nothing to wait for, and nothing is held.
  bool inUse;
};

// The accelerator device that argument 0 names, by default the current one; nothing for the CPU.
std::optional<Place> placeOf(Call& call) {
  const std::optional<c10::DeviceType> type = usable();
  if (!type) return std::nullopt;
  c10::Device device(*type);
  if (call.has(0)) device = c10::Device(call.string(0, "device"));
  if (device.type() != *type) return std::nullopt;
  at::DeviceAllocator* allocator = at::getDeviceAllocator(*type);
  const bool inUse = allocator->initialized();
  const c10::DeviceIndex current = inUse ? at::accelerator::getDeviceIndex() : c10::DeviceIndex{0};
  return Place{allocator, device.has_index() ? device.index() : current, inUse};
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value makeObject(napi_env env) {
  napi_value object;
  napi_create_object(env, &object);
  return object;
}

void setCpuMemory(napi_env env, napi_value object) {
  const CpuMemory memory = cpuMemory();
  set(env, object, "allocated", makeInt(env, memory.allocated));
  set(env, object, "peak", makeInt(env, memory.peak));
  set(env, object, "reserved", makeNull(env));
  set(env, object, "total", makeNull(env));
}

void setDeviceMemory(napi_env env, napi_value object, const Place& place) {
  constexpr size_t kAll = 0;  // c10::CachingAllocator::StatType::AGGREGATE
  c10::CachingDeviceAllocator::DeviceStats stats;
  if (place.inUse) stats = place.allocator->getDeviceStats(place.index);
  const std::optional<CudaDevice> device = cudaDevice(place.index);
  set(env, object, "allocated", makeInt(env, stats.allocated_bytes[kAll].current));
  set(env, object, "peak", makeInt(env, stats.allocated_bytes[kAll].peak));
  set(env, object, "reserved", makeInt(env, stats.reserved_bytes[kAll].current));
  set(env, object, "total", device ? makeInt(env, device->memoryBytes) : makeNull(env));
}

}  // namespace

napi_value accelerator(Call& call) {
  const std::optional<c10::DeviceType> type = usable();
  if (!type) return makeNull(call.env);
  const int64_t count = at::accelerator::deviceCount();
  const int64_t index = call.has(0) ? call.integer(0, "index") : 0;
  if (index < 0 || index >= count) call.refuse("index", {"must be below " + std::to_string(count), std::to_string(index)});
  const std::string typeName = c10::DeviceTypeName(*type, /*lower_case=*/true);
  const std::optional<CudaDevice> device =
      *type == c10::DeviceType::CUDA ? cudaDevice(static_cast<int>(index)) : std::nullopt;
  napi_value object = makeObject(call.env);
  set(call.env, object, "type", makeString(call.env, typeName));
  set(call.env, object, "name", makeString(call.env, device ? device->name : typeName));
  set(call.env, object, "count", makeInt(call.env, count));
  set(call.env, object, "memoryBytes", makeInt(call.env, device ? device->memoryBytes : 0));
  set(call.env, object, "capability", makeString(call.env, device ? device->capability : ""));
  return object;
}

napi_value sync(Call& call) {
  const std::optional<Place> place = placeOf(call);
  if (place && place->inUse) at::accelerator::synchronizeDevice(place->index);
  return nullptr;
}

napi_value memory(Call& call) {
  const std::optional<Place> place = placeOf(call);
  napi_value object = makeObject(call.env);
  set(call.env, object, "handles", makeInt(call.env, call.environment->handles.live()));
  set(call.env, object, "bytes", makeInt(call.env, call.environment->handles.bytes()));
  if (place) {
    setDeviceMemory(call.env, object, *place);
  } else {
    setCpuMemory(call.env, object);
  }
  return object;
}

napi_value resetPeakMemory(Call& call) {
  const std::optional<Place> place = placeOf(call);
  if (!place) {
    resetCpuPeak();
  } else if (place->inUse) {
    place->allocator->resetPeakStats(place->index);
  }
  return nullptr;
}

napi_value emptyCache(Call& call) {
  const std::optional<Place> place = placeOf(call);
  if (!place) {
    trimCpuMemory();
  } else if (place->inUse) {
    place->allocator->emptyCache();
  }
  return nullptr;
}

napi_value reportMemory(Call& call) {
  Environment& environment = *call.environment;
  const int64_t bytes = environment.handles.shareOfBytes();
  int64_t total;
  napi_adjust_external_memory(call.env, bytes - environment.reportedBytes, &total);
  environment.reportedBytes = bytes;
  return nullptr;
}

}  // namespace bridge
