// The inner loops of katlab::rational on the CPU, once per instruction set (rational.simd.cc).
//
// This header and rational.simd.cc include nothing of ATen: the linker keeps one copy of each inline function, and
// one that was compiled for AVX-512 must not become the copy everybody uses.
#pragma once

#include <cstdint>

#include "ops/rationalForm.h"

namespace katlab {

enum class Element { Float32, BFloat16, Float64 };

// A block of a contiguous matrix. A vector of neighbouring columns meets the same coefficients in every row; vectors
// with equal coefficients share one entry of the tables. `terms` is terms.all().
struct RationalTile {
  RationalTerms terms;
  const void* x;     // first element of the block
  const void* grad;  // as x; not forward
  void* out;         // as x: y, or dx
  int64_t rows;
  int64_t columns;           // the last vector may be partly filled
  int64_t stride;            // elements between rows
  const int32_t* entries;    // [vectors of columns]: the vector's entry
  const void* coefficients;  // [entries][terms][lanes], float or double: a, then b; |b| in form A
  double* sums;  // [entries][terms][lanes], added to; not forward. In form A the sign of b is not in it.

  // Second derivatives only: what rational_backward's results are weighted by.
  const void* byX = nullptr;             // as x
  const void* byCoefficients = nullptr;  // as coefficients; in form A the weights of b times the sign of b
  void* second = nullptr;                // as x: the derivative by x; out is that by grad
};

struct RationalLoops {
  int lanes;  // elements of a vector
  void (*forward)(const RationalTile&);
  void (*backward)(const RationalTile&);
  void (*doubleBackward)(const RationalTile&);
};

RationalLoops rationalLoopsDefault(Element, RationalForm, RationalTerms);
RationalLoops rationalLoopsAvx2(Element, RationalForm, RationalTerms);
RationalLoops rationalLoopsAvx512(Element, RationalForm, RationalTerms);

}  // namespace katlab
