#include "call.h"

#include "errors.h"

namespace bridge {

Call::Call(napi_env env, napi_callback_info info) : env(env) {
  void* bound;
  if (napi_get_cb_info(env, info, &count, arguments_, nullptr, &bound) != napi_ok) {
    throw Fault("bridge: Node-API lost the arguments");
  }
  environment = static_cast<BoundFunction*>(bound)->environment;
  function = static_cast<BoundFunction*>(bound)->function;
  if (count > kMaxArguments) throw Fault(std::string(function->name) + ": takes at most 48 arguments");
}

template <class Read>
auto Call::read(size_t index, const char* argument, Read read) const {
  try {
    return read(arguments_[index]);
  } catch (const Mismatch& mismatch) {
    refuse(argument, mismatch);
  }
}

void Call::refuse(const char* argument, const Mismatch& mismatch) const {
  throw Fault(std::string("bridge.") + function->name + ": argument `" + argument + "` " + mismatch.must + "; got " +
              mismatch.got);
}

const at::Tensor& Call::tensor(size_t index, const char* argument) const {
  return *read(index, argument, [&](napi_value value) { return &readTensor(env, environment->handles, value); });
}

Handle Call::handle(size_t index, const char* argument) const {
  tensor(index, argument);
  return static_cast<Handle>(integer(index, argument));
}

std::vector<at::Tensor> Call::tensors(size_t index, const char* argument) const {
  return read(index, argument, [&](napi_value value) {
    std::vector<at::Tensor> list;
    forEach(env, value, [&](napi_value x) { list.push_back(readTensor(env, environment->handles, x)); });
    return list;
  });
}

bool Call::boolean(size_t index, const char* argument) const {
  return read(index, argument, [&](napi_value value) { return readBool(env, value); });
}

int64_t Call::integer(size_t index, const char* argument) const {
  return read(index, argument, [&](napi_value value) { return readInt(env, value); });
}

std::string Call::string(size_t index, const char* argument) const {
  return read(index, argument, [&](napi_value value) { return readString(env, value); });
}

std::vector<int64_t> Call::shape(size_t index, const char* argument) const {
  return read(index, argument, [&](napi_value value) {
    std::vector<int64_t> sizes;
    forEach(env, value, [&](napi_value x) {
      sizes.push_back(readInt(env, x));
      if (sizes.back() < 0) throw Mismatch{"must hold sizes ≥ 0", describe(env, x)};
    });
    return sizes;
  });
}

at::ScalarType Call::scalarType(size_t index, const char* argument) const {
  const int64_t number = integer(index, argument);
  const auto type = static_cast<at::ScalarType>(number);
  if (number < 0 || number >= static_cast<int64_t>(at::ScalarType::NumOptions) || type == at::ScalarType::Undefined) {
    refuse(argument, {"must be the number of an element type", std::to_string(number)});
  }
  return type;
}

Bytes Call::bytes(size_t index, const char* argument) const {
  return read(index, argument, [&](napi_value value) { return readBytes(env, value); });
}

napi_value Call::give(at::Tensor tensor) {
  environment->results.start(ResultArray::lengthOf(tensor));
  const Handle handle = environment->handles.put(tensor);
  environment->results.append(handle, tensor);
  return makeInt(env, handle);
}

}  // namespace bridge
