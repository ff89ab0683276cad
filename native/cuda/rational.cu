// katlab::rational on NVIDIA GPUs: y = P(x) / Q(x), its gradients, and their sums over groups. Formulas are in
// ../ops/rational.cc.
//
// Compiled by NVRTC with -DELEMENT_FLOAT32, -DELEMENT_BFLOAT16 or -DELEMENT_FLOAT64; -DFORM_A, _B, _C or _N;
// -DNUMERATOR and -DDENOMINATOR, the numbers of coefficients; and -DVECTOR, the elements of one memory access (up to 16
// bytes; it divides the width of a group). Shapes are arguments, so that one binary serves every layer and batch.
//
// Owner     A thread owns VECTOR neighbouring columns and walks down the rows; coefficients and sums stay in
//           registers (form A 5/4: 64 a thread in float32, 80 in bfloat16 with VECTOR 8; three or four blocks of 256
//           threads on a multiprocessor). As many blocks are launched as the device holds at a time.
// Traffic   Forward reads x and writes y once; backward reads x and grad and writes dx once. Neighbouring threads
//           read neighbouring vectors. The next row is requested before the present one is computed.
// Sums      No atomics. float32 (float64 for float64) over kRun rows, then over the thread's runs; float64 over the
//           block, in fixed order; rationalReduce adds up the blocks in float64, in fixed order. The order depends on
//           the shape and the device alone, so results have the same bits in every run.
// Division  rcp.approx (1 ulp) where Q has a least value, 1 or 0.1; as IEEE 754 has it in form N, whose Q may be small.
#include "rationalTiling.h"

using katlab::RationalTiling;

enum { kNumerator = NUMERATOR, kDenominator = DENOMINATOR, kSums = kNumerator + kDenominator };

// Bars around each term, around the sum or nowhere; the first power of the denominator.
#if defined(FORM_A)
constexpr bool kEachTerm = true, kWholeSum = false;
constexpr int kFirst = 1;
#elif defined(FORM_B)
constexpr bool kEachTerm = false, kWholeSum = true;
constexpr int kFirst = 1;
#elif defined(FORM_C)
constexpr bool kEachTerm = false, kWholeSum = true;
constexpr int kFirst = 0;
#elif defined(FORM_N)
constexpr bool kEachTerm = false, kWholeSum = false;
constexpr int kFirst = 1;
#endif

#if defined(ELEMENT_FLOAT32)
typedef float Stored;
typedef float Compute;
#elif defined(ELEMENT_BFLOAT16)
typedef unsigned short Stored;
typedef float Compute;
#elif defined(ELEMENT_FLOAT64)
typedef double Stored;
typedef double Compute;
#endif

constexpr int kRun = 8;
constexpr Compute kFloor = kFirst == 0 ? static_cast<Compute>(0.1) : static_cast<Compute>(1);

struct alignas(sizeof(Stored) * VECTOR) Packed {
  Stored element[VECTOR];
};

#if defined(ELEMENT_BFLOAT16)
__device__ __forceinline__ float widen(Stored bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

// To the nearest, ties to even; NaN stays NaN.
__device__ __forceinline__ Stored narrow(float value) {
#if __CUDA_ARCH__ >= 800
  Stored bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
#else
  const unsigned bits = __float_as_uint(value);
  if (value != value) return static_cast<Stored>(bits >> 16 | 0x40u);
  return static_cast<Stored>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
#endif
}
#else
__device__ __forceinline__ Compute widen(Stored value) { return value; }
__device__ __forceinline__ Stored narrow(Compute value) { return value; }
#endif

__device__ __forceinline__ float reciprocal(float q) {
  if constexpr (!kEachTerm && !kWholeSum) return 1.0f / q;
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(q));
  return r;
}
__device__ __forceinline__ double reciprocal(double q) { return 1.0 / q; }
__device__ __forceinline__ float absolute(float x) { return fabsf(x); }
__device__ __forceinline__ double absolute(double x) { return fabs(x); }
// The sign in the derivative of |t|: +1 at zero.
__device__ __forceinline__ Compute signFromRight(Compute t) {
  return t < 0 ? static_cast<Compute>(-1) : static_cast<Compute>(1);
}

struct Coefficients {
  Compute a[kNumerator], b[kDenominator];
};

// The columns of this thread, and the rows it walks: first, first + step, ...
struct Share {
  bool any;
  int column;
  long long first, step;
};

__device__ Share shareOf(const RationalTiling& tiling) {
  const int thread = threadIdx.x;
  const int column = thread % tiling.tileVectors, row = thread / tiling.tileVectors;
  const int tile = blockIdx.x;
  const int piece =
      tiling.parts > 1 ? tile / tiling.parts : tile * tiling.piecesPerTile + column / tiling.partVectors;
  const int vector = tile % tiling.parts * tiling.partVectors + column % tiling.partVectors;
  Share share;
  share.any = row < tiling.rowsPerBlock && piece < tiling.pieces && vector < tiling.pieceVectors;
  share.column = (piece * tiling.pieceVectors + vector) * VECTOR;
  share.first = static_cast<long long>(blockIdx.y) * tiling.rowsPerBlock + row;
  share.step = static_cast<long long>(gridDim.y) * tiling.rowsPerBlock;
  return share;
}

__device__ Coefficients coefficientsOf(
    const Compute* numerator, const Compute* denominator, const RationalTiling& tiling, int column) {
  Coefficients c;
  numerator += column / tiling.numeratorWidth * kNumerator;
  denominator += column / tiling.denominatorWidth * kDenominator;
  for (int i = 0; i < kNumerator; i++) c.a[i] = numerator[i];
  for (int j = 0; j < kDenominator; j++) c.b[j] = kEachTerm ? absolute(denominator[j]) : denominator[j];
  return c;
}

__device__ __forceinline__ Packed load(const Stored* from) { return *reinterpret_cast<const Packed*>(from); }
__device__ __forceinline__ void store(Stored* to, const Packed& values) {
  *reinterpret_cast<Packed*>(to) = values;
}

__device__ __forceinline__ Compute value(Compute x, const Coefficients& c) {
  const Compute t = kEachTerm ? absolute(x) : x;
  Compute p = c.a[kNumerator - 1];
#pragma unroll
  for (int i = kNumerator - 2; i >= 0; i--) p = p * x + c.a[i];
  Compute sum = c.b[kDenominator - 1];
#pragma unroll
  for (int j = kDenominator - 2; j >= 0; j--) sum = sum * t + c.b[j];
  if constexpr (kWholeSum) {
    if constexpr (kFirst == 1) sum = sum * t;
    return p * reciprocal(absolute(sum) + kFloor);
  } else {
    return p * reciprocal(sum * t + kFloor);
  }
}

// dx at one value; adds to the sums of the coefficients, in form A those of b without its sign.
__device__ __forceinline__ Compute
gradient(Compute grad, Compute x, const Coefficients& c, Compute (&sums)[kSums]) {
  constexpr int m = kNumerator - 1, n = kDenominator - 1, last = n + kFirst;
  const Compute t = kEachTerm ? absolute(x) : x;
  // Horner for the polynomials and, one step behind, for their derivatives.
  Compute p = c.a[m], dp = 0;
#pragma unroll
  for (int i = m - 1; i >= 0; i--) {
    dp = i == m - 1 ? p : dp * x + p;
    p = p * x + c.a[i];
  }
  Compute sum = c.b[n], slope = last > 0 ? sum : 0;
#pragma unroll
  for (int j = n - 1; j >= 0; j--) {
    sum = sum * t + c.b[j];
    if (j + kFirst > 0) slope = slope * t + sum;
  }
  Compute q, side = 1;  // side: the sign with which the sum in the bars counts
  if constexpr (kWholeSum) {
    if constexpr (kFirst == 1) sum = sum * t;
    side = signFromRight(sum);
    q = absolute(sum) + kFloor;
    slope = slope * side;
  } else {
    q = sum * t + kFloor;
  }

  const Compute perQ = reciprocal(q);
  const Compute f = p * perQ;
  const Compute u = grad * perQ;
  const Compute v = kWholeSum ? -f * u * side : -f * u;
  Compute powers[(m > last ? m : last) + 1];
  powers[0] = 1;
#pragma unroll
  for (int i = 1; i < static_cast<int>(sizeof(powers) / sizeof(Compute)); i++) {
    powers[i] = i == 1 ? x : i % 2 == 0 ? powers[i / 2] * powers[i / 2] : powers[i - 1] * x;
  }
#pragma unroll
  for (int i = 0; i <= m; i++) sums[i] += i == 0 ? u : u * powers[i];
#pragma unroll
  for (int j = 0; j <= n; j++) {
    const int i = j + kFirst;
    sums[kNumerator + j] += i == 0 ? v : v * (kEachTerm && i % 2 == 1 ? absolute(powers[i]) : powers[i]);
  }
  return u * (dp - f * (kEachTerm && x < 0 ? -slope : slope));
}

extern "C" __global__ void __launch_bounds__(katlab::kRationalThreads) rationalForward(
    const Stored* __restrict__ x,
    const Compute* __restrict__ numerator,
    const Compute* __restrict__ denominator,
    Stored* __restrict__ y,
    const RationalTiling tiling) {
  const Share share = shareOf(tiling);
  if (!share.any || share.first >= tiling.rows) return;
  const Coefficients c = coefficientsOf(numerator, denominator, tiling, share.column);
  const long long stride = share.step * tiling.columns;
  long long at = share.first * tiling.columns + share.column;
  Packed next = load(x + at);
  for (long long row = share.first; row < tiling.rows; row += share.step, at += stride) {
    Packed values = next;
    if (row + share.step < tiling.rows) next = load(x + at + stride);
#pragma unroll
    for (int k = 0; k < VECTOR; k++) values.element[k] = narrow(value(widen(values.element[k]), c));
    store(y + at, values);
  }
}

// partial [kSums][pieces][blocks down][parts]
extern "C" __global__ void __launch_bounds__(katlab::kRationalThreads) rationalBackward(
    const Stored* __restrict__ grad,
    const Stored* __restrict__ x,
    const Compute* __restrict__ numerator,
    const Compute* __restrict__ denominator,
    Stored* __restrict__ dx,
    double* __restrict__ partial,
    const RationalTiling tiling) {
  __shared__ Compute shared[kSums][katlab::kRationalThreads];
  const Share share = shareOf(tiling);
  Compute sums[kSums] = {};
  if (share.any && share.first < tiling.rows) {
    const Coefficients c = coefficientsOf(numerator, denominator, tiling, share.column);
    const long long stride = share.step * tiling.columns;
    long long at = share.first * tiling.columns + share.column;
    Packed nextX = load(x + at), nextGrad = load(grad + at);
    for (long long row = share.first; row < tiling.rows;) {
      Compute run[kSums] = {};
      for (int i = 0; i < kRun && row < tiling.rows; i++, row += share.step, at += stride) {
        const Packed values = nextX;
        Packed gradients = nextGrad;
        if (row + share.step < tiling.rows) {
          nextX = load(x + at + stride);
          nextGrad = load(grad + at + stride);
        }
#pragma unroll
        for (int k = 0; k < VECTOR; k++) {
          const Compute result = gradient(widen(gradients.element[k]), widen(values.element[k]), c, run);
          gradients.element[k] = narrow(result);
        }
        store(dx + at, gradients);
      }
#pragma unroll
      for (int k = 0; k < kSums; k++) sums[k] += run[k];
    }
  }
#pragma unroll
  for (int k = 0; k < kSums; k++) shared[k][threadIdx.x] = sums[k];
  __syncthreads();

  const int tile = blockIdx.x;
  const int firstPiece = tiling.parts > 1 ? tile / tiling.parts : tile * tiling.piecesPerTile;
  for (int out = threadIdx.x; out < kSums * tiling.piecesPerTile; out += katlab::kRationalThreads) {
    const int k = out / tiling.piecesPerTile, within = out % tiling.piecesPerTile;
    const int piece = firstPiece + within;
    if (piece >= tiling.pieces) continue;
    double total = 0;
    for (int row = 0; row < tiling.rowsPerBlock; row++) {
      const Compute* from = shared[k] + row * tiling.tileVectors + within * tiling.partVectors;
      for (int column = 0; column < tiling.partVectors; column++) total += from[column];
    }
    const long long block = (static_cast<long long>(k) * tiling.pieces + piece) * gridDim.y + blockIdx.y;
    partial[block * tiling.parts + tile % tiling.parts] = total;
  }
}

// A polynomial with its first two derivatives; the coefficient of degree 0 comes first.
template <int kTerms>
__device__ __forceinline__ void taylor(const Compute* coefficients, Compute x, Compute (&out)[3]) {
  Compute value = 0, first = 0, half = 0;
#pragma unroll
  for (int i = kTerms - 1; i >= 0; i--) {
    half = half * x + first;
    first = first * x + value;
    value = value * x + coefficients[i];
  }
  out[0] = value;
  out[1] = first;
  out[2] = 2 * half;
}

// Derivatives of T = sum of grad * (by x * F' + A / Q - F * B / Q), where A is P, and B what varies in Q, with the
// coefficients `byNumerator` and `byDenominator` (in form A times sign(b)): what rational_backward's results become
// when weighted by `byX`, `byNumerator` and `byDenominator`. Those by coefficients are left as factors of powers of x
// (c) and of t, in form A |x|, else x (d), which the host has rationalBackward sum: by a_i c0 * x^i + c1 * i * x^(i-1),
// by b_j d0 * t^j + d1 * j * t^(j-1).
extern "C" __global__ void __launch_bounds__(katlab::kRationalThreads) rationalSecond(
    const Stored* __restrict__ grad,
    const Stored* __restrict__ x,
    const Compute* __restrict__ numerator,
    const Compute* __restrict__ denominator,
    const Stored* __restrict__ byX,
    const Compute* __restrict__ byNumerator,
    const Compute* __restrict__ byDenominator,
    Stored* __restrict__ ofGrad,
    Stored* __restrict__ ofX,
    Stored* __restrict__ factors,  // c0, c1, d0, d1, each like x
    const RationalTiling tiling) {
  const Share share = shareOf(tiling);
  if (!share.any || share.first >= tiling.rows) return;
  const Coefficients c = coefficientsOf(numerator, denominator, tiling, share.column);
  Compute q[kDenominator + kFirst] = {}, b[kDenominator + kFirst] = {}, a[kNumerator];
  if constexpr (!kWholeSum) q[0] = kFloor;
  const int numeratorRow = share.column / tiling.numeratorWidth * kNumerator;
  const int denominatorRow = share.column / tiling.denominatorWidth * kDenominator;
  for (int i = 0; i < kNumerator; i++) a[i] = byNumerator[numeratorRow + i];
  for (int j = 0; j < kDenominator; j++) {
    q[j + kFirst] = c.b[j];
    const Compute weight = byDenominator[denominatorRow + j];
    b[j + kFirst] = kEachTerm && denominator[denominatorRow + j] < 0 ? -weight : weight;
  }
  const long long stride = share.step * tiling.columns, size = tiling.rows * tiling.columns;
  long long at = share.first * tiling.columns + share.column;
  for (long long row = share.first; row < tiling.rows; row += share.step, at += stride) {
    const Packed grads = load(grad + at), values = load(x + at), weights = load(byX + at);
    Packed first, second, c0, c1, d0, d1;
#pragma unroll
    for (int k = 0; k < VECTOR; k++) {
      const Compute g = widen(grads.element[k]), v = widen(values.element[k]), u = widen(weights.element[k]);
      const Compute t = kEachTerm ? absolute(v) : v;
      const Compute side = kEachTerm ? signFromRight(v) : 1;  // dt/dx
      Compute P[3], Q[3], A[3], B[3];
      taylor<kNumerator>(c.a, v, P);
      taylor<kDenominator + kFirst>(q, t, Q);
      taylor<kNumerator>(a, v, A);
      taylor<kDenominator + kFirst>(b, t, B);
      const Compute bars = kWholeSum ? signFromRight(Q[0]) : 1;
      const Compute r = reciprocal(kWholeSum ? bars * Q[0] + kFloor : Q[0]);
      const Compute dQ = bars * side * Q[1], ddQ = bars * Q[2], b0 = bars * B[0], dB = bars * side * B[1];
      const Compute f = P[0] * r;
      const Compute df = (P[1] - f * dQ) * r;
      const Compute ddf = (P[2] - 2 * df * dQ - f * ddQ) * r;
      const Compute n = A[0] - f * b0;
      first.element[k] = narrow(u * df + n * r);
      second.element[k] = narrow(g * (u * ddf + (A[1] - df * b0 - f * dB - n * dQ * r) * r));
      c0.element[k] = narrow(-g * r * r * (u * dQ + b0));
      c1.element[k] = narrow(g * u * r);
      d0.element[k] = narrow(bars * g * r * (u * (f * dQ * r - df) + (f * b0 - n) * r));
      d1.element[k] = narrow(-bars * g * u * f * r * side);
    }
    store(ofGrad + at, first);
    store(ofX + at, second);
    store(factors + at, c0);
    store(factors + size + at, c1);
    store(factors + 2 * size + at, d0);
    store(factors + 3 * size + at, d1);
  }
}

// One block for each coefficient. The partial sums of a group lie next to each other: `perPiece` for each piece of it.
extern "C" __global__ void __launch_bounds__(katlab::kRationalThreads) rationalReduce(
    const double* __restrict__ partial,
    const Compute* __restrict__ denominator,
    Compute* __restrict__ dNumerator,
    Compute* __restrict__ dDenominator,
    const int pieces,
    const int numeratorGroups,
    const int denominatorGroups,
    const long long perPiece) {
  __shared__ double shared[katlab::kRationalThreads];
  const int ofNumerator = numeratorGroups * kNumerator;
  const bool upper = blockIdx.x < ofNumerator;
  const int out = upper ? blockIdx.x : blockIdx.x - ofNumerator;
  const int terms = upper ? kNumerator : kDenominator;
  const int groups = upper ? numeratorGroups : denominatorGroups;
  const int k = out % terms + (upper ? 0 : kNumerator);
  const long long count = perPiece * (pieces / groups);
  const double* from = partial + k * (perPiece * pieces) + out / terms * count;
  double total = 0;
  for (long long i = threadIdx.x; i < count; i += katlab::kRationalThreads) total += from[i];
  shared[threadIdx.x] = total;
  for (int half = katlab::kRationalThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
  }
  if (threadIdx.x > 0) return;
  if (upper)
    dNumerator[out] = static_cast<Compute>(shared[0]);
  else
    dDenominator[out] = static_cast<Compute>(kEachTerm && denominator[out] < 0 ? -shared[0] : shared[0]);
}
