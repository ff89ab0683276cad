// katlab::rational on NVIDIA GPUs: y = P(x) / Q(x), its gradients, and their sums over groups. Formulas are in
// ../ops/rational.cc.
//
// Compiled by NVRTC with -DELEMENT_FLOAT32, -DELEMENT_BFLOAT16 or -DELEMENT_FLOAT64, and -DVECTOR, the elements of
// one memory access (up to 16 bytes; it divides the width of a group). Shapes are arguments, so that one binary serves
// every layer and batch.
//
// Owner     A thread owns VECTOR neighbouring channels and walks down the rows; coefficients and sums stay in
//           registers (64 a thread in float32, 80 in bfloat16 with VECTOR 8; three or four blocks of 256 threads on a
//           multiprocessor). As many blocks are launched as the device holds at a time.
// Traffic   Forward reads x and writes y once; backward reads x and grad and writes dx once. Neighbouring threads
//           read neighbouring vectors. The next row is requested before the present one is computed.
// Sums      No atomics. float32 (float64 for float64) over kRun rows, then over the thread's runs; float64 over the
//           block, in fixed order; rationalReduce adds up the blocks in float64, in fixed order. The order depends on
//           the shape and the device alone, so results have the same bits in every run.
// Division  rcp.approx (1 ulp); Q is at least 1, so its argument is never small.
#include "rationalTiling.h"

using katlab::kDenominator;
using katlab::kNumerator;
using katlab::kSums;
using katlab::RationalTiling;

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
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(q));
  return r;
}
__device__ __forceinline__ double reciprocal(double q) { return 1.0 / q; }
__device__ __forceinline__ float absolute(float x) { return fabsf(x); }
__device__ __forceinline__ double absolute(double x) { return fabs(x); }

struct Coefficients {
  Compute a[kNumerator], b[kDenominator];
};

// The channels of this thread, and the rows it walks: first, first + step, ...
struct Share {
  bool any;
  int channel;
  long long first, step;
};

__device__ Share shareOf(const RationalTiling& tiling) {
  const int thread = threadIdx.x;
  const int column = thread % tiling.columns, row = thread / tiling.columns;
  const int tile = blockIdx.x;
  const int piece =
      tiling.parts > 1 ? tile / tiling.parts : tile * tiling.piecesPerTile + column / tiling.partVectors;
  const int vector = tile % tiling.parts * tiling.partVectors + column % tiling.partVectors;
  Share share;
  share.any = row < tiling.rowsPerBlock && piece < tiling.pieces && vector < tiling.pieceVectors;
  share.channel = (piece * tiling.pieceVectors + vector) * VECTOR;
  share.first = static_cast<long long>(blockIdx.y) * tiling.rowsPerBlock + row;
  share.step = static_cast<long long>(gridDim.y) * tiling.rowsPerBlock;
  return share;
}

__device__ Coefficients coefficientsOf(
    const Compute* numerator, const Compute* denominator, const RationalTiling& tiling, int channel) {
  Coefficients c;
  numerator += channel / tiling.numeratorWidth * kNumerator;
  denominator += channel / tiling.denominatorWidth * kDenominator;
  for (int i = 0; i < kNumerator; i++) c.a[i] = numerator[i];
  for (int j = 0; j < kDenominator; j++) c.b[j] = absolute(denominator[j]);
  return c;
}

__device__ __forceinline__ Packed load(const Stored* from) { return *reinterpret_cast<const Packed*>(from); }
__device__ __forceinline__ void store(Stored* to, const Packed& values) {
  *reinterpret_cast<Packed*>(to) = values;
}

__device__ __forceinline__ Compute value(Compute x, const Coefficients& c) {
  const Compute size = absolute(x);
  const Compute p = ((((c.a[5] * x + c.a[4]) * x + c.a[3]) * x + c.a[2]) * x + c.a[1]) * x + c.a[0];
  const Compute q = (((c.b[3] * size + c.b[2]) * size + c.b[1]) * size + c.b[0]) * size + 1;
  return p * reciprocal(q);
}

// dx at one value; adds to the sums of the coefficients, those of b without its sign.
__device__ __forceinline__ Compute
gradient(Compute grad, Compute x, const Coefficients& c, Compute (&sums)[kSums]) {
  const Compute size = absolute(x);
  Compute p = c.a[5], dp = c.a[5];
  p = p * x + c.a[4];
#pragma unroll
  for (int i = 3; i >= 0; i--) {
    dp = dp * x + p;
    p = p * x + c.a[i];
  }
  Compute q = c.b[3], dq = c.b[3];
#pragma unroll
  for (int j = 2; j >= 0; j--) {
    q = q * size + c.b[j];
    dq = dq * size + q;
  }
  q = q * size + 1;

  const Compute perQ = reciprocal(q);
  const Compute f = p * perQ;
  const Compute u = grad * perQ;
  const Compute v = -f * u;
  const Compute x2 = x * x, x3 = x2 * x, x4 = x2 * x2;
  sums[0] += u;
  sums[1] += u * x;
  sums[2] += u * x2;
  sums[3] += u * x3;
  sums[4] += u * x4;
  sums[5] += u * (x4 * x);
  sums[6] += v * size;
  sums[7] += v * x2;
  sums[8] += v * absolute(x3);
  sums[9] += v * x4;
  return u * (dp - f * (x < 0 ? -dq : dq));
}

extern "C" __global__ void __launch_bounds__(katlab::kRationalThreads) rationalForward(
    const Stored* __restrict__ x,
    const Compute* __restrict__ numerator,
    const Compute* __restrict__ denominator,
    Stored* __restrict__ y,
    const RationalTiling tiling) {
  const Share share = shareOf(tiling);
  if (!share.any || share.first >= tiling.rows) return;
  const Coefficients c = coefficientsOf(numerator, denominator, tiling, share.channel);
  const long long stride = share.step * tiling.dim;
  long long at = share.first * tiling.dim + share.channel;
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
    const Coefficients c = coefficientsOf(numerator, denominator, tiling, share.channel);
    const long long stride = share.step * tiling.dim;
    long long at = share.first * tiling.dim + share.channel;
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
      const Compute* from = shared[k] + row * tiling.columns + within * tiling.partVectors;
      for (int column = 0; column < tiling.partVectors; column++) total += from[column];
    }
    const long long block = (static_cast<long long>(k) * tiling.pieces + piece) * gridDim.y + blockIdx.y;
    partial[block * tiling.parts + tile % tiling.parts] = total;
  }
}

// A polynomial with its first two derivatives: coefficient of degree `terms` first.
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

// Derivatives of T = sum of grad * (by x * F' + A / Q - F * B / Q), where A and B are P and Q with the coefficients
// `byNumerator` and sign(b) * `byDenominator`: what rational_backward's results become when weighted by `byX`,
// `byNumerator` and `byDenominator`. Those by coefficients are left as factors of powers of x (c) and of |x| (d), which
// the host has rationalBackward sum: by a_i c0 * x^i + c1 * i * x^(i-1), by |b_j| d0 * |x|^j + d1 * j * |x|^(j-1).
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
  const Coefficients c = coefficientsOf(numerator, denominator, tiling, share.channel);
  Compute q[kDenominator + 1] = {1}, b[kDenominator + 1] = {}, a[kNumerator];
  const int numeratorRow = share.channel / tiling.numeratorWidth * kNumerator;
  const int denominatorRow = share.channel / tiling.denominatorWidth * kDenominator;
  for (int i = 0; i < kNumerator; i++) a[i] = byNumerator[numeratorRow + i];
  for (int j = 0; j < kDenominator; j++) {
    q[j + 1] = c.b[j];
    const Compute weight = byDenominator[denominatorRow + j];
    b[j + 1] = denominator[denominatorRow + j] < 0 ? -weight : weight;
  }
  const long long stride = share.step * tiling.dim, size = tiling.rows * tiling.dim;
  long long at = share.first * tiling.dim + share.channel;
  for (long long row = share.first; row < tiling.rows; row += share.step, at += stride) {
    const Packed grads = load(grad + at), values = load(x + at), weights = load(byX + at);
    Packed first, second, c0, c1, d0, d1;
#pragma unroll
    for (int k = 0; k < VECTOR; k++) {
      const Compute g = widen(grads.element[k]), v = widen(values.element[k]), u = widen(weights.element[k]);
      const Compute side = v < 0 ? -1 : 1, magnitude = absolute(v);
      Compute P[3], Q[3], A[3], B[3];
      taylor<kNumerator>(c.a, v, P);
      taylor<kDenominator + 1>(q, magnitude, Q);
      taylor<kNumerator>(a, v, A);
      taylor<kDenominator + 1>(b, magnitude, B);
      const Compute r = reciprocal(Q[0]), dQ = side * Q[1], dB = side * B[1];
      const Compute f = P[0] * r;
      const Compute df = (P[1] - f * dQ) * r;
      const Compute ddf = (P[2] - 2 * df * dQ - f * Q[2]) * r;
      const Compute n = A[0] - f * B[0];
      first.element[k] = narrow(u * df + n * r);
      second.element[k] = narrow(g * (u * ddf + (A[1] - df * B[0] - f * dB - n * dQ * r) * r));
      c0.element[k] = narrow(-g * r * r * (u * dQ + B[0]));
      c1.element[k] = narrow(g * u * r);
      d0.element[k] = narrow(g * r * (u * (f * dQ * r - df) + (f * B[0] - n) * r));
      d1.element[k] = narrow(-g * u * f * r * side);
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
    dDenominator[out] = static_cast<Compute>(denominator[out] < 0 ? -shared[0] : shared[0]);
}
