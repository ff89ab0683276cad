// katlab::rational for PyTorch's dispatcher: schema, argument checks, shapes without data (Meta), autograd.
// Implementations: rationalCpu.cc, ../cuda/rational.cc. Reference: src/bases/rational.ts.
//
//     y = P(x) / Q(x)    P(x) = a0 + a1 x + ... + am x^m
//
//     form A    Q(x) = 1 + |b1||x| + ... + |bn||x|^n    KAT's released kernels and checkpoints
//     form B    Q(x) = 1 + |b1 x + ... + bn x^n|
//     form C    Q(x) = 0.1 + |b0 + b1 x + ... + bn x^n|
//     form N    Q(x) = 1 + b1 x + ... + bn x^n
//
// Channel c of dim takes row floor(c * groups / dim) of numerator (a) and of denominator (b).
// The derivative of |t| at t = 0 is +1 everywhere in this library, so that a denominator of zeros learns.
#include "ops/rational.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/WrapDimUtils.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <string>
#include <tuple>

namespace katlab {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

using Gradients = std::tuple<Tensor, Tensor, Tensor>;
using SecondGradients = std::tuple<Tensor, Tensor, Tensor, Tensor>;

void checkTable(
    const Tensor& x, const Tensor& table, const RationalOptions& options, int64_t most, const char* name) {
  TORCH_CHECK_VALUE(
      table.dim() == 2 && table.sym_size(1) >= 1 && table.sym_size(1) <= most && table.sym_size(0) > 0,
      "katlab::rational: ", name, " must have shape [groups, 1 to ", most, "]; got ", table.sym_sizes());
  const c10::SymInt dim = x.sym_size(options.axis), groups = table.sym_size(0);
  if (dim % groups != 0) {
    TORCH_CHECK_VALUE(
        options.uneven, "katlab::rational: dim (", dim, ") must be a multiple of the groups of ", name, " (",
        groups, "); uneven=True allows groups whose widths differ by one");
    TORCH_CHECK_VALUE(
        groups <= dim, "katlab::rational: ", name, " must have at most dim (", dim, ") groups; got ", groups);
  }
  TORCH_CHECK_TYPE(
      table.scalar_type() == x.scalar_type() ||
          (x.scalar_type() == at::kBFloat16 && table.scalar_type() == at::kFloat),
      "katlab::rational: ", name, " must have the type of x (", x.scalar_type(),
      ") or be float32 where x is bfloat16; got ", table.scalar_type());
  TORCH_CHECK_VALUE(
      table.device() == x.device(), "katlab::rational: ", name, " must be on the device of x (", x.device(),
      "); got ", table.device());
}

Tensor callRational(
    const Tensor& x, const Tensor& numerator, const Tensor& denominator, const RationalOptions& options) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("katlab::rational", "")
          .typed<Tensor(const Tensor&, const Tensor&, const Tensor&, std::string_view, int64_t, bool)>();
  return op.call(x, numerator, denominator, options.form, options.axis, options.uneven);
}

Gradients callRationalBackward(const Tensor& grad, const variable_list& inputs, const RationalOptions& options) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("katlab::rational_backward", "")
                             .typed<Gradients(
                                 const Tensor&, const Tensor&, const Tensor&, const Tensor&, std::string_view,
                                 int64_t, bool)>();
  return op.call(grad, inputs[0], inputs[1], inputs[2], options.form, options.axis, options.uneven);
}

SecondGradients callRationalDoubleBackward(
    const variable_list& saved, const variable_list& upstream, const RationalOptions& options) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("katlab::rational_double_backward", "")
          .typed<SecondGradients(
              const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
              const Tensor&, std::string_view, int64_t, bool)>();
  return op.call(
      saved[0], saved[1], saved[2], saved[3], upstream[0], upstream[1], upstream[2], options.form, options.axis,
      options.uneven);
}

Tensor emptyLike(const Tensor& t) { return at::empty_symint(t.sym_sizes(), t.options()); }

Tensor rationalMeta(
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  checkRational(x, numerator, denominator, {form, axis, uneven});
  return emptyLike(x);
}

Gradients rationalBackwardMeta(
    const Tensor& grad,
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  checkRationalBackward(grad, x, numerator, denominator, {form, axis, uneven});
  return {emptyLike(x), emptyLike(numerator), emptyLike(denominator)};
}

SecondGradients rationalDoubleBackwardMeta(
    const Tensor& grad,
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    const Tensor& byX,
    const Tensor& byNumerator,
    const Tensor& byDenominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  checkRationalBackward(grad, x, numerator, denominator, {form, axis, uneven});
  checkRationalBackward(byX, x, byNumerator, byDenominator, {form, axis, uneven});
  return {emptyLike(grad), emptyLike(x), emptyLike(numerator), emptyLike(denominator)};
}

// |t| with slope +1 at zero.
Tensor absoluteFromRight(const Tensor& t) { return t * (1 - 2 * t.detach().lt(0).to(t.scalar_type())); }

// Columns of a table [groups, terms], each as [dim, 1, ...] with `trailing` axes of 1: for each channel its number.
variable_list perChannel(const Tensor& table, const c10::SymInt& dim, int64_t trailing) {
  const c10::SymInt groups = table.sym_size(0), terms = table.sym_size(1);
  const Tensor rows =
      dim % groups == 0
          ? table.unsqueeze(1).expand_symint({groups, dim / groups, terms}).reshape_symint({dim, terms})
          : evenTable(table, dim.guard_int(__FILE__, __LINE__), table.scalar_type());
  variable_list columns;
  for (Tensor column : rows.unbind(1)) {
    for (int64_t i = 0; i < trailing; i++) column = column.unsqueeze(-1);
    columns.push_back(column);
  }
  return columns;
}

Tensor horner(const variable_list& coefficients, const Tensor& x) {
  Tensor sum = coefficients.back();
  for (size_t i = coefficients.size() - 1; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

// The definition, in operators that PyTorch can differentiate any number of times.
Tensor composed(
    const Tensor& x, const Tensor& numerator, const Tensor& denominator, const RationalOptions& options) {
  const auto type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const RationalForm form = formOf(options.form);
  const bool eachTerm = form == RationalForm::A;
  const Tensor v = x.to(type), b = denominator.to(type), t = eachTerm ? absoluteFromRight(v) : v;
  const int64_t axis = at::maybe_wrap_dim(options.axis, x.dim()), trailing = x.dim() - 1 - axis;
  const Tensor p = horner(perChannel(numerator.to(type), x.sym_size(axis), trailing), v);
  Tensor sum = horner(perChannel(eachTerm ? absoluteFromRight(b) : b, x.sym_size(axis), trailing), t);
  if (firstPower(form) == 1) sum = sum * t;
  if (form == RationalForm::B || form == RationalForm::C) sum = absoluteFromRight(sum);
  return (p / (sum + (form == RationalForm::C ? 0.1 : 1.0))).expand_symint(x.sym_sizes()).to(x.scalar_type());
}

// The options in a node of autograd's graph.
void save(AutogradContext* ctx, const RationalOptions& options) {
  ctx->saved_data["form"] = std::string(options.form);
  ctx->saved_data["axis"] = options.axis;
  ctx->saved_data["uneven"] = options.uneven;
}

RationalOptions savedOptions(AutogradContext* ctx) {
  return {
      ctx->saved_data["form"].toStringRef(), ctx->saved_data["axis"].toInt(), ctx->saved_data["uneven"].toBool()};
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

// katlab::rational_backward; differentiated by one operator or, where a third derivative may follow, through the
// composed definition.
struct RationalGradient : torch::autograd::Function<RationalGradient> {
  static variable_list forward(
      AutogradContext* ctx,
      const Tensor& grad,
      const Tensor& x,
      const Tensor& numerator,
      const Tensor& denominator,
      const RationalOptions& options) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->save_for_backward({grad, x, numerator, denominator});
    save(ctx, options);
    const auto [dx, dNumerator, dDenominator] =
        callRationalBackward(grad, {x, numerator, denominator}, options);
    return {dx, dNumerator, dDenominator};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    const bool createGraph = at::GradMode::is_enabled();
    const RationalOptions options = savedOptions(ctx);
    if (!createGraph) {
      const auto [byGrad, byX, byNumerator, byDenominator] =
          callRationalDoubleBackward(ctx->get_saved_variables(), upstream, options);
      return {byGrad, byX, byNumerator, byDenominator, Tensor()};
    }
    const at::AutoGradMode recording(true);
    const variable_list own = separate(ctx->get_saved_variables(), createGraph);
    const Tensor y = composed(own[1], own[2], own[3], options);
    const variable_list first = torch::autograd::grad({y}, {own[1], own[2], own[3]}, {own[0]}, true, true);
    variable_list second = torch::autograd::grad(first, own, upstream, createGraph, createGraph);
    second.emplace_back();
    return second;
  }
};

struct Rational : torch::autograd::Function<Rational> {
  static Tensor forward(
      AutogradContext* ctx,
      const Tensor& x,
      const Tensor& numerator,
      const Tensor& denominator,
      const RationalOptions& options) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->save_for_backward({x, numerator, denominator});
    save(ctx, options);
    return callRational(x, numerator, denominator, options);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    const auto [dx, dNumerator, dDenominator] =
        callRationalBackward(upstream[0], ctx->get_saved_variables(), savedOptions(ctx));
    return {dx, dNumerator, dDenominator, Tensor()};
  }
};

Tensor rationalAutograd(
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  return Rational::apply(x, numerator, denominator, RationalOptions{form, axis, uneven});
}

Gradients rationalBackwardAutograd(
    const Tensor& grad,
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  const variable_list gradients =
      RationalGradient::apply(grad, x, numerator, denominator, RationalOptions{form, axis, uneven});
  return {gradients[0], gradients[1], gradients[2]};
}

}  // namespace

void checkRational(
    const Tensor& x, const Tensor& numerator, const Tensor& denominator, const RationalOptions& options) {
  const std::string_view form = options.form;
  TORCH_CHECK_VALUE(
      form == "A" || form == "B" || form == "C" || form == "N",
      "katlab::rational: form must be A, B, C or N; got ", form);
  TORCH_CHECK_VALUE(x.dim() >= 1, "katlab::rational: x must have an axis of channels; got a scalar");
  TORCH_CHECK_VALUE(
      -x.dim() <= options.axis && options.axis < x.dim(), "katlab::rational: axis must be one of the ", x.dim(),
      " axes of x; got ", options.axis);
  TORCH_CHECK_TYPE(
      x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble || x.scalar_type() == at::kBFloat16,
      "katlab::rational: x must be float32, float64 or bfloat16; got ", x.scalar_type());
  checkTable(x, numerator, options, kMostTerms, "numerator");
  checkTable(x, denominator, options, kMostTerms - firstPower(formOf(form)), "denominator");
  TORCH_CHECK_TYPE(
      numerator.scalar_type() == denominator.scalar_type(),
      "katlab::rational: denominator must have the type of numerator (", numerator.scalar_type(), "); got ",
      denominator.scalar_type());
}

void checkRationalBackward(
    const Tensor& grad,
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    const RationalOptions& options) {
  checkRational(x, numerator, denominator, options);
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
  m.def(
      "rational(Tensor x, Tensor numerator, Tensor denominator, str form='A', int axis=-1, bool uneven=False) "
      "-> Tensor",
      {at::Tag::pt2_compliant_tag});
  m.def(
      "rational_backward(Tensor grad, Tensor x, Tensor numerator, Tensor denominator, str form='A', int axis=-1, "
      "bool uneven=False) -> (Tensor, Tensor, Tensor)",
      {at::Tag::pt2_compliant_tag});
  // Derivatives of rational_backward's results, weighted by by_x, by_numerator and by_denominator, by its arguments.
  // Not differentiable itself.
  m.def(
      "rational_double_backward(Tensor grad, Tensor x, Tensor numerator, Tensor denominator, Tensor by_x, Tensor "
      "by_numerator, Tensor by_denominator, str form='A', int axis=-1, bool uneven=False) -> (Tensor, Tensor, "
      "Tensor, Tensor)");
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
