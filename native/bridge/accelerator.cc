// The accelerator: what there is, waiting for it, and what its allocator holds.
//
// Everything goes through torch's device-neutral interface, so the same file serves CPU and CUDA builds of torch.
// Nothing here wakes a device up: without an accelerator in use, `sync` has nothing to wait for.
#include "functions.h"

#include <ATen/DeviceAccelerator.h>

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
};

// The device that argument 0 names, by default the current one; nothing for the CPU, and before a first tensor on it.
std::optional<Place> placeInUse(Call& call) {
  const std::optional<c10::DeviceType> type = usable();
  if (!type) return std::nullopt;
  c10::Device device(*type);
  if (call.has(0)) device = c10::Device(call.string(0, "device"));
  if (device.type() != *type) return std::nullopt;
  at::DeviceAllocator* allocator = at::getDeviceAllocator(*type);
  if (!allocator->initialized()) return std::nullopt;
  return Place{allocator, device.has_index() ? device.index() : at::accelerator::getDeviceIndex()};
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value makeObject(napi_env env) {
  napi_value object;
  napi_create_object(env, &object);
  return object;
}

napi_value allocatorMemory(napi_env env, const Place& place) {
  constexpr size_t kAll = 0;  // c10::CachingAllocator::StatType::AGGREGATE
  const auto stats = place.allocator->getDeviceStats(place.index);
  napi_value object = makeObject(env);
  set(env, object, "allocated", makeInt(env, stats.allocated_bytes[kAll].current));
  set(env, object, "peakAllocated", makeInt(env, stats.allocated_bytes[kAll].peak));
  set(env, object, "reserved", makeInt(env, stats.reserved_bytes[kAll].current));
  return object;
}

}  // namespace

napi_value accelerator(Call& call) {
  const std::optional<c10::DeviceType> type = usable();
  if (!type) return makeNull(call.env);
  const std::string typeName = c10::DeviceTypeName(*type, /*lower_case=*/true);
  const std::optional<CudaDevice> device = *type == c10::DeviceType::CUDA ? cudaDevice(0) : std::nullopt;
  napi_value object = makeObject(call.env);
  set(call.env, object, "type", makeString(call.env, typeName));
  set(call.env, object, "name", makeString(call.env, device ? device->name : typeName));
  set(call.env, object, "count", makeInt(call.env, at::accelerator::deviceCount()));
  set(call.env, object, "memoryBytes", makeInt(call.env, device ? device->memoryBytes : 0));
  set(call.env, object, "capability", makeString(call.env, device ? device->capability : ""));
  return object;
}

napi_value sync(Call& call) {
  if (const std::optional<Place> place = placeInUse(call)) at::accelerator::synchronizeDevice(place->index);
  return nullptr;
}

napi_value memory(Call& call) {
  const std::optional<Place> place = placeInUse(call);
  napi_value object = makeObject(call.env);
  set(call.env, object, "handles", makeInt(call.env, call.environment->handles.live()));
  set(call.env, object, "bytes", makeInt(call.env, call.environment->handles.bytes()));
  set(call.env, object, "device", place ? allocatorMemory(call.env, *place) : makeNull(call.env));
  return object;
}

napi_value resetPeakMemory(Call& call) {
  if (const std::optional<Place> place = placeInUse(call)) place->allocator->resetPeakStats(place->index);
  return nullptr;
}

}  // namespace bridge
