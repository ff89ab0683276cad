// katlab::rational for PyTorch's dispatcher: schema, argument checks, shapes without data (Meta), autograd.
// Implementations: rationalCpu.cc, ../cuda/rational.cc. Reference: src/bases/rational.ts.
//
//     y = P(x) / Q(x)    P(x) = a0 + a1 x + ... + a5 x^5    Q(x) = 1 + |b1||x| + ... + |b4||x|^4
//
// Channel c of x [..., dim] takes row c / (dim / groups) of numerator (a) and of denominator (b).
// The derivative of |t| at t = 0 is +1 everywhere in this library, so that a denominator of zeros learns.
#include "ops/rational.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <tuple>

#include "ops/rationalLoops.h"

namespace katlab {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

using Gradients = std::tuple<Tensor, Tensor, Tensor>;
using SecondGradients = std::tuple<Tensor, Tensor, Tensor, Tensor>;

void checkTable(const Tensor& x, const Tensor& table, int64_t terms, const char* name) {
  TORCH_CHECK_VALUE(
      table.dim() == 2 && table.sym_size(1) == terms && table.sym_size(0) > 0, "katlab::rational: ", name,
      " must have shape [groups, ", terms, "]; got ", table.sym_sizes());
  const c10::SymInt dim = x.sym_size(-1), groups = table.sym_size(0);
  TORCH_CHECK_VALUE(
      dim % groups == 0, "katlab::rational: dim (", dim, ") must be a multiple of the groups of ", name, " (",
      groups, ")");
  TORCH_CHECK_TYPE(
      table.scalar_type() == x.scalar_type() ||
          (x.scalar_type() == at::kBFloat16 && table.scalar_type() == at::kFloat),
      "katlab::rational: ", name, " must have the type of x (", x.scalar_type(),
      ") or be float32 where x is bfloat16; got ", table.scalar_type());
  TORCH_CHECK_VALUE(
      table.device() == x.device(), "katlab::rational: ", name, " must be on the device of x (", x.device(),
      "); got ", table.device());
}

Tensor callRational(const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("katlab::rational", "")
                             .typed<Tensor(const Tensor&, const Tensor&, const Tensor&)>();
  return op.call(x, numerator, denominator);
}

Gradients callRationalBackward(
    const Tensor& grad, const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("katlab::rational_backward", "")
                             .typed<Gradients(const Tensor&, const Tensor&, const Tensor&, const Tensor&)>();
  return op.call(grad, x, numerator, denominator);
}

SecondGradients callRationalDoubleBackward(const variable_list& saved, const variable_list& upstream) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("katlab::rational_double_backward", "")
          .typed<SecondGradients(
              const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
              const Tensor&)>();
  return op.call(saved[0], saved[1], saved[2], saved[3], upstream[0], upstream[1], upstream[2]);
}

Tensor rationalMeta(const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  checkRational(x, numerator, denominator);
  return at::empty_symint(x.sym_sizes(), x.options());
}

Gradients rationalBackwardMeta(
    const Tensor& grad, const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  checkRationalBackward(grad, x, numerator, denominator);
  const auto like = [](const Tensor& t) { return at::empty_symint(t.sym_sizes(), t.options()); };
  return {like(x), like(numerator), like(denominator)};
}

SecondGradients rationalDoubleBackwardMeta(
    const Tensor& grad,
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    const Tensor& byX,
    const Tensor& byNumerator,
    const Tensor& byDenominator) {
  checkRationalBackward(grad, x, numerator, denominator);
  checkRationalBackward(byX, x, byNumerator, byDenominator);
  const auto like = [](const Tensor& t) { return at::empty_symint(t.sym_sizes(), t.options()); };
  return {like(grad), like(x), like(numerator), like(denominator)};
}

// |t| with slope +1 at zero.
Tensor absoluteFromRight(const Tensor& t) { return t * (1 - 2 * t.detach().lt(0).to(t.scalar_type())); }

// Column `term` of a table [groups, terms] as [dim].
Tensor perChannel(const Tensor& table, int64_t term, const c10::SymInt& dim) {
  const c10::SymInt groups = table.sym_size(0);
  return table.select(1, term).unsqueeze(1).expand_symint({groups, dim / groups}).reshape_symint({dim});
}

// The definition, in operators that PyTorch can differentiate any number of times.
Tensor composed(const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  const auto type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor v = x.to(type), a = numerator.to(type), b = absoluteFromRight(denominator.to(type));
  const Tensor size = absoluteFromRight(v);
  const c10::SymInt dim = x.sym_size(-1);
  Tensor p = perChannel(a, kNumeratorTerms - 1, dim);
  for (int i = kNumeratorTerms - 2; i >= 0; i--) p = p * v + perChannel(a, i, dim);
  Tensor q = perChannel(b, kDenominatorTerms - 1, dim) * size;
  for (int j = kDenominatorTerms - 2; j >= 0; j--) q = (q + perChannel(b, j, dim)) * size;
  return (p / (q + 1)).to(x.scalar_type());
}

// A variable of its own for each input: inputs may depend on one another (grad usually does on x), and a derivative
// by one of them must not also run through the others.
variable_list separate(const variable_list& inputs, bool keepHistory) {
  variable_list own;
  for (const Tensor& input : inputs) {
    own.push_back(
        keepHistory && input.requires_grad() ? input.view_as(input) : input.detach().requires_grad_());
  }
  return own;
}

// katlab::rational_backward; differentiated by one operator or, where a third derivative may follow, through the composed
// definition.
struct RationalGradient : torch::autograd::Function<RationalGradient> {
  static variable_list forward(
      AutogradContext* ctx,
      const Tensor& grad,
      const Tensor& x,
      const Tensor& numerator,
      const Tensor& denominator) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->save_for_backward({grad, x, numerator, denominator});
    const auto [dx, dNumerator, dDenominator] = callRationalBackward(grad, x, numerator, denominator);
    return {dx, dNumerator, dDenominator};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    const bool createGraph = at::GradMode::is_enabled();
    if (!createGraph) {
      const auto [byGrad, byX, byNumerator, byDenominator] =
          callRationalDoubleBackward(ctx->get_saved_variables(), upstream);
      return {byGrad, byX, byNumerator, byDenominator};
    }
    const at::AutoGradMode recording(true);
    const variable_list own = separate(ctx->get_saved_variables(), createGraph);
    const Tensor y = composed(own[1], own[2], own[3]);
    const variable_list first = torch::autograd::grad({y}, {own[1], own[2], own[3]}, {own[0]}, true, true);
    return torch::autograd::grad(first, own, upstream, createGraph, createGraph);
  }
};

struct Rational : torch::autograd::Function<Rational> {
  static Tensor forward(
      AutogradContext* ctx, const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->save_for_backward({x, numerator, denominator});
    return callRational(x, numerator, denominator);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const auto [dx, dNumerator, dDenominator] =
        callRationalBackward(upstream[0], saved[0], saved[1], saved[2]);
    return {dx, dNumerator, dDenominator};
  }
};

Tensor rationalAutograd(const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  return Rational::apply(x, numerator, denominator);
}

Gradients rationalBackwardAutograd(
    const Tensor& grad, const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  const variable_list gradients = RationalGradient::apply(grad, x, numerator, denominator);
  return {gradients[0], gradients[1], gradients[2]};
}

}  // namespace

void checkRational(const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  TORCH_CHECK_VALUE(x.dim() >= 1, "katlab::rational: x must have shape [..., dim]; got a scalar");
  TORCH_CHECK_TYPE(
      x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble || x.scalar_type() == at::kBFloat16,
      "katlab::rational: x must be float32, float64 or bfloat16; got ", x.scalar_type());
  checkTable(x, numerator, kNumeratorTerms, "numerator");
  checkTable(x, denominator, kDenominatorTerms, "denominator");
  TORCH_CHECK_TYPE(
      numerator.scalar_type() == denominator.scalar_type(),
      "katlab::rational: denominator must have the type of numerator (", numerator.scalar_type(), "); got ",
      denominator.scalar_type());
}

void checkRationalBackward(
    const Tensor& grad, const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
  checkRational(x, numerator, denominator);
  TORCH_CHECK_VALUE(
      grad.sym_sizes() == x.sym_sizes(), "katlab::rational_backward: grad must have the shape of x (",
      x.sym_sizes(), "); got ", grad.sym_sizes());
  TORCH_CHECK_TYPE(
      grad.scalar_type() == x.scalar_type(), "katlab::rational_backward: grad must have the type of x (",
      x.scalar_type(), "); got ", grad.scalar_type());
  TORCH_CHECK_VALUE(
      grad.device() == x.device(), "katlab::rational_backward: grad must be on the device of x (", x.device(),
      "); got ", grad.device());
}

TORCH_LIBRARY_FRAGMENT(katlab, m) {
  m.def("rational(Tensor x, Tensor numerator, Tensor denominator) -> Tensor", {at::Tag::pt2_compliant_tag});
  m.def(
      "rational_backward(Tensor grad, Tensor x, Tensor numerator, Tensor denominator) -> (Tensor, Tensor, "
      "Tensor)",
      {at::Tag::pt2_compliant_tag});
  // Derivatives of rational_backward's results, weighted by by_x, by_numerator and by_denominator, by its arguments. Not
  // differentiable itself.
  m.def(
      "rational_double_backward(Tensor grad, Tensor x, Tensor numerator, Tensor denominator, Tensor by_x, Tensor "
      "by_numerator, Tensor by_denominator) -> (Tensor, Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(katlab, Meta, m) {
  m.impl("rational", rationalMeta);
  m.impl("rational_backward", rationalBackwardMeta);
  m.impl("rational_double_backward", rationalDoubleBackwardMeta);
}

TORCH_LIBRARY_IMPL(katlab, Autograd, m) {
  m.impl("rational", rationalAutograd);
  m.impl("rational_backward", rationalBackwardAutograd);
}

}  // namespace katlab
