// katlab::rational on CUDA: chooses the tiling for rational.cu and launches it.
#include <ATen/Functions.h>
#include <ATen/OpMathType.h>
#include <ATen/TensorOperators.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "cuda/driver.h"
#include "cuda/rationalTiling.h"
#include "ops/rational.h"

namespace katlab {

using at::Tensor;

namespace {

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The functions of rational.cu, for one element type and vector width.
struct Functions {
  c10::Device device;
  std::vector<std::string> defines;

  Functions(const Tensor& x, int vector) : device(x.device()) {
    const char* element = x.scalar_type() == at::kFloat      ? "-DELEMENT_FLOAT32"
                          : x.scalar_type() == at::kBFloat16 ? "-DELEMENT_BFLOAT16"
                                                             : "-DELEMENT_FLOAT64";
    defines = {element, "-DVECTOR=" + std::to_string(vector)};
  }
  CudaFunction get(const char* name) const { return cudaFunction(device, "rational.cu", defines, name); }
};

// Elements of one memory access: as many as 16 bytes hold, or fewer where a group's border would cut one.
int vectorOf(const Tensor& x, int64_t pieceWidth) {
  int64_t vector = 16 / x.element_size();
  while (pieceWidth % vector != 0) vector /= 2;
  return static_cast<int>(vector);
}

struct Grid {
  RationalTiling tiling;
  int vector;
  unsigned tiles;  // of columns

  Grid(const Tensor& x, const Tensor& numerator, const Tensor& denominator) {
    const int64_t dim = x.size(-1);
    TORCH_CHECK_VALUE(
        dim <= std::numeric_limits<int>::max() / 2, "katlab::rational: dim must be below 2^30 on CUDA; got ",
        dim);
    tiling.rows = x.numel() / dim;
    tiling.dim = static_cast<int>(dim);
    tiling.numeratorWidth = static_cast<int>(dim / numerator.size(0));
    tiling.denominatorWidth = static_cast<int>(dim / denominator.size(0));
    const int width = std::gcd(tiling.numeratorWidth, tiling.denominatorWidth);
    vector = vectorOf(x, width);
    tiling.pieces = tiling.dim / width;
    tiling.pieceVectors = width / vector;
    tiling.parts = static_cast<int>(ceilDivide(tiling.pieceVectors, kRationalThreads));
    tiling.partVectors = static_cast<int>(ceilDivide(tiling.pieceVectors, tiling.parts));
    // Tiles of nearly equal width, as few as possible.
    const int most = tiling.parts > 1 ? 1 : kRationalThreads / tiling.partVectors;
    const int64_t across = ceilDivide(tiling.pieces, most);
    tiling.piecesPerTile = static_cast<int>(ceilDivide(tiling.pieces, across));
    tiling.columns = tiling.piecesPerTile * tiling.partVectors;
    tiling.rowsPerBlock = kRationalThreads / tiling.columns;
    tiles = static_cast<unsigned>(ceilDivide(tiling.pieces, tiling.piecesPerTile) * tiling.parts);
  }

  // Blocks side by side along the rows: all that the device holds at a time, each with an equal share.
  unsigned blocksDown(const CudaFunction& function, c10::Device device) const {
    const int64_t resident = int64_t{multiprocessors(device)} * function.residentBlocks(kRationalThreads);
    const int64_t wanted = ceilDivide(tiling.rows, tiling.rowsPerBlock);
    return static_cast<unsigned>(std::clamp<int64_t>(resident / tiles, 1, wanted));
  }
};

// Contiguous, and beginning where a vector may: a view can begin anywhere.
Tensor aligned(const Tensor& x) {
  const Tensor t = x.contiguous();
  return reinterpret_cast<uintptr_t>(t.const_data_ptr()) % 16 == 0 ? t : t.clone();
}

Tensor rationalCuda(const Tensor& x_, const Tensor& numerator, const Tensor& denominator) {
  checkRational(x_, numerator, denominator);
  const c10::OptionalDeviceGuard guard(x_.device());
  const Tensor x = aligned(x_);
  Tensor y = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return y;

  Grid grid(x, numerator, denominator);
  const auto compute = at::toOpMathType(x.scalar_type());
  const Tensor a = numerator.to(compute).contiguous(), b = denominator.to(compute).contiguous();
  const CudaFunction forward = Functions(x, grid.vector).get("rationalForward");
  const void *xData = x.const_data_ptr(), *aData = a.const_data_ptr(), *bData = b.const_data_ptr();
  void* yData = y.mutable_data_ptr();
  forward.launch(
      grid.tiles, grid.blocksDown(forward, x.device()), kRationalThreads,
      {&xData, &aData, &bData, &yData, &grid.tiling});
  return y;
}

std::tuple<Tensor, Tensor, Tensor> rationalBackwardCuda(
    const Tensor& grad_, const Tensor& x_, const Tensor& numerator, const Tensor& denominator) {
  checkRationalBackward(grad_, x_, numerator, denominator);
  const c10::OptionalDeviceGuard guard(x_.device());
  const Tensor grad = aligned(grad_), x = aligned(x_);
  Tensor dx = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) {
    return {
        dx, at::zeros(numerator.sizes(), numerator.options()),
        at::zeros(denominator.sizes(), denominator.options())};
  }

  Grid grid(x, numerator, denominator);
  const auto compute = at::toOpMathType(x.scalar_type());
  const Tensor a = numerator.to(compute).contiguous(), b = denominator.to(compute).contiguous();
  Tensor da = at::empty(a.sizes(), a.options()), db = at::empty(b.sizes(), b.options());
  const Functions functions(x, grid.vector);
  const CudaFunction backward = functions.get("rationalBackward"), reduce = functions.get("rationalReduce");
  const unsigned down = grid.blocksDown(backward, x.device());
  const Tensor partial =
      at::empty({kSums, grid.tiling.pieces, down, grid.tiling.parts}, x.options().dtype(at::kDouble));
  const void *gradData = grad.const_data_ptr(), *xData = x.const_data_ptr();
  const void *aData = a.const_data_ptr(), *bData = b.const_data_ptr();
  void *dxData = dx.mutable_data_ptr(), *partialData = partial.mutable_data_ptr();
  backward.launch(
      grid.tiles, down, kRationalThreads,
      {&gradData, &xData, &aData, &bData, &dxData, &partialData, &grid.tiling});

  void *daData = da.mutable_data_ptr(), *dbData = db.mutable_data_ptr();
  int numeratorGroups = static_cast<int>(a.size(0)), denominatorGroups = static_cast<int>(b.size(0));
  long long perPiece = static_cast<long long>(down) * grid.tiling.parts;
  reduce.launch(
      static_cast<unsigned>(a.numel() + b.numel()), 1, kRationalThreads,
      {&partialData, &bData, &daData, &dbData, &grid.tiling.pieces, &numeratorGroups, &denominatorGroups,
       &perPiece});
  return {dx, da.to(numerator.scalar_type()), db.to(denominator.scalar_type())};
}

// Sums over the channels of each group of factor * power^i, i = 0 to 5: rational_backward where P is 0 and Q is 1.
Tensor powerSums(const Tensor& factor, const Tensor& power, int64_t groups, const at::TensorOptions& table) {
  return std::get<1>(rationalBackwardCuda(
      factor, power, at::zeros({groups, kNumerator}, table), at::zeros({groups, kDenominator}, table)));
}

std::tuple<Tensor, Tensor, Tensor, Tensor> rationalDoubleBackwardCuda(
    const Tensor& grad_,
    const Tensor& x_,
    const Tensor& numerator,
    const Tensor& denominator,
    const Tensor& byX_,
    const Tensor& byNumerator,
    const Tensor& byDenominator) {
  checkRationalBackward(grad_, x_, numerator, denominator);
  checkRationalBackward(byX_, x_, byNumerator, byDenominator);
  const c10::OptionalDeviceGuard guard(x_.device());
  const Tensor grad = aligned(grad_), x = aligned(x_), byX = aligned(byX_);
  Tensor ofGrad = at::empty(x.sizes(), x.options()), ofX = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return {ofGrad, ofX, at::zeros_like(numerator), at::zeros_like(denominator)};

  Grid grid(x, numerator, denominator);
  const auto compute = at::toOpMathType(x.scalar_type());
  const Tensor a = numerator.to(compute).contiguous(), b = denominator.to(compute).contiguous();
  const Tensor va = byNumerator.to(compute).contiguous(), vb = byDenominator.to(compute).contiguous();
  std::vector<int64_t> four = x.sizes().vec();
  four.insert(four.begin(), 4);
  Tensor factors = at::empty(four, x.options());
  const CudaFunction second = Functions(x, grid.vector).get("rationalSecond");
  const void *gradData = grad.const_data_ptr(), *xData = x.const_data_ptr(), *byXData = byX.const_data_ptr();
  const void *aData = a.const_data_ptr(), *bData = b.const_data_ptr();
  const void *vaData = va.const_data_ptr(), *vbData = vb.const_data_ptr();
  void *ofGradData = ofGrad.mutable_data_ptr(), *ofXData = ofX.mutable_data_ptr();
  void* factorsData = factors.mutable_data_ptr();
  second.launch(
      grid.tiles, grid.blocksDown(second, x.device()), kRationalThreads,
      {&gradData, &xData, &aData, &bData, &byXData, &vaData, &vbData, &ofGradData, &ofXData, &factorsData,
       &grid.tiling});

  const Tensor size = x.abs();
  const auto groupsA = numerator.size(0), groupsB = denominator.size(0);
  const Tensor c0 = powerSums(factors[0], x, groupsA, a.options());
  const Tensor c1 = powerSums(factors[1], x, groupsA, a.options());
  const Tensor d0 = powerSums(factors[2], size, groupsB, b.options());
  const Tensor d1 = powerSums(factors[3], size, groupsB, b.options());
  Tensor da = c0;
  da.narrow(1, 1, kNumerator - 1) += c1.narrow(1, 0, kNumerator - 1) * at::arange(1, kNumerator, a.options());
  const Tensor degrees = at::arange(1, kDenominator + 1, b.options());
  const Tensor db = d0.narrow(1, 1, kDenominator) + d1.narrow(1, 0, kDenominator) * degrees;
  const Tensor sign = 1 - 2 * b.lt(0).to(compute);
  return {ofGrad, ofX, da.to(numerator.scalar_type()), (db * sign).to(denominator.scalar_type())};
}

}  // namespace

TORCH_LIBRARY_IMPL(katlab, CUDA, m) {
  m.impl("rational", rationalCuda);
  m.impl("rational_backward", rationalBackwardCuda);
  m.impl("rational_double_backward", rationalDoubleBackwardCuda);
}

}  // namespace katlab
