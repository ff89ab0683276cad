#include "resultArray.h"

#include <limits>
#include <string>

#include "errors.h"

namespace bridge {

ResultArray::ResultArray(napi_env env, napi_value exports) : env_(env) {
  napi_create_reference(env, exports, 1, &exports_);
  grow(1024);
  start(0);
}

ResultArray::~ResultArray() {
  napi_delete_reference(env_, array_);
  napi_delete_reference(env_, exports_);
}

size_t ResultArray::lengthOf(const at::Tensor& tensor) {
  for (const int64_t size : tensor.sizes()) {
    if (size <= std::numeric_limits<int32_t>::max()) continue;
    throw Fault("bridge: an axis must have at most 2147483647 elements; got " + std::to_string(size));
  }
  return 3 + static_cast<size_t>(tensor.dim());
}

void ResultArray::append(Handle handle, const at::Tensor& tensor) {
  int32_t* entry = data_ + used_;
  *entry++ = handle;
  *entry++ = static_cast<int32_t>(tensor.scalar_type());
  *entry++ = static_cast<int32_t>(tensor.dim());
  for (const int64_t size : tensor.sizes()) *entry++ = static_cast<int32_t>(size);
  used_ = static_cast<size_t>(entry - data_);
  data_[0]++;
}

void ResultArray::grow(size_t length) {
  size_t capacity = capacity_ == 0 ? length : capacity_;
  while (capacity < length) capacity *= 2;
  napi_value exports, buffer, array;
  void* data = nullptr;
  napi_ref reference = nullptr;
  const bool made = napi_get_reference_value(env_, exports_, &exports) == napi_ok &&
                    napi_create_arraybuffer(env_, capacity * sizeof(int32_t), &data, &buffer) == napi_ok &&
                    napi_create_typedarray(env_, napi_int32_array, capacity, buffer, 0, &array) == napi_ok &&
                    napi_set_named_property(env_, exports, "meta", array) == napi_ok &&
                    napi_create_reference(env_, array, 1, &reference) == napi_ok;
  if (!made) throw Fault("bridge: no memory for the result array");
  if (array_ != nullptr) napi_delete_reference(env_, array_);
  array_ = reference;
  data_ = static_cast<int32_t*>(data);
  capacity_ = capacity;
}

}  // namespace bridge
