// The forms of a rational function, as src/bases/rationalForm.ts has them. Free of ATen.
#pragma once

namespace katlab {

// How Q is made from b: A  1 + Σ |b_j||x|^j    B  1 + |Σ b_j x^j|    C  0.1 + |Σ b_j x^j|    N  1 + Σ b_j x^j
// The first power is 1, in C 0.
enum class RationalForm { A, B, C, N };

constexpr int firstPower(RationalForm form) { return form == RationalForm::C ? 0 : 1; }

constexpr int kMostDegree = 8;
constexpr int kMostTerms = kMostDegree + 1;

// How many coefficients numerator and denominator have.
struct RationalTerms {
  int numerator, denominator;
  constexpr int all() const { return numerator + denominator; }
};

}  // namespace katlab
