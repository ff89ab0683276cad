// The argument plan: how each argument of an operator is read, worked out once from its schema.
//
// Kinds come from `real_type()`: `type()` shows ScalarType, Layout, MemoryFormat and SymInt as plain ints.
// Numbers: an `int` takes integers only; a `float` takes any number; a `Scalar` becomes an integer where the number has
// no fraction (so that PyTorch's type promotion leaves integer tensors alone) and −0 stays a float, except beside an
// integer tensor. Nothing is coerced between booleans, numbers and strings.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>
#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "handles.h"

namespace bridge {

enum class Kind : uint8_t {
  kTensor,
  kTensorList,
  kOptionalTensorList,
  kInt,
  kIntList,
  kFloat,
  kFloatList,
  kBool,
  kBoolList,
  kScalar,
  kScalarList,
  kString,
  kDevice,
  kUnsupported,  // Generator, Dimname, custom classes: only None or a default can stand there
};

struct ArgumentPlan {
  Kind kind;
  bool optional;
  int32_t repeat;  // k of int[k]: a single number stands for k of them
  std::optional<c10::IValue> byDefault;
};

struct OperatorPlan {
  explicit OperatorPlan(c10::OperatorHandle handle);

  c10::OperatorHandle handle;
  std::vector<ArgumentPlan> arguments;
};

// Reads the JavaScript arguments onto a stack, in the schema's order.
// A mismatch is a `Fault` that names the operator, the argument and the schema.
torch::jit::Stack readArguments(napi_env env, const HandleTable& handles, const OperatorPlan& plan,
                                const napi_value* values, size_t count);

// The tensor behind a handle; a `Mismatch` for anything else.
const at::Tensor& readTensor(napi_env env, const HandleTable& handles, napi_value value);

// "aten::add.Tensor"
std::string nameOf(const OperatorPlan& plan);

}  // namespace bridge
