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

// The functions of rational.cu, for one element type, form, degrees and vector width.
struct Functions {
  c10::Device device;
  std::vector<std::string> defines;

  Functions(const Tensor& x, RationalForm form, RationalTerms terms, int vector) : device(x.device()) {
    const char* element = x.scalar_type() == at::kFloat      ? "-DELEMENT_FLOAT32"
                          : x.scalar_type() == at::kBFloat16 ? "-DELEMENT_BFLOAT16"
                                                             : "-DELEMENT_FLOAT64";
    defines = {
        element, std::string("-DFORM_") + "ABCN"[static_cast<int>(form)],
        "-DNUMERATOR=" + std::to_string(terms.numerator), "-DDENOMINATOR=" + std::to_string(terms.denominator),
        "-DVECTOR=" + std::to_string(vector)};
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

  // Of a contiguous tensor as a matrix, and tables of equal groups.
  Grid(const Tensor& x, int64_t columns, const Tensor& numerator, const Tensor& denominator) {
    TORCH_CHECK_VALUE(
        columns <= std::numeric_limits<int>::max() / 2,
        "katlab::rational: dim times the axes after it must be below 2^30 on CUDA; got ", columns);
    tiling.rows = x.numel() / columns;
    tiling.columns = static_cast<int>(columns);
    tiling.numeratorWidth = static_cast<int>(columns / numerator.size(0));
    tiling.denominatorWidth = static_cast<int>(columns / denominator.size(0));
    const int width = std::gcd(tiling.numeratorWidth, tiling.denominatorWidth);
    vector = vectorOf(x, width);
    tiling.pieces = tiling.columns / width;
    tiling.pieceVectors = width / vector;
    tiling.parts = static_cast<int>(ceilDivide(tiling.pieceVectors, kRationalThreads));
    tiling.partVectors = static_cast<int>(ceilDivide(tiling.pieceVectors, tiling.parts));
    // Tiles of nearly equal width, as few as possible.
    const int most = tiling.parts > 1 ? 1 : kRationalThreads / tiling.partVectors;
    const int64_t across = ceilDivide(tiling.pieces, most);
    tiling.piecesPerTile = static_cast<int>(ceilDivide(tiling.pieces, across));
    tiling.tileVectors = tiling.piecesPerTile * tiling.partVectors;
    tiling.rowsPerBlock = kRationalThreads / tiling.tileVectors;
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

// What one call computes with: the tables, of equal groups and in the type of computation, the grid and the functions.
struct Work {
  const RationalForm form;
  const RationalTerms terms;
  const Tensor a, b;
  Grid grid;
  const Functions functions;

  Work(const Tensor& x, const Tensor& numerator, const Tensor& denominator, const RationalOptions& options)
      : form(formOf(options.form)),
        terms(termsOf(numerator, denominator)),
        a(evenTable(numerator, x.size(options.axis), at::toOpMathType(x.scalar_type()))),
        b(evenTable(denominator, x.size(options.axis), at::toOpMathType(x.scalar_type()))),
        grid(x, columnsOf(x, options.axis), a, b),
        functions(x, form, terms, grid.vector) {}
};

Tensor rationalCuda(
    const Tensor& x_,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  const RationalOptions options{form, axis, uneven};
  checkRational(x_, numerator, denominator, options);
  const c10::OptionalDeviceGuard guard(x_.device());
  Tensor y = at::empty(x_.sizes(), x_.options());
  if (x_.numel() == 0) return y;

  const Tensor x = aligned(x_);
  Work work(x, numerator, denominator, options);
  const CudaFunction forward = work.functions.get("rationalForward");
  const void *xData = x.const_data_ptr(), *aData = work.a.const_data_ptr(), *bData = work.b.const_data_ptr();
  void* yData = y.mutable_data_ptr();
  forward.launch(
      work.grid.tiles, work.grid.blocksDown(forward, x.device()), kRationalThreads,
      {&xData, &aData, &bData, &yData, &work.grid.tiling});
  return y;
}

// dx and the gradients of the tables of equal groups.
std::tuple<Tensor, Tensor, Tensor> gradientOf(const Tensor& grad, const Tensor& x, Work& work) {
  Tensor dx = at::empty(x.sizes(), x.options());
  Tensor da = at::empty(work.a.sizes(), work.a.options()), db = at::empty(work.b.sizes(), work.b.options());
  RationalTiling& tiling = work.grid.tiling;
  const CudaFunction backward = work.functions.get("rationalBackward");
  const CudaFunction reduce = work.functions.get("rationalReduce");
  const unsigned down = work.grid.blocksDown(backward, x.device());
  const Tensor partial =
      at::empty({work.terms.all(), tiling.pieces, down, tiling.parts}, x.options().dtype(at::kDouble));
  const void *gradData = grad.const_data_ptr(), *xData = x.const_data_ptr();
  const void *aData = work.a.const_data_ptr(), *bData = work.b.const_data_ptr();
  void *dxData = dx.mutable_data_ptr(), *partialData = partial.mutable_data_ptr();
  backward.launch(
      work.grid.tiles, down, kRationalThreads,
      {&gradData, &xData, &aData, &bData, &dxData, &partialData, &tiling});

  void *daData = da.mutable_data_ptr(), *dbData = db.mutable_data_ptr();
  int numeratorGroups = static_cast<int>(da.size(0)), denominatorGroups = static_cast<int>(db.size(0));
  long long perPiece = static_cast<long long>(down) * tiling.parts;
  reduce.launch(
      static_cast<unsigned>(da.numel() + db.numel()), 1, kRationalThreads,
      {&partialData, &bData, &daData, &dbData, &tiling.pieces, &numeratorGroups, &denominatorGroups, &perPiece});
  return {dx, da, db};
}

std::tuple<Tensor, Tensor, Tensor> rationalBackwardCuda(
    const Tensor& grad_,
    const Tensor& x_,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  const RationalOptions options{form, axis, uneven};
  checkRationalBackward(grad_, x_, numerator, denominator, options);
  const c10::OptionalDeviceGuard guard(x_.device());
  if (x_.numel() == 0) {
    return {
        at::empty(x_.sizes(), x_.options()), at::zeros(numerator.sizes(), numerator.options()),
        at::zeros(denominator.sizes(), denominator.options())};
  }

  const Tensor grad = aligned(grad_), x = aligned(x_);
  Work work(x, numerator, denominator, options);
  const auto [dx, da, db] = gradientOf(grad, x, work);
  return {dx, evenTableBackward(da, numerator), evenTableBackward(db, denominator)};
}

// Sums over the values of each group of factor * power^i, i from 0 to `terms` - 1: the gradient of a numerator where P
// is 0 and Q, with as many terms as KAT's, is 1. Groups are those of an even table.
Tensor powerSums(const Tensor& factor, const Tensor& power, const Tensor& table, int64_t terms, int64_t axis) {
  const Tensor numerator = at::zeros({table.size(0), terms}, table.options());
  const Tensor denominator = at::zeros({table.size(0), 4}, table.options());
  Work work(power, numerator, denominator, {"A", axis, false});
  return std::get<1>(gradientOf(aligned(factor), power, work));
}

std::tuple<Tensor, Tensor, Tensor, Tensor> rationalDoubleBackwardCuda(
    const Tensor& grad_,
    const Tensor& x_,
    const Tensor& numerator,
    const Tensor& denominator,
    const Tensor& byX_,
    const Tensor& byNumerator,
    const Tensor& byDenominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  const RationalOptions options{form, axis, uneven};
  checkRationalBackward(grad_, x_, numerator, denominator, options);
  checkRationalBackward(byX_, x_, byNumerator, byDenominator, options);
  const c10::OptionalDeviceGuard guard(x_.device());
  Tensor ofGrad = at::empty(x_.sizes(), x_.options()), ofX = at::empty(x_.sizes(), x_.options());
  if (x_.numel() == 0) return {ofGrad, ofX, at::zeros_like(numerator), at::zeros_like(denominator)};

  const Tensor grad = aligned(grad_), x = aligned(x_), byX = aligned(byX_);
  const int64_t dim = x.size(axis);
  Work work(x, numerator, denominator, options);
  const auto compute = work.a.scalar_type();
  const Tensor va = evenTable(byNumerator, dim, compute), vb = evenTable(byDenominator, dim, compute);
  std::vector<int64_t> four = x.sizes().vec();
  four.insert(four.begin(), 4);
  Tensor factors = at::empty(four, x.options());
  const CudaFunction second = work.functions.get("rationalSecond");
  const void *gradData = grad.const_data_ptr(), *xData = x.const_data_ptr(), *byXData = byX.const_data_ptr();
  const void *aData = work.a.const_data_ptr(), *bData = work.b.const_data_ptr();
  const void *vaData = va.const_data_ptr(), *vbData = vb.const_data_ptr();
  void *ofGradData = ofGrad.mutable_data_ptr(), *ofXData = ofX.mutable_data_ptr();
  void* factorsData = factors.mutable_data_ptr();
  second.launch(
      work.grid.tiles, work.grid.blocksDown(second, x.device()), kRationalThreads,
      {&gradData, &xData, &aData, &bData, &byXData, &vaData, &vbData, &ofGradData, &ofXData, &factorsData,
       &work.grid.tiling});

  const bool eachTerm = work.form == RationalForm::A;
  const int64_t m = numerator.size(1) - 1, first = firstPower(work.form), n = denominator.size(1) - 1 + first;
  const Tensor t = eachTerm ? x.abs() : x;
  // By a_i and b_j the sum of factor * power^i and, times i and j, of the one below. One number of powers, so that the
  // four use one binary: for KAT's degrees that of its gradient.
  const int64_t powers = std::max(m, n) + 1;
  Tensor da = powerSums(factors[0], x, work.a, powers, axis).narrow(1, 0, m + 1).clone();
  const Tensor belowA = powerSums(factors[1], x, work.a, powers, axis).narrow(1, 0, m);
  da.narrow(1, 1, m) += belowA * at::arange(1, m + 1, belowA.options());
  Tensor db = powerSums(factors[2], t, work.b, powers, axis).narrow(1, first, n + 1 - first).clone();
  const Tensor belowB = powerSums(factors[3], t, work.b, powers, axis).narrow(1, 0, n);
  db.narrow(1, 1 - first, n) += belowB * at::arange(1, n + 1, belowB.options());
  if (eachTerm) db *= 1 - 2 * work.b.lt(0).to(compute);
  return {ofGrad, ofX, evenTableBackward(da, numerator), evenTableBackward(db, denominator)};
}

}  // namespace

TORCH_LIBRARY_IMPL(katlab, CUDA, m) {
  m.impl("rational", rationalCuda);
  m.impl("rational_backward", rationalBackwardCuda);
  m.impl("rational_double_backward", rationalDoubleBackwardCuda);
}

}  // namespace katlab
