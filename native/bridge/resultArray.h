// The result array: handles, element types and shapes of a call's outputs, in one Int32Array that JavaScript reads
// without crossing the border again: [count, then per tensor: handle, scalarType, rank, ...dims].
//
// It is the property `meta` of the addon. A result that does not fit replaces it by a larger one.
#pragma once
#include <ATen/core/Tensor.h>
#include <node_api.h>

#include "handles.h"

namespace bridge {

class ResultArray {
 public:
  ResultArray(napi_env env, napi_value exports);
  ~ResultArray();
  ResultArray(const ResultArray&) = delete;
  ResultArray& operator=(const ResultArray&) = delete;

  // Entries that a tensor takes; throws where a size is too large for them.
  static size_t lengthOf(const at::Tensor& tensor);

  // Empties the array and makes room for `length` entries behind the count.
  void start(size_t length) {
    if (length + 1 > capacity_) grow(length + 1);
    data_[0] = 0;
    used_ = 1;
  }

  // Appends one tensor, within the room asked for.
  void append(Handle handle, const at::Tensor& tensor);

 private:
  void grow(size_t length);

  napi_env env_;
  napi_ref exports_ = nullptr;
  napi_ref array_ = nullptr;
  int32_t* data_ = nullptr;
  size_t capacity_ = 0;
  size_t used_ = 1;
};

}  // namespace bridge
