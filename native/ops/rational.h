// What the implementations of katlab::rational share: the rules its arguments obey.
#pragma once

#include <ATen/core/Tensor.h>

namespace katlab {

// x [..., dim]; numerator [groups, 6] and denominator [groups, 4], each with its own number of groups, which divides
// dim. x is float32, float64 or bfloat16; the tables have its type, or float32 where x is bfloat16.
// Throws ValueError or TypeError with the name of the parameter. Works on symbolic shapes.
void checkRational(const at::Tensor& x, const at::Tensor& numerator, const at::Tensor& denominator);

// The same, and grad is like x.
void checkRationalBackward(
    const at::Tensor& grad, const at::Tensor& x, const at::Tensor& numerator, const at::Tensor& denominator);

}  // namespace katlab
