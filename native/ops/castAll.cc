// katlab::cast_all for PyTorch's dispatcher: a list of tensors in another type, copied by one operator.
//
// Mixed precision casts every weight of a model at the start of a step, and every gradient at its end. One by one that
// is some hundred launches; here it is one each way. The derivative of the cast is the cast back.
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace katlab {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

std::vector<Tensor> callCastAll(at::TensorList tensors, at::ScalarType type) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("katlab::cast_all", "")
                             .typed<std::vector<Tensor>(at::TensorList, at::ScalarType)>();
  return op.call(tensors, type);
}

std::vector<Tensor> castAll(at::TensorList tensors, at::ScalarType type) {
  std::vector<Tensor> copies;
  copies.reserve(tensors.size());
  for (const Tensor& tensor : tensors) copies.push_back(at::empty_like(tensor, tensor.options().dtype(type)));
  if (!copies.empty()) at::_foreach_copy_(copies, tensors);
  return copies;
}

struct CastAll : torch::autograd::Function<CastAll> {
  static variable_list forward(AutogradContext* ctx, at::TensorList tensors, at::ScalarType type) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->set_materialize_grads(false);
    ctx->saved_data["type"] = tensors[0].scalar_type();
    return callCastAll(tensors, type);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    std::vector<Tensor> given;
    for (const Tensor& gradient : upstream) {
      if (gradient.defined()) given.push_back(gradient);
    }
    const std::vector<Tensor> cast = callCastAll(given, ctx->saved_data["type"].toScalarType());
    variable_list gradients;
    auto next = cast.begin();
    for (const Tensor& gradient : upstream) gradients.push_back(gradient.defined() ? *next++ : Tensor());
    gradients.emplace_back();  // of `type`
    return gradients;
  }
};

std::vector<Tensor> castAllAutograd(at::TensorList tensors, at::ScalarType type) {
  if (tensors.empty()) return {};
  for (const Tensor& tensor : tensors) {
    TORCH_CHECK_TYPE(
        tensor.is_floating_point() && tensor.scalar_type() == tensors[0].scalar_type(),
        "katlab::cast_all: tensors must be floats of one type; got ", tensors[0].scalar_type(), " and ",
        tensor.scalar_type());
  }
  TORCH_CHECK_TYPE(at::isFloatingType(type), "katlab::cast_all: type must be one of floats; got ", type);
  return CastAll::apply(tensors, type);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(katlab, m) {
  m.def("cast_all(Tensor[] tensors, ScalarType type) -> Tensor[]", {at::Tag::pt2_compliant_tag});
}

TORCH_LIBRARY_IMPL(katlab, CompositeExplicitAutograd, m) { m.impl("cast_all", castAll); }

TORCH_LIBRARY_IMPL(katlab, Autograd, m) { m.impl("cast_all", castAllAutograd); }

}  // namespace katlab
