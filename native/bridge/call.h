// Call: one function call from JavaScript, and the environment it runs in.
//
// Node gives every thread (main or Worker) an environment of its own and ends it before the thread ends: no tensor
// outlives its thread, and nothing here needs a lock.
#pragma once
#include <node_api.h>

#include <deque>
#include <string>
#include <vector>

#include "argumentPlan.h"
#include "graph.h"
#include "handles.h"
#include "resultArray.h"
#include "values.h"

namespace bridge {

class Call;

// A function of the addon.
struct Function {
  const char* name;
  napi_value (*run)(Call& call);
};

// What one JavaScript thread owns.
struct Environment {
  Environment(napi_env env, napi_value exports) : results(env, exports) {}

  HandleTable handles;
  std::deque<OperatorPlan> operators;  // a deque: looking one up must not move those in use
  ResultArray results;
  OwnedGraphs graphs;               // none before the first capture
  napi_ref explainError = nullptr;  // what onError() was given
  int64_t reportedBytes = 0;        // what V8 was told by reportMemory()
};

// A function bound to its environment: what Node-API hands back with every call.
struct BoundFunction {
  const Function* function;
  Environment* environment;
};

class Call {
 public:
  static constexpr size_t kMaxArguments = 48;  // aten's longest schema has 30

  Call(napi_env env, napi_callback_info info);

  napi_env env;
  Environment* environment;
  const Function* function;

  // Arguments that came.
  size_t count = kMaxArguments;

  // Argument by position; undefined where none came.
  napi_value operator[](size_t index) const { return arguments_[index]; }
  const napi_value* from(size_t index) const { return arguments_ + index; }

  bool has(size_t index) const { return !isNothing(typeOf(env, arguments_[index])); }

  // Typed arguments; a mismatch is a `Fault` that names the function and the argument.
  const at::Tensor& tensor(size_t index, const char* argument) const;
  Handle handle(size_t index, const char* argument) const;
  std::vector<at::Tensor> tensors(size_t index, const char* argument) const;
  bool boolean(size_t index, const char* argument) const;
  int64_t integer(size_t index, const char* argument) const;
  std::string string(size_t index, const char* argument) const;
  std::vector<int64_t> shape(size_t index, const char* argument) const;
  at::ScalarType scalarType(size_t index, const char* argument) const;
  Bytes bytes(size_t index, const char* argument) const;

  // Hands a tensor to JavaScript, as the only one in the result array.
  napi_value give(at::Tensor tensor);

  // A fault about one argument.
  [[noreturn]] void refuse(const char* argument, const Mismatch& mismatch) const;

 private:
  template <class Read>
  auto read(size_t index, const char* argument, Read read) const;

  napi_value arguments_[kMaxArguments];
};

}  // namespace bridge
