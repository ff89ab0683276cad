// Errors: every fault ends as one JavaScript Error with the caller's stack, and the process lives on.
//
// PyTorch's faults keep PyTorch's own text, without its C++ backtrace; faults of the bridge itself are `Fault`.
// JavaScript may say more about some: `onError` takes a function from such an error to the one that is thrown.
// An exception that JavaScript already has pending (from a getter, say) is left as it is.
#pragma once
#include <node_api.h>

#include <stdexcept>
#include <string>

namespace bridge {

// A fault found by the bridge: the text says what must hold and what came.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Turns the exception being handled into a pending JavaScript exception. Call it inside a catch block.
//
// `explain` refers to the function that `onError` was given, or is null.
void throwToJavaScript(napi_env env, napi_ref explain);

}  // namespace bridge
