// Inner loops of katlab::rational. Compiled three times: KATLAB_SIMD is Default, Avx2 or Avx512.
//
// One call owns a block of rows × columns. It walks the columns vector by vector and, within a vector, down the
// rows, so that coefficients and sums stay in registers (form A of degrees 5/4, KAT's, compiled in) or in the first
// level of cache (the others); x and grad are read once, y or dx written once.
// Sums: float32 (float64 for float64) over the rows of the block, then added in float64.
// Operations a value of form A 5/4: forward 9 multiply-adds and a division; backward 26 multiply-adds, a division and
// 12 others; the second derivatives about 100.
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

constexpr int larger(int a, int b) { return a > b ? a : b; }

// A form, with its numbers of terms where they are compiled in; 0 stands for those that the tile brings. Compiled-in
// ones keep coefficients and sums in registers.
template <RationalForm kForm, int kNumerator = 0, int kDenominator = 0>
struct Shape {
  static constexpr RationalForm form = kForm;
  static constexpr int first = firstPower(kForm);
  // Where the bars are: around each term, around the sum or nowhere.
  static constexpr bool eachTerm = kForm == RationalForm::A;
  static constexpr bool wholeSum = kForm == RationalForm::B || kForm == RationalForm::C;
  static constexpr bool fixed = kNumerator > 0;
  static constexpr int mostNumerator = fixed ? kNumerator : kMostTerms;
  static constexpr int mostDenominator = fixed ? kDenominator : kMostTerms;
  static constexpr int mostTerms = mostNumerator + mostDenominator;
  static constexpr int mostPower = larger(mostNumerator - 1, mostDenominator - 1 + first);

  RationalTerms terms;
  constexpr int numerator() const { return fixed ? kNumerator : terms.numerator; }
  constexpr int denominator() const { return fixed ? kDenominator : terms.denominator; }
  constexpr int all() const { return numerator() + denominator(); }
};

// The coefficients of one entry.
template <typename T, typename S>
struct Coefficients {
  typename T::Vector a[S::mostNumerator], b[S::mostDenominator];
  Coefficients(const typename T::Compute* from, S shape) {
    using Source = Native<typename T::Compute, typename T::Vector, typename T::Int>;
    for (int i = 0; i < shape.numerator(); i++) a[i] = Source::load(from + i * T::lanes);
    from += shape.numerator() * T::lanes;
    for (int j = 0; j < shape.denominator(); j++) b[j] = Source::load(from + j * T::lanes);
  }
};

template <typename T, typename S>
constexpr typename T::Compute floorOf() {
  return static_cast<typename T::Compute>(S::form == RationalForm::C ? 0.1 : 1);
}

// The sign in the derivative of |t|: +1 at zero.
template <typename Vector>
inline Vector signFromRight(Vector t) {
  const Vector one = Vector{} + 1;
  return t < 0 ? -one : one;
}

template <typename T, typename S>
inline typename T::Vector value(typename T::Vector x, const Coefficients<T, S>& c, S shape) {
  auto p = c.a[shape.numerator() - 1];
  for (int i = shape.numerator() - 2; i >= 0; i--) p = p * x + c.a[i];
  const auto t = S::eachTerm ? absolute<T>(x) : x;
  auto sum = c.b[shape.denominator() - 1];
  for (int j = shape.denominator() - 2; j >= 0; j--) sum = sum * t + c.b[j];
  constexpr auto floor = floorOf<T, S>();
  if constexpr (!S::wholeSum) return p / (sum * t + floor);
  if constexpr (S::first == 1) sum = sum * t;
  return p / (absolute<T>(sum) + floor);
}

// Gradients at one vector: returns dx and adds to the sums of the coefficients, except in lanes that are not inside.
template <typename T, typename S, bool whole>
inline typename T::Vector gradient(
    typename T::Vector grad,
    typename T::Vector x,
    const Coefficients<T, S>& c,
    S shape,
    typename T::Vector (&sums)[S::mostTerms],
    typename T::Int inside) {
  using Vector = typename T::Vector;
  const int m = shape.numerator() - 1, n = shape.denominator() - 1;
  const Vector t = S::eachTerm ? absolute<T>(x) : x;
  // Horner for the polynomials and, one step behind, for their derivatives.
  Vector p = c.a[m], dp{};
  if (m > 0) {
    dp = p;
    p = p * x + c.a[m - 1];
    for (int i = m - 2; i >= 0; i--) {
      dp = dp * x + p;
      p = p * x + c.a[i];
    }
  }
  Vector sum = c.b[n], slope{};
  if (S::first == 1 || n > 0) slope = sum;
  for (int j = n - 1; j >= 0; j--) {
    sum = sum * t + c.b[j];
    if (S::first == 1 || j > 0) slope = slope * t + sum;
  }
  constexpr auto floor = floorOf<T, S>();
  Vector q, side{};  // side: the sign with which the sum in the bars counts
  if constexpr (S::wholeSum) {
    if constexpr (S::first == 1) sum = sum * t;
    side = signFromRight(sum);
    q = absolute<T>(sum) + floor;
    slope = slope * side;
  } else {
    q = sum * t + floor;
    if constexpr (S::eachTerm) slope = x < 0 ? -slope : slope;
  }

  const Vector perQ = 1 / q;
  const Vector f = p * perQ;
  const Vector u = grad * perQ;
  const Vector dx = u * (dp - f * slope);
  const Vector v = S::wholeSum ? -f * u * side : -f * u;
  const auto add = [&](int k, Vector term) { sums[k] += whole ? term : (inside ? term : Vector{}); };
  Vector powers[S::mostPower + 1];
  const int highest = larger(m, n + S::first);
  powers[0] = Vector{} + 1;
  powers[1] = x;
  for (int i = 2; i <= highest; i++) powers[i] = i % 2 == 0 ? powers[i / 2] * powers[i / 2] : powers[i - 1] * x;
  add(0, u);
  for (int i = 1; i <= m; i++) add(i, u * powers[i]);
  for (int j = 0; j <= n; j++) {
    const int power = j + S::first;
    if (power == 0)
      add(m + 1, v);
    else
      add(m + 1 + j, v * (S::eachTerm && power % 2 == 1 ? absolute<T>(powers[power]) : powers[power]));
  }
  return dx;
}

// A polynomial with its first two derivatives.
template <typename Vector>
struct Polynomial {
  Vector value, first, second;

  // The coefficient of degree 0 comes first.
  Polynomial(const Vector* coefficients, int count, Vector x) : value{}, first{}, second{} {
    Vector half{};
    for (int i = count - 1; i >= 0; i--) {
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

// Derivatives of Σ grad·(byX·F′ + A/Q − F·B/Q) at one vector, where A is P, and B what varies in Q, with the
// coefficients of `weights`: returns that by grad, sets that by x, and adds those by coefficients to the sums.
template <typename T, typename S, bool whole>
inline typename T::Vector secondGradient(
    typename T::Vector grad,
    typename T::Vector x,
    typename T::Vector byX,
    const Coefficients<T, S>& c,
    const Coefficients<T, S>& weights,
    S shape,
    typename T::Vector& second,
    typename T::Vector (&sums)[S::mostTerms],
    typename T::Int inside) {
  using Vector = typename T::Vector;
  const Vector one = Vector{} + 1;
  const Vector t = S::eachTerm ? absolute<T>(x) : x;
  const Vector side = S::eachTerm ? signFromRight(x) : one;  // dt/dx
  const int numerator = shape.numerator(), denominator = shape.denominator();
  const Polynomial<Vector> P(c.a, numerator, x), A(weights.a, numerator, x);
  Polynomial<Vector> Q(c.b, denominator, t), B(weights.b, denominator, t);
  if constexpr (S::first == 1) {
    Q = Q.timesX(t);
    B = B.timesX(t);
  }
  const Vector bars = S::wholeSum ? signFromRight(Q.value) : one;
  const Vector r = 1 / (bars * Q.value + floorOf<T, S>());
  const Vector dQ = bars * side * Q.first, ddQ = bars * Q.second, b = bars * B.value, dB = bars * side * B.first;
  const Vector f = P.value * r;
  const Vector df = (P.first - f * dQ) * r;
  const Vector ddf = (P.second - 2 * df * dQ - f * ddQ) * r;
  const Vector n = A.value - f * b;
  second = grad * (byX * ddf + (A.first - df * b - f * dB - n * dQ * r) * r);

  // By a_i: c0·xⁱ + i·c1·xⁱ⁻¹; by b_j: d0·tʲ + j·d1·tʲ⁻¹.
  const Vector perQ = grad * r, c0 = -perQ * r * (byX * dQ + b), c1 = perQ * byX;
  const Vector d0 = bars * perQ * (byX * (f * dQ * r - df) + (f * b - n) * r), d1 = -bars * c1 * f * side;
  const auto add = [&](int term, Vector value) { sums[term] += whole ? value : (inside ? value : Vector{}); };
  Vector power = one;
  add(0, c0);
  for (int i = 1; i < numerator; i++) {
    const Vector next = power * x;
    add(i, c0 * next + static_cast<typename T::Compute>(i) * c1 * power);
    power = next;
  }
  power = one;
  if constexpr (S::first == 0) add(numerator, d0);
  for (int j = 1; j < denominator + S::first; j++) {
    const Vector next = power * t;
    add(numerator + j - S::first, d0 * next + static_cast<typename T::Compute>(j) * d1 * power);
    power = next;
  }
  return byX * df + n * r;
}

template <typename T, typename S>
void forward(const RationalTile& tile) {
  constexpr int lanes = T::lanes;
  const S shape{tile.terms};
  const int terms = shape.all();
  const auto* coefficients = static_cast<const typename T::Compute*>(tile.coefficients);
  for (int64_t column = 0; column < tile.columns; column += lanes) {
    const int64_t entry = tile.entries[column / lanes];
    const Coefficients<T, S> c(coefficients + entry * terms * lanes, shape);
    const auto* x = static_cast<const typename T::Stored*>(tile.x) + column;
    auto* y = static_cast<typename T::Stored*>(tile.out) + column;
    const int64_t left = tile.columns - column;
    if (left >= lanes) {
      for (int64_t row = 0; row < tile.rows; row++, x += tile.stride, y += tile.stride) {
        __builtin_prefetch(x + lanes);
        T::store(y, value<T, S>(T::load(x), c, shape));
      }
    } else {
      for (int64_t row = 0; row < tile.rows; row++, x += tile.stride, y += tile.stride)
        storeFirst<T>(y, value<T, S>(loadFirst<T>(x, left), c, shape), left);
    }
  }
}

template <typename T, typename S>
void backward(const RationalTile& tile) {
  using Vector = typename T::Vector;
  constexpr int lanes = T::lanes;
  const S shape{tile.terms};
  const int terms = shape.all();
  const auto* coefficients = static_cast<const typename T::Compute*>(tile.coefficients);
  for (int64_t column = 0; column < tile.columns; column += lanes) {
    const int64_t entry = tile.entries[column / lanes];
    const Coefficients<T, S> c(coefficients + entry * terms * lanes, shape);
    const auto* x = static_cast<const typename T::Stored*>(tile.x) + column;
    const auto* grad = static_cast<const typename T::Stored*>(tile.grad) + column;
    auto* dx = static_cast<typename T::Stored*>(tile.out) + column;
    const int64_t left = tile.columns - column;
    Vector sums[S::mostTerms] = {};
    if (left >= lanes) {
      for (int64_t row = 0; row < tile.rows;
           row++, x += tile.stride, grad += tile.stride, dx += tile.stride) {
        __builtin_prefetch(x + lanes);
        __builtin_prefetch(grad + lanes);
        T::store(dx, gradient<T, S, true>(T::load(grad), T::load(x), c, shape, sums, typename T::Int{}));
      }
    } else {
      typename T::Int inside{};
      for (int64_t lane = 0; lane < left; lane++) inside[lane] = -1;
      for (int64_t row = 0; row < tile.rows;
           row++, x += tile.stride, grad += tile.stride, dx += tile.stride) {
        const Vector result =
            gradient<T, S, false>(loadFirst<T>(grad, left), loadFirst<T>(x, left), c, shape, sums, inside);
        storeFirst<T>(dx, result, left);
      }
    }
    double* total = tile.sums + entry * terms * lanes;
    for (int k = 0; k < terms; k++)
      for (int lane = 0; lane < lanes; lane++) total[k * lanes + lane] += sums[k][lane];
  }
}

template <typename T, typename S>
void doubleBackward(const RationalTile& tile) {
  using Vector = typename T::Vector;
  using Stored = typename T::Stored;
  constexpr int lanes = T::lanes;
  const S shape{tile.terms};
  const int terms = shape.all();
  const auto* coefficients = static_cast<const typename T::Compute*>(tile.coefficients);
  const auto* byCoefficients = static_cast<const typename T::Compute*>(tile.byCoefficients);
  for (int64_t column = 0; column < tile.columns; column += lanes) {
    const int64_t entry = tile.entries[column / lanes];
    const Coefficients<T, S> c(coefficients + entry * terms * lanes, shape);
    const Coefficients<T, S> w(byCoefficients + entry * terms * lanes, shape);
    const int64_t left = tile.columns - column;
    typename T::Int inside{};
    for (int64_t lane = 0; lane < lanes; lane++) inside[lane] = lane < left ? -1 : 0;
    Vector sums[S::mostTerms] = {};
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
            secondGradient<T, S, true>(T::load(grad), T::load(x), T::load(byX), c, w, shape, second, sums, inside));
        T::store(ofX, second);
      } else {
        const Vector first = secondGradient<T, S, false>(
            loadFirst<T>(grad, left), loadFirst<T>(x, left), loadFirst<T>(byX, left), c, w, shape, second, sums,
            inside);
        storeFirst<T>(ofGrad, first, left);
        storeFirst<T>(ofX, second, left);
      }
    }
    double* total = tile.sums + entry * terms * lanes;
    for (int k = 0; k < terms; k++)
      for (int lane = 0; lane < lanes; lane++) total[k * lanes + lane] += sums[k][lane];
  }
}

template <typename T, typename S>
constexpr RationalLoops loops() {
  return {T::lanes, forward<T, S>, backward<T, S>, doubleBackward<T, S>};
}

template <typename T>
RationalLoops loopsOf(RationalForm form, RationalTerms terms) {
  const bool likeKat = terms.numerator == 6 && terms.denominator == 4;
  switch (form) {
    case RationalForm::A:
      return likeKat ? loops<T, Shape<RationalForm::A, 6, 4>>() : loops<T, Shape<RationalForm::A>>();
    case RationalForm::B:
      return loops<T, Shape<RationalForm::B>>();
    case RationalForm::C:
      return loops<T, Shape<RationalForm::C>>();
    case RationalForm::N:
      return loops<T, Shape<RationalForm::N>>();
  }
  __builtin_unreachable();
}

}  // namespace

#define KATLAB_JOIN_(a, b) a##b
#define KATLAB_JOIN(a, b) KATLAB_JOIN_(a, b)

RationalLoops KATLAB_JOIN(rationalLoops, KATLAB_SIMD)(
    Element element, RationalForm form, RationalTerms terms) {
  switch (element) {
    case Element::Float32:
      return loopsOf<Float32>(form, terms);
    case Element::BFloat16:
      return loopsOf<BFloat16>(form, terms);
    case Element::Float64:
      return loopsOf<Float64>(form, terms);
  }
  __builtin_unreachable();
}

}  // namespace katlab
