// Operators: looked up by name in PyTorch's dispatcher, and called with unboxed JavaScript arguments.
//
// A lookup compiles the schema into an argument plan and gives it a number; a call reads the arguments by the plan,
// calls the boxed operator, names the outputs by handles and describes them in the result array.
#include "functions.h"

#include <sstream>

#include "errors.h"

namespace bridge {
namespace {

OperatorPlan& plan(Call& call) {
  std::deque<OperatorPlan>& operators = call.environment->operators;
  const int64_t number = call.integer(0, "op");
  if (number < 0 || number >= static_cast<int64_t>(operators.size())) {
    call.refuse("op", {"must be a number that op() gave", std::to_string(number)});
  }
  return operators[number];
}

torch::jit::Stack callOperator(Call& call) {
  const OperatorPlan& operation = plan(call);
  torch::jit::Stack stack =
      readArguments(call.env, call.environment->handles, operation, call.from(1), call.count - 1);
  operation.handle.callBoxed(stack);
  return stack;
}

// Entries of all tensors in a value; throws before any handle is given out.
size_t lengthOf(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().defined() ? ResultArray::lengthOf(value.toTensor()) : 0;
  size_t length = 0;
  if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) {
      if (tensor.defined()) length += ResultArray::lengthOf(tensor);
    }
  }
  return length;
}

napi_value giveTensor(Call& call, at::Tensor tensor) {
  if (!tensor.defined()) return makeNull(call.env);
  const Handle handle = call.environment->handles.put(tensor);
  call.environment->results.append(handle, tensor);
  return makeInt(call.env, handle);
}

napi_value giveValue(Call& call, c10::IValue& value) {
  if (value.isTensor()) return giveTensor(call, std::move(value).toTensor());
  if (value.isTensorList()) {
    const std::vector<at::Tensor> tensors = value.toTensorVector();
    napi_value list = makeArray(call.env, tensors.size());
    for (size_t i = 0; i < tensors.size(); i++) napi_set_element(call.env, list, i, giveTensor(call, tensors[i]));
    return list;
  }
  if (value.isBool()) return makeBool(call.env, value.toBool());
  if (value.isInt()) return makeInt(call.env, value.toInt());
  if (value.isSymInt()) return makeInt(call.env, value.toSymInt().guard_int(__FILE__, __LINE__));
  if (value.isDouble()) return makeNumber(call.env, value.toDouble());
  if (value.isScalar() && !value.toScalar().isComplex()) return makeNumber(call.env, value.toScalar().toDouble());
  if (value.isNone()) return makeNull(call.env);
  throw Fault("bridge: an operator returned a " + value.tagKind() + ", which JavaScript cannot hold");
}

}  // namespace

napi_value op(Call& call) {
  const std::string name = call.string(0, "name");
  const std::string overload = call.has(1) ? call.string(1, "overload") : "";
  std::deque<OperatorPlan>& operators = call.environment->operators;
  operators.emplace_back(c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload.c_str()));
  return makeInt(call.env, static_cast<int64_t>(operators.size()) - 1);
}

napi_value schema(Call& call) {
  std::ostringstream text;
  text << plan(call).handle.schema();
  return makeString(call.env, text.str());
}

napi_value run(Call& call) {
  torch::jit::Stack outputs = callOperator(call);
  size_t length = 0;
  for (const c10::IValue& output : outputs) length += lengthOf(output);
  call.environment->results.start(length);
  if (outputs.size() == 1) return giveValue(call, outputs.front());
  if (outputs.empty()) return makeNull(call.env);
  napi_value list = makeArray(call.env, outputs.size());
  for (size_t i = 0; i < outputs.size(); i++) napi_set_element(call.env, list, i, giveValue(call, outputs[i]));
  return list;
}

napi_value runVoid(Call& call) {
  callOperator(call);
  return nullptr;
}

}  // namespace bridge
