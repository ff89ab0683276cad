// What the implementations of katlab::rational share: the rules its arguments obey, and the one layout they compute.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "ops/rationalForm.h"

namespace katlab {

// The arguments that are no tensors. `axis` has the channels; `uneven` allows groups that do not divide them.
struct RationalOptions {
  std::string_view form;
  int64_t axis;
  bool uneven;
};

// x has any axes, dim channels along one of them; numerator [groups, 1 to 9] and denominator [groups, 1 to 8, in form
// C to 9], each with its own number of groups. x is float32, float64 or bfloat16; the tables have its type, or float32
// where x is bfloat16.
// Throws ValueError or TypeError with the name of the parameter. Works on symbolic shapes.
void checkRational(
    const at::Tensor& x, const at::Tensor& numerator, const at::Tensor& denominator, const RationalOptions& options);

// The same, and grad is like x.
void checkRationalBackward(
    const at::Tensor& grad,
    const at::Tensor& x,
    const at::Tensor& numerator,
    const at::Tensor& denominator,
    const RationalOptions& options);

// Of checked arguments.
RationalForm formOf(std::string_view form);
RationalTerms termsOf(const at::Tensor& numerator, const at::Tensor& denominator);

// Implementations compute contiguous matrices whose columns fall into groups of equal width. A contiguous tensor with
// channels anywhere is one: the axes before them are its rows; the axes after them lie inside a group.
int64_t columnsOf(const at::Tensor& x, int64_t axis);

// A table in type `type`, contiguous, whose groups have equal widths: with a row for each channel where they have not.
at::Tensor evenTable(const at::Tensor& table, int64_t dim, at::ScalarType type);

// The gradient of a table from that of its evenTable: sums in float64, in fixed order.
at::Tensor evenTableBackward(const at::Tensor& gradient, const at::Tensor& table);

}  // namespace katlab
