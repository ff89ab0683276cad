// Autograd: which tensors are differentiated, whether operators are recorded, and the reverse pass.
//
// Grad mode belongs to the thread and is off when an environment starts: ordinary tfjs operators record nothing.
// Freeing handles of intermediate tensors is safe, since the graph holds what its backward needs.
#include "functions.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace bridge {

napi_value detach(Call& call) { return call.give(call.tensor(0, "handle").detach()); }

napi_value requiresGrad(Call& call) {
  const at::Tensor& tensor = call.tensor(0, "handle");
  if (call.has(1)) tensor.set_requires_grad(call.boolean(1, "on"));
  return makeBool(call.env, tensor.requires_grad());
}

napi_value gradMode(Call& call) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(call.boolean(0, "on"));
  return makeBool(call.env, before);
}

napi_value grad(Call& call) {
  const std::vector<at::Tensor> outs = call.tensors(0, "outs");
  const std::vector<at::Tensor> ins = call.tensors(1, "ins");
  const std::vector<at::Tensor> gradOuts =
      call.has(2) ? call.tensors(2, "gradOuts") : std::vector<at::Tensor>();
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad(outs, ins, gradOuts, call.boolean(3, "retainGraph"), call.boolean(4, "createGraph"),
                            call.boolean(5, "allowUnused"));
  size_t length = 0;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) length += ResultArray::lengthOf(gradient);
  }
  call.environment->results.start(length);
  napi_value list = makeArray(call.env, gradients.size());
  for (size_t i = 0; i < gradients.size(); i++) {
    napi_value entry = makeNull(call.env);
    if (gradients[i].defined()) {
      const Handle handle = call.environment->handles.put(gradients[i]);
      call.environment->results.append(handle, gradients[i]);
      entry = makeInt(call.env, handle);
    }
    napi_set_element(call.env, list, i, entry);
  }
  return list;
}

}  // namespace bridge
