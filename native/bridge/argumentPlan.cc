#include "argumentPlan.h"

#include <ATen/core/List.h>

#include <cmath>
#include <sstream>

#include "errors.h"
#include "values.h"

namespace bridge {
namespace {

Kind listKind(const c10::TypePtr& element) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType:
      return Kind::kTensorList;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return Kind::kIntList;
    case c10::TypeKind::FloatType:
      return Kind::kFloatList;
    case c10::TypeKind::BoolType:
      return Kind::kBoolList;
    case c10::TypeKind::NumberType:
      return Kind::kScalarList;
    case c10::TypeKind::OptionalType:
      return element->castRaw<c10::OptionalType>()->getElementType()->kind() == c10::TypeKind::TensorType
                 ? Kind::kOptionalTensorList
                 : Kind::kUnsupported;
    default:
      return Kind::kUnsupported;
  }
}

Kind kindOf(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return Kind::kTensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
    case c10::TypeKind::ScalarTypeType:
    case c10::TypeKind::LayoutType:
    case c10::TypeKind::MemoryFormatType:
      return Kind::kInt;
    case c10::TypeKind::FloatType:
      return Kind::kFloat;
    case c10::TypeKind::BoolType:
      return Kind::kBool;
    case c10::TypeKind::NumberType:
      return Kind::kScalar;
    case c10::TypeKind::StringType:
      return Kind::kString;
    case c10::TypeKind::DeviceObjType:
      return Kind::kDevice;
    case c10::TypeKind::ListType:
      return listKind(type->castRaw<c10::ListType>()->getElementType());
    default:
      return Kind::kUnsupported;
  }
}

// The tensor behind a handle, or null for anything else.
const at::Tensor* findTensor(napi_env env, const HandleTable& handles, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) return nullptr;
  const bool integral = std::abs(number) < 4294967296.0 && number == std::trunc(number);
  return integral ? handles.find(static_cast<int64_t>(number)) : nullptr;
}

at::Scalar readScalar(napi_env env, napi_value value, bool besideIntegers) {
  switch (typeOf(env, value)) {
    case napi_boolean:
      return readBool(env, value);
    case napi_bigint:
      return readInt(env, value);
    case napi_number: {
      const double number = readNumber(env, value);
      const bool negativeZero = number == 0 && std::signbit(number);
      const bool integral = std::abs(number) <= 9007199254740991.0 && number == std::trunc(number);
      if (integral && (!negativeZero || besideIntegers)) return static_cast<int64_t>(number);
      return number;
    }
    default:
      throw Mismatch{"must be a number or boolean", describe(env, value)};
  }
}

bool holdsIntegers(const torch::jit::Stack& stack) {
  return !stack.empty() && stack.front().isTensor() && stack.front().toTensor().defined() &&
         c10::isIntegralType(stack.front().toTensor().scalar_type(), /*includeBool=*/true);
}

template <class Element, class Read>
c10::IValue readList(napi_env env, napi_value value, Read read) {
  c10::List<Element> list;
  list.reserve(readLength(env, value));
  forEach(env, value, [&](napi_value element) { list.push_back(read(element)); });
  return list;
}

c10::IValue readIntList(napi_env env, napi_value value, const ArgumentPlan& plan, napi_valuetype type) {
  if (plan.repeat > 0 && (type == napi_number || type == napi_bigint)) {
    return std::vector<int64_t>(plan.repeat, readInt(env, value));
  }
  std::vector<int64_t> list;
  list.reserve(readLength(env, value));
  forEach(env, value, [&](napi_value element) { list.push_back(readInt(env, element)); });
  return list;
}

c10::IValue readArgument(napi_env env, const HandleTable& handles, const ArgumentPlan& plan, napi_value value,
                         const torch::jit::Stack& before) {
  if (plan.kind == Kind::kTensor) {
    if (const at::Tensor* tensor = findTensor(env, handles, value)) return *tensor;
  }
  const napi_valuetype type = typeOf(env, value);
  if (type == napi_undefined && plan.byDefault.has_value()) return *plan.byDefault;
  if (isNothing(type) && plan.optional) return c10::IValue();
  switch (plan.kind) {
    case Kind::kTensor:
      return readTensor(env, handles, value);
    case Kind::kTensorList:
      return readList<at::Tensor>(env, value, [&](napi_value x) { return readTensor(env, handles, x); });
    case Kind::kOptionalTensorList:
      return readList<std::optional<at::Tensor>>(env, value, [&](napi_value x) -> std::optional<at::Tensor> {
        if (isNothing(typeOf(env, x))) return std::nullopt;
        return readTensor(env, handles, x);
      });
    case Kind::kInt:
      return readInt(env, value);
    case Kind::kIntList:
      return readIntList(env, value, plan, type);
    case Kind::kFloat:
      return readNumber(env, value);
    case Kind::kFloatList:
      return readList<double>(env, value, [&](napi_value x) { return readNumber(env, x); });
    case Kind::kBool:
      return readBool(env, value);
    case Kind::kBoolList:
      return readList<bool>(env, value, [&](napi_value x) { return readBool(env, x); });
    case Kind::kScalar:
      return readScalar(env, value, holdsIntegers(before));
    case Kind::kScalarList:
      return readList<at::Scalar>(env, value, [&](napi_value x) { return readScalar(env, x, false); });
    case Kind::kString:
      return readString(env, value);
    case Kind::kDevice:
      return c10::Device(readString(env, value));
    case Kind::kUnsupported:
      break;
  }
  throw Mismatch{"has a type that JavaScript cannot pass and must be left out", describe(env, value)};
}

[[noreturn]] void throwMismatch(const OperatorPlan& plan, const std::string& argument, const Mismatch& mismatch) {
  std::ostringstream text;
  text << nameOf(plan) << ": argument `" << argument << "` " << mismatch.must << "; got " << mismatch.got
       << ". Schema: " << plan.handle.schema();
  throw Fault(text.str());
}

}  // namespace

OperatorPlan::OperatorPlan(c10::OperatorHandle op) : handle(std::move(op)) {
  for (const c10::Argument& argument : handle.schema().arguments()) {
    const auto* optional = argument.real_type()->castRaw<c10::OptionalType>();
    const c10::TypePtr& type = optional ? optional->getElementType() : argument.real_type();
    arguments.push_back({kindOf(type), optional != nullptr, argument.N().value_or(0), argument.default_value()});
  }
}

torch::jit::Stack readArguments(napi_env env, const HandleTable& handles, const OperatorPlan& plan,
                                const napi_value* values, size_t count) {
  const size_t expected = plan.arguments.size();
  if (count > expected) {
    std::ostringstream text;
    text << nameOf(plan) << ": takes at most " << expected << " arguments; got " << count
         << ". Schema: " << plan.handle.schema();
    throw Fault(text.str());
  }
  torch::jit::Stack stack;
  stack.reserve(expected);
  napi_value undefined = nullptr;
  for (size_t i = 0; i < expected; i++) {
    if (i >= count && undefined == nullptr) undefined = makeUndefined(env);
    try {
      stack.push_back(readArgument(env, handles, plan.arguments[i], i < count ? values[i] : undefined, stack));
    } catch (const Mismatch& mismatch) {
      throwMismatch(plan, plan.handle.schema().arguments()[i].name(), mismatch);
    }
  }
  return stack;
}

const at::Tensor& readTensor(napi_env env, const HandleTable& handles, napi_value value) {
  if (const at::Tensor* tensor = findTensor(env, handles, value)) return *tensor;
  if (typeOf(env, value) != napi_number) throw Mismatch{"must be a tensor handle", describe(env, value)};
  throw Mismatch{"must be a live tensor handle", describe(env, value) + ", which is freed or was never given out"};
}

std::string nameOf(const OperatorPlan& plan) {
  const c10::OperatorName& name = plan.handle.operator_name();
  return name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
}

}  // namespace bridge
