// How arguments of katlab::rational become the one layout its implementations compute. On the device of the tensors and
// without waiting for it, so that it can be captured in a CUDA graph.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/WrapDimUtils.h>

#include "ops/rational.h"

namespace katlab {

using at::Tensor;

RationalForm formOf(std::string_view form) {
  return form == "A"   ? RationalForm::A
         : form == "B" ? RationalForm::B
         : form == "C" ? RationalForm::C
                       : RationalForm::N;
}

RationalTerms termsOf(const Tensor& numerator, const Tensor& denominator) {
  return {static_cast<int>(numerator.size(1)), static_cast<int>(denominator.size(1))};
}

int64_t columnsOf(const Tensor& x, int64_t axis) {
  int64_t columns = 1;
  for (int64_t i = at::maybe_wrap_dim(axis, x.dim()); i < x.dim(); i++) columns *= x.size(i);
  return columns;
}

Tensor evenTable(const Tensor& table, int64_t dim, at::ScalarType type) {
  const Tensor converted = table.to(type).contiguous();
  const int64_t groups = table.size(0);
  if (dim % groups == 0) return converted;
  const Tensor channels = at::arange(dim, table.options().dtype(at::kLong));
  return converted.index_select(0, (channels * groups).floor_divide(dim));
}

Tensor evenTableBackward(const Tensor& gradient, const Tensor& table) {
  const int64_t groups = table.size(0), dim = gradient.size(0), terms = table.size(1);
  if (dim == groups) return gradient.to(table.scalar_type());
  // Group g has the channels from ⌈g·dim/groups⌉ to that of g + 1.
  const auto integers = table.options().dtype(at::kLong);
  const Tensor borders = (at::arange(groups + 1, integers) * dim + groups - 1).floor_divide(groups);
  const int64_t widest = (dim + groups - 1) / groups;
  const Tensor channels = borders.narrow(0, 0, groups).unsqueeze(1) + at::arange(widest, integers);
  const Tensor inside = channels < borders.narrow(0, 1, groups).unsqueeze(1);
  const Tensor rows =
      gradient.to(at::kDouble).index_select(0, channels.clamp_max(dim - 1).flatten()).view({groups, widest, terms});
  return at::where(inside.unsqueeze(2), rows, at::zeros({}, rows.options())).sum(1).to(table.scalar_type());
}

}  // namespace katlab
