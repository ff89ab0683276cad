// Tensors: values copied in and out, and the life of handles.
//
// Values are always copied: JavaScript may move or free its buffers at any time. Reading gives row-major values
// whatever the strides, and waits for the device.
#include "functions.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <cstring>

#include "errors.h"

namespace bridge {
namespace {

// Bytes of a shape; a fault where they cannot be counted.
size_t byteLength(const std::vector<int64_t>& shape, at::ScalarType type) {
  int64_t bytes = static_cast<int64_t>(c10::elementSize(type));
  for (const int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) throw Fault("bridge: the shape has too many elements");
  }
  return static_cast<size_t>(bytes);
}

// A buffer of JavaScript's. Node ends the process where it finds no memory for one; JavaScript's own constructor throws.
napi_value makeBuffer(napi_env env, size_t bytes, void** data) {
  constexpr size_t kLarge = size_t{1} << 28;
  napi_value buffer = nullptr;
  if (bytes < kLarge) {
    napi_create_arraybuffer(env, bytes, data, &buffer);
    return buffer;
  }
  napi_value global;
  napi_value constructor;
  napi_value length = makeInt(env, static_cast<int64_t>(bytes));
  napi_get_global(env, &global);
  napi_get_named_property(env, global, "ArrayBuffer", &constructor);
  if (napi_new_instance(env, constructor, 1, &length, &buffer) != napi_ok) {
    napi_value rangeError;
    napi_get_and_clear_last_exception(env, &rangeError);
    throw Fault("bridge.read: no memory for " + std::to_string(bytes) + " bytes in JavaScript");
  }
  napi_get_arraybuffer_info(env, buffer, data, nullptr);
  return buffer;
}

}  // namespace

napi_value from(Call& call) {
  const Bytes bytes = call.bytes(0, "data");
  const std::vector<int64_t> shape = call.shape(1, "shape");
  const at::ScalarType type = call.scalarType(2, "scalarType");
  const c10::Device device(call.string(3, "device"));
  const at::ScalarType stored = call.has(4) ? call.scalarType(4, "to") : type;
  if (const size_t expected = byteLength(shape, type); bytes.size != expected) {
    call.refuse("data", {"must have the " + std::to_string(expected) + " bytes of its shape",
                         std::to_string(bytes.size)});
  }
  const c10::NoGradGuard noGrad;
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(stored).device(device));
  if (bytes.size == 0) return call.give(std::move(tensor));
  if (device.is_cpu() && stored == type) {
    std::memcpy(tensor.mutable_data_ptr(), bytes.data, bytes.size);
  } else {
    tensor.copy_(at::from_blob(const_cast<void*>(bytes.data), shape, at::TensorOptions().dtype(type)));
  }
  return call.give(std::move(tensor));
}

napi_value read(Call& call) {
  const c10::NoGradGuard noGrad;
  const at::Tensor tensor = call.tensor(0, "handle").resolve_conj().resolve_neg();
  const at::ScalarType type = call.has(1) ? call.scalarType(1, "scalarType") : tensor.scalar_type();
  const size_t bytes = byteLength(tensor.sizes().vec(), type);
  void* data;
  napi_value buffer = makeBuffer(call.env, bytes, &data);
  if (bytes == 0) return buffer;
  if (tensor.is_cpu() && type == tensor.scalar_type() && tensor.is_contiguous()) {
    std::memcpy(data, tensor.const_data_ptr(), bytes);
  } else {
    at::from_blob(data, tensor.sizes(), at::TensorOptions().dtype(type)).copy_(tensor);
  }
  return buffer;
}

napi_value freeHandle(Call& call) {
  call.environment->handles.free(call.handle(0, "handle"));
  return nullptr;
}

napi_value info(Call& call) {
  const at::Tensor& tensor = call.tensor(0, "handle");
  call.environment->results.start(ResultArray::lengthOf(tensor));
  call.environment->results.append(call.handle(0, "handle"), tensor);
  return nullptr;
}

napi_value retain(Call& call) { return makeInt(call.env, call.environment->handles.put(call.tensor(0, "handle"))); }

napi_value exclusive(Call& call) {
  const auto alone = [](const at::Tensor& tensor) {
    return tensor.use_count() == 1 && tensor.has_storage() && tensor.storage().use_count() == 1 && tensor.is_contiguous();
  };
  if (typeOf(call.env, call[0]) == napi_number) return makeBool(call.env, alone(call.tensor(0, "handles")));
  const Bytes list = call.bytes(0, "handles");
  const auto* handles = static_cast<const Handle*>(list.data);
  for (size_t i = 0; i < list.size / sizeof(Handle); i++) {
    const at::Tensor* tensor = call.environment->handles.find(handles[i]);
    if (tensor == nullptr) call.refuse("handles", {"must be live tensor handles", std::to_string(handles[i])});
    if (!alone(*tensor)) return makeBool(call.env, false);
  }
  return makeBool(call.env, true);
}

napi_value live(Call& call) { return makeInt(call.env, call.environment->handles.live()); }

}  // namespace bridge
