// Inner loops of katlab::rational. Compiled three times: KATLAB_SIMD is Default, Avx2 or Avx512.
//
// One call owns a block of rows × columns. It walks the columns vector by vector and, within a vector, down the
// rows, so that ten coefficients and ten sums stay in registers; x and grad are read once, y or dx written once.
// Sums: float32 (float64 for float64) over the rows of the block, then added in float64.
// Operations a value: forward 9 multiply-adds and a division; backward 26 multiply-adds, a division and 12 others; the
// second derivatives about 100.
#include "ops/rationalLoops.h"

#include <cstring>
#include <type_traits>

namespace katlab {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

typedef float FloatVector __attribute__((vector_size(kBytes)));
typedef double DoubleVector __attribute__((vector_size(kBytes)));
typedef int32_t Int32Vector __attribute__((vector_size(kBytes)));
typedef uint32_t Bits32Vector __attribute__((vector_size(kBytes)));
typedef int64_t Int64Vector __attribute__((vector_size(kBytes)));
typedef uint16_t Bits16Vector __attribute__((vector_size(kBytes / 2)));

template <typename To, typename From>
inline To bitCast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// How an element type is stored, and in which vector it is computed.
template <typename Scalar, typename Vector_, typename Int_>
struct Native {
  using Stored = Scalar;
  using Compute = Scalar;
  using Vector = Vector_;
  using Int = Int_;
  static constexpr int lanes = kBytes / sizeof(Scalar);
  static Vector load(const Stored* from) {
    Vector v;
    std::memcpy(&v, from, sizeof(v));
    return v;
  }
  static void store(Stored* to, Vector v) { std::memcpy(to, &v, sizeof(v)); }
};
using Float32 = Native<float, FloatVector, Int32Vector>;
using Float64 = Native<double, DoubleVector, Int64Vector>;

struct BFloat16 {
  using Stored = uint16_t;
  using Compute = float;
  using Vector = FloatVector;
  using Int = Int32Vector;
  static constexpr int lanes = kBytes / sizeof(float);
  static Vector load(const Stored* from) {
    Bits16Vector bits;
    std::memcpy(&bits, from, sizeof(bits));
    return bitCast<Vector>(__builtin_convertvector(bits, Bits32Vector) << 16);
  }
  // To the nearest, ties to even; NaN stays NaN (rounding could carry it into infinity or zero).
  static void store(Stored* to, Vector v) {
    const Bits32Vector bits = bitCast<Bits32Vector>(v);
    const Bits32Vector rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const Bits32Vector quiet = (bits >> 16) | 0x40u;
    const Bits16Vector narrow = __builtin_convertvector(v == v ? rounded : quiet, Bits16Vector);
    std::memcpy(to, &narrow, sizeof(narrow));
  }
};

template <typename T>
inline typename T::Vector absolute(typename T::Vector v) {
  using Int = typename T::Int;
  using One = std::remove_reference_t<decltype(Int{}[0])>;
  constexpr One mask = static_cast<One>(~(std::make_unsigned_t<One>(1) << (8 * sizeof(One) - 1)));
  return bitCast<typename T::Vector>(bitCast<Int>(v) & mask);
}

template <typename T>
inline typename T::Vector loadFirst(const typename T::Stored* from, int64_t count) {
  typename T::Stored filled[T::lanes] = {};
  std::memcpy(filled, from, count * sizeof(filled[0]));
  return T::load(filled);
}

template <typename T>
inline void storeFirst(typename T::Stored* to, typename T::Vector v, int64_t count) {
  typename T::Stored filled[T::lanes];
  T::store(filled, v);
  std::memcpy(to, filled, count * sizeof(filled[0]));
}

// The coefficients of one entry, in registers.
template <typename T>
struct Coefficients {
  typename T::Vector a[kNumeratorTerms], b[kDenominatorTerms];
  explicit Coefficients(const typename T::Compute* from) {
    using Source = Native<typename T::Compute, typename T::Vector, typename T::Int>;
    for (int i = 0; i < kNumeratorTerms; i++) a[i] = Source::load(from + i * T::lanes);
    for (int j = 0; j < kDenominatorTerms; j++) b[j] = Source::load(from + (kNumeratorTerms + j) * T::lanes);
  }
};

template <typename T>
inline typename T::Vector value(typename T::Vector x, const Coefficients<T>& c) {
  const auto size = absolute<T>(x);
  const auto p = ((((c.a[5] * x + c.a[4]) * x + c.a[3]) * x + c.a[2]) * x + c.a[1]) * x + c.a[0];
  const auto q = (((c.b[3] * size + c.b[2]) * size + c.b[1]) * size + c.b[0]) * size + 1;
  return p / q;
}

// Gradients at one vector: returns dx and adds to the sums of the coefficients, except in lanes that are not inside.
template <typename T, bool whole>
inline typename T::Vector gradient(
    typename T::Vector grad,
    typename T::Vector x,
    const Coefficients<T>& c,
    typename T::Vector (&sums)[kTerms],
    typename T::Int inside) {
  using Vector = typename T::Vector;
  const Vector size = absolute<T>(x);
  // Horner for the polynomials and, one step behind, for their derivatives.
  Vector p = c.a[5], dp = c.a[5];
  p = p * x + c.a[4];
  for (int i = 3; i >= 0; i--) {
    dp = dp * x + p;
    p = p * x + c.a[i];
  }
  Vector q = c.b[3], dq = c.b[3];
  for (int j = 2; j >= 0; j--) {
    q = q * size + c.b[j];
    dq = dq * size + q;
  }
  q = q * size + 1;

  const Vector perQ = 1 / q;
  const Vector f = p * perQ;
  const Vector u = grad * perQ;
  const Vector slope = x < 0 ? -dq : dq;
  const Vector dx = u * (dp - f * slope);
  const Vector v = -f * u;
  const Vector x2 = x * x, x3 = x2 * x, x4 = x2 * x2, x5 = x4 * x;
  const Vector terms[kTerms] = {
      u, u * x, u * x2, u * x3, u * x4, u * x5, v * size, v * x2, v * absolute<T>(x3), v * x4};
  for (int k = 0; k < kTerms; k++) sums[k] += whole ? terms[k] : (inside ? terms[k] : Vector{});
  return dx;
}

// A polynomial with its first two derivatives.
template <typename Vector>
struct Polynomial {
  Vector value, first, second;

  // The coefficient of degree 0 comes first.
  template <int kCount>
  Polynomial(const Vector (&coefficients)[kCount], Vector x) : value{}, first{}, second{} {
    Vector half{};
    for (int i = kCount - 1; i >= 0; i--) {
      half = half * x + first;
      first = first * x + value;
      value = value * x + coefficients[i];
    }
    second = 2 * half;
  }

  // The same times x.
  Polynomial timesX(Vector x) const {
    Polynomial product = *this;
    product.second = second * x + 2 * first;
    product.first = first * x + value;
    product.value = value * x;
    return product;
  }
};

// Derivatives of Σ grad·(byX·F′ + A/Q − F·B/Q) at one vector, where A and B are P and Q − 1 with the coefficients of
// `weights`: returns that by grad, sets that by x, and adds those by coefficients to the sums.
template <typename T, bool whole>
inline typename T::Vector secondGradient(
    typename T::Vector grad,
    typename T::Vector x,
    typename T::Vector byX,
    const Coefficients<T>& c,
    const Coefficients<T>& weights,
    typename T::Vector& second,
    typename T::Vector (&sums)[kTerms],
    typename T::Int inside) {
  using Vector = typename T::Vector;
  const Vector size = absolute<T>(x);
  const Vector one = Vector{} + 1, side = x < 0 ? -one : one;
  const Polynomial<Vector> P(c.a, x), A(weights.a, x);
  const auto Q = Polynomial<Vector>(c.b, size).timesX(size), B = Polynomial<Vector>(weights.b, size).timesX(size);
  const Vector r = 1 / (Q.value + 1), dQ = side * Q.first, dB = side * B.first;
  const Vector f = P.value * r;
  const Vector df = (P.first - f * dQ) * r;
  const Vector ddf = (P.second - 2 * df * dQ - f * Q.second) * r;
  const Vector n = A.value - f * B.value;
  second = grad * (byX * ddf + (A.first - df * B.value - f * dB - n * dQ * r) * r);

  // By a_i: c0·xⁱ + i·c1·xⁱ⁻¹; by |b_j|: d0·|x|ʲ + j·d1·|x|ʲ⁻¹.
  const Vector perQ = grad * r, c0 = -perQ * r * (byX * dQ + B.value), c1 = perQ * byX;
  const Vector d0 = perQ * (byX * (f * dQ * r - df) + (f * B.value - n) * r), d1 = -c1 * f * side;
  const auto add = [&](int term, Vector value) {
    sums[term] += whole ? value : (inside ? value : Vector{});
  };
  Vector power = one;
  add(0, c0);
  for (int i = 1; i < kNumeratorTerms; i++) {
    const Vector next = power * x;
    add(i, c0 * next + static_cast<typename T::Compute>(i) * c1 * power);
    power = next;
  }
  power = one;
  for (int j = 1; j <= kDenominatorTerms; j++) {
    const Vector next = power * size;
    add(kNumeratorTerms + j - 1, d0 * next + static_cast<typename T::Compute>(j) * d1 * power);
    power = next;
  }
  return byX * df + n * r;
}

template <typename T>
void forward(const RationalTile& tile) {
  constexpr int lanes = T::lanes;
  const auto* coefficients = static_cast<const typename T::Compute*>(tile.coefficients);
  for (int64_t column = 0; column < tile.columns; column += lanes) {
    const int64_t entry = tile.entries[column / lanes];
    const Coefficients<T> c(coefficients + entry * kTerms * lanes);
    const auto* x = static_cast<const typename T::Stored*>(tile.x) + column;
    auto* y = static_cast<typename T::Stored*>(tile.out) + column;
    const int64_t left = tile.columns - column;
    if (left >= lanes) {
      for (int64_t row = 0; row < tile.rows; row++, x += tile.stride, y += tile.stride) {
        __builtin_prefetch(x + lanes);
        T::store(y, value<T>(T::load(x), c));
      }
    } else {
      for (int64_t row = 0; row < tile.rows; row++, x += tile.stride, y += tile.stride)
        storeFirst<T>(y, value<T>(loadFirst<T>(x, left), c), left);
    }
  }
}

template <typename T>
void backward(const RationalTile& tile) {
  using Vector = typename T::Vector;
  constexpr int lanes = T::lanes;
  const auto* coefficients = static_cast<const typename T::Compute*>(tile.coefficients);
  for (int64_t column = 0; column < tile.columns; column += lanes) {
    const int64_t entry = tile.entries[column / lanes];
    const Coefficients<T> c(coefficients + entry * kTerms * lanes);
    const auto* x = static_cast<const typename T::Stored*>(tile.x) + column;
    const auto* grad = static_cast<const typename T::Stored*>(tile.grad) + column;
    auto* dx = static_cast<typename T::Stored*>(tile.out) + column;
    const int64_t left = tile.columns - column;
    Vector sums[kTerms] = {};
    if (left >= lanes) {
      for (int64_t row = 0; row < tile.rows;
           row++, x += tile.stride, grad += tile.stride, dx += tile.stride) {
        __builtin_prefetch(x + lanes);
        __builtin_prefetch(grad + lanes);
        T::store(dx, gradient<T, true>(T::load(grad), T::load(x), c, sums, typename T::Int{}));
      }
    } else {
      typename T::Int inside{};
      for (int64_t lane = 0; lane < left; lane++) inside[lane] = -1;
      for (int64_t row = 0; row < tile.rows;
           row++, x += tile.stride, grad += tile.stride, dx += tile.stride) {
        const Vector result =
            gradient<T, false>(loadFirst<T>(grad, left), loadFirst<T>(x, left), c, sums, inside);
        storeFirst<T>(dx, result, left);
      }
    }
    double* total = tile.sums + entry * kTerms * lanes;
    for (int k = 0; k < kTerms; k++)
      for (int lane = 0; lane < lanes; lane++) total[k * lanes + lane] += sums[k][lane];
  }
}

template <typename T>
void doubleBackward(const RationalTile& tile) {
  using Vector = typename T::Vector;
  using Stored = typename T::Stored;
  constexpr int lanes = T::lanes;
  const auto* coefficients = static_cast<const typename T::Compute*>(tile.coefficients);
  const auto* byCoefficients = static_cast<const typename T::Compute*>(tile.byCoefficients);
  for (int64_t column = 0; column < tile.columns; column += lanes) {
    const int64_t entry = tile.entries[column / lanes];
    const Coefficients<T> c(coefficients + entry * kTerms * lanes), w(byCoefficients + entry * kTerms * lanes);
    const int64_t left = tile.columns - column;
    typename T::Int inside{};
    for (int64_t lane = 0; lane < lanes; lane++) inside[lane] = lane < left ? -1 : 0;
    Vector sums[kTerms] = {};
    for (int64_t row = 0; row < tile.rows; row++) {
      const int64_t at = row * tile.stride + column;
      const auto* x = static_cast<const Stored*>(tile.x) + at;
      const auto* grad = static_cast<const Stored*>(tile.grad) + at;
      const auto* byX = static_cast<const Stored*>(tile.byX) + at;
      auto* ofGrad = static_cast<Stored*>(tile.out) + at;
      auto* ofX = static_cast<Stored*>(tile.second) + at;
      Vector second;
      if (left >= lanes) {
        T::store(
            ofGrad,
            secondGradient<T, true>(T::load(grad), T::load(x), T::load(byX), c, w, second, sums, inside));
        T::store(ofX, second);
      } else {
        const Vector first = secondGradient<T, false>(
            loadFirst<T>(grad, left), loadFirst<T>(x, left), loadFirst<T>(byX, left), c, w, second, sums, inside);
        storeFirst<T>(ofGrad, first, left);
        storeFirst<T>(ofX, second, left);
      }
    }
    double* total = tile.sums + entry * kTerms * lanes;
    for (int k = 0; k < kTerms; k++)
      for (int lane = 0; lane < lanes; lane++) total[k * lanes + lane] += sums[k][lane];
  }
}

template <typename T>
constexpr RationalLoops loops() {
  return {T::lanes, forward<T>, backward<T>, doubleBackward<T>};
}

}  // namespace

#define KATLAB_JOIN_(a, b) a##b
#define KATLAB_JOIN(a, b) KATLAB_JOIN_(a, b)

RationalLoops KATLAB_JOIN(rationalLoops, KATLAB_SIMD)(Element element) {
  switch (element) {
    case Element::Float32:
      return loops<Float32>();
    case Element::BFloat16:
      return loops<BFloat16>();
    case Element::Float64:
      return loops<Float64>();
  }
  __builtin_unreachable();
}

}  // namespace katlab
