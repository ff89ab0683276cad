// katlab::rational on the CPU: cuts the tensors into blocks for the loops of rational.simd.cc.
//
// Determinism: which values meet in one float32 sum, and in which order sums are added up, depends on the shape and
// the instruction set alone. Threads only choose who computes a chunk.
#include <ATen/Functions.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <torch/library.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/rational.h"
#include "ops/rationalLoops.h"

namespace katlab {

using at::Tensor;

namespace {

constexpr int64_t kTileRows = 16;  // terms of a float32 sum: short, because each addition rounds
constexpr int64_t kTileColumns = 4096;
constexpr int64_t kWorthAThread = 16384;  // values
constexpr int64_t kMostChunks = 64;

Element elementOf(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return Element::Float32;
    case at::kBFloat16:
      return Element::BFloat16;
    default:
      return Element::Float64;
  }
}

// The widest loops this processor runs, as ATen judges it (ATEN_CPU_CAPABILITY lowers that).
RationalLoops loopsFor(Element element) {
  static const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return rationalLoopsAvx512(element);
  if (capability == "AVX2") return rationalLoopsAvx2(element);
  return rationalLoopsDefault(element);
}

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A contiguous tensor as a matrix whose rows fill whole vectors: where dim does not, several rows of the tensor
// make one row here; rows that are left over make a last, shorter one.
struct Layout {
  int64_t dim, rows, columns, leftover;

  Layout(const Tensor& x, int64_t lanes) : dim(x.size(-1)) {
    const int64_t all = x.numel() / dim;
    const int64_t fold =
        std::min({lanes / std::gcd(dim, lanes), all, std::max<int64_t>(1, kTileColumns / dim)});
    rows = all / fold;
    columns = fold * dim;
    leftover = all % fold * dim;
  }

  int64_t wholeTiles() const { return ceilDivide(rows, kTileRows) * ceilDivide(columns, kTileColumns); }
  int64_t tiles() const { return wholeTiles() + ceilDivide(leftover, kTileColumns); }
  int64_t tileSize() const { return std::min(rows, kTileRows) * std::min(columns, kTileColumns); }

  // Where tile `index` begins, and its extent.
  struct Extent {
    int64_t offset, column, rows, columns;
  };
  Extent tile(int64_t index) const {
    if (index >= wholeTiles()) {
      const int64_t column = (index - wholeTiles()) * kTileColumns;
      return {rows * columns + column, column, 1, std::min(kTileColumns, leftover - column)};
    }
    const int64_t across = ceilDivide(columns, kTileColumns);
    const int64_t row = index / across * kTileRows, column = index % across * kTileColumns;
    const int64_t height = std::min(kTileRows, rows - row), width = std::min(kTileColumns, columns - column);
    return {row * columns + column, column, height, width};
  }
};

// Coefficients, those of the denominator without sign, laid out as vectors. Vectors inside one group share an entry; a vector that crosses groups has its own.
struct Tables {
  const int64_t lanes, numeratorGroups, denominatorGroups;
  std::vector<int32_t> entries;          // by vector of columns
  std::vector<int32_t> numeratorRows;    // [entries][lanes]
  std::vector<int32_t> denominatorRows;  // [entries][lanes]
  Tensor coefficients;                   // [entries][kTerms][lanes]

  Tables(
      const Layout& layout,
      int64_t lanesOfVector,
      const Tensor& numerator,
      const Tensor& denominator,
      at::ScalarType type)
      : lanes(lanesOfVector), numeratorGroups(numerator.size(0)), denominatorGroups(denominator.size(0)) {
    assign(layout);
    const Tensor a = numerator.to(type).contiguous(), b = denominator.to(type).contiguous();
    coefficients = at::empty({count(), kTerms, lanes}, a.options());
    if (type == at::kDouble)
      fill<double>(a, b);
    else
      fill<float>(a, b);
  }

  int64_t count() const { return static_cast<int64_t>(numeratorRows.size()) / lanes; }
  int64_t sumsSize() const { return count() * kTerms * lanes; }

 private:
  void assign(const Layout& layout) {
    const int64_t dim = layout.dim;
    const int64_t numeratorWidth = dim / numeratorGroups, denominatorWidth = dim / denominatorGroups;
    const int64_t width =
        std::gcd(numeratorWidth, denominatorWidth);  // channels between borders of either kind
    std::vector<int32_t> shared(dim / width, -1);
    for (int64_t first = 0; first < layout.columns; first += lanes) {
      const int64_t channel = first % dim;
      const int64_t last = std::min(lanes, layout.columns - first) - 1;
      const bool inside = channel % width + last < width;
      int32_t fresh = static_cast<int32_t>(count());
      int32_t& entry = inside ? shared[channel / width] : fresh;
      if (entry < 0) entry = fresh;
      entries.push_back(entry);
      if (entry != count()) continue;
      for (int64_t lane = 0; lane < lanes; lane++) {
        const int64_t own = inside ? channel : (first + lane) % dim;
        numeratorRows.push_back(static_cast<int32_t>(own / numeratorWidth));
        denominatorRows.push_back(static_cast<int32_t>(own / denominatorWidth));
      }
    }
  }

  template <typename T>
  void fill(const Tensor& numerator, const Tensor& denominator) {
    const T* a = numerator.const_data_ptr<T>();
    const T* b = denominator.const_data_ptr<T>();
    T* to = coefficients.mutable_data_ptr<T>();
    for (int64_t entry = 0; entry < count(); entry++) {
      const int32_t* aRow = numeratorRows.data() + entry * lanes;
      const int32_t* bRow = denominatorRows.data() + entry * lanes;
      for (int i = 0; i < kNumeratorTerms; i++)
        for (int64_t lane = 0; lane < lanes; lane++) *to++ = a[aRow[lane] * kNumeratorTerms + i];
      for (int j = 0; j < kDenominatorTerms; j++)
        for (int64_t lane = 0; lane < lanes; lane++) *to++ = b[bRow[lane] * kDenominatorTerms + j];
    }
  }

 public:
  // Adds sums [entries][kTerms][lanes] to totals [numeratorGroups][6], [denominatorGroups][4] that follow each other.
  void addUp(const double* sums, double* totals) const {
    double* denominatorTotals = totals + numeratorGroups * kNumeratorTerms;
    for (int64_t entry = 0; entry < count(); entry++)
      for (int term = 0; term < kTerms; term++)
        for (int64_t lane = 0; lane < lanes; lane++) {
          const int64_t at = entry * lanes + lane;
          double& total =
              term < kNumeratorTerms
                  ? totals[numeratorRows[at] * kNumeratorTerms + term]
                  : denominatorTotals[denominatorRows[at] * kDenominatorTerms + term - kNumeratorTerms];
          total += *sums++;
        }
  }
};

// Values in the shape and type of a table.
Tensor tableOf(const double* values, const Tensor& like) {
  Tensor table = at::empty(like.sizes(), like.options().dtype(at::kDouble));
  std::copy_n(values, like.numel(), table.mutable_data_ptr<double>());
  return table.to(like.scalar_type());
}

Tensor rationalCpu(const Tensor& x_, const Tensor& numerator, const Tensor& denominator) {
  checkRational(x_, numerator, denominator);
  const Tensor x = x_.contiguous();
  Tensor y = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return y;

  const RationalLoops loops = loopsFor(elementOf(x.scalar_type()));
  const Layout layout(x, loops.lanes);
  const Tables tables(layout, loops.lanes, numerator, denominator.abs(), at::toOpMathType(x.scalar_type()));
  const int64_t size = x.element_size();
  const auto* from = static_cast<const char*>(x.const_data_ptr());
  auto* to = static_cast<char*>(y.mutable_data_ptr());
  const int64_t grain = std::max<int64_t>(1, kWorthAThread / layout.tileSize());
  at::parallel_for(0, layout.tiles(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; index++) {
      const auto [offset, column, rows, columns] = layout.tile(index);
      loops.forward(
          {.x = from + offset * size,
           .grad = nullptr,
           .out = to + offset * size,
           .rows = rows,
           .columns = columns,
           .stride = layout.columns,
           .entries = tables.entries.data() + column / loops.lanes,
           .coefficients = tables.coefficients.const_data_ptr(),
           .sums = nullptr});
    }
  });
  return y;
}

// Sums by coefficient over all tiles: `visit` adds those of one tile to sums [entries][kTerms][lanes].
template <typename Visit>
std::vector<double> sumOverTiles(const Layout& layout, const Tables& tables, const Visit& visit) {
  const int64_t terms = tables.numeratorGroups * kNumeratorTerms + tables.denominatorGroups * kDenominatorTerms;
  // Large enough that clearing and adding up the sums is a small part of a chunk's work.
  const int64_t least = std::max(kWorthAThread, 2 * tables.sumsSize());
  const int64_t perChunk =
      std::max(ceilDivide(least, layout.tileSize()), ceilDivide(layout.tiles(), kMostChunks));
  const int64_t chunks = ceilDivide(layout.tiles(), perChunk);
  std::vector<double> partial(chunks * terms), total(terms);
  at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(tables.sumsSize());
    for (int64_t chunk = begin; chunk < end; chunk++) {
      std::fill(sums.begin(), sums.end(), 0.0);
      const int64_t last = std::min(layout.tiles(), (chunk + 1) * perChunk);
      for (int64_t index = chunk * perChunk; index < last; index++) visit(layout.tile(index), sums.data());
      tables.addUp(sums.data(), partial.data() + chunk * terms);
    }
  });
  for (int64_t chunk = 0; chunk < chunks; chunk++)
    for (int64_t term = 0; term < terms; term++) total[term] += partial[chunk * terms + term];
  return total;
}

Tensor signFromRight(const Tensor& t) { return 1 - 2 * t.lt(0).to(t.scalar_type()); }

std::tuple<Tensor, Tensor, Tensor> rationalBackwardCpu(
    const Tensor& grad_, const Tensor& x_, const Tensor& numerator, const Tensor& denominator) {
  checkRationalBackward(grad_, x_, numerator, denominator);
  const Tensor grad = grad_.contiguous(), x = x_.contiguous();
  Tensor dx = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return {dx, at::zeros_like(numerator), at::zeros_like(denominator)};

  const RationalLoops loops = loopsFor(elementOf(x.scalar_type()));
  const Layout layout(x, loops.lanes);
  const Tables tables(layout, loops.lanes, numerator, denominator.abs(), at::toOpMathType(x.scalar_type()));
  const int64_t size = x.element_size();
  const auto* from = static_cast<const char*>(x.const_data_ptr());
  const auto* upstream = static_cast<const char*>(grad.const_data_ptr());
  auto* to = static_cast<char*>(dx.mutable_data_ptr());
  const std::vector<double> total = sumOverTiles(layout, tables, [&](const Layout::Extent& extent, double* sums) {
    const auto [offset, column, rows, columns] = extent;
    loops.backward(
        {.x = from + offset * size,
         .grad = upstream + offset * size,
         .out = to + offset * size,
         .rows = rows,
         .columns = columns,
         .stride = layout.columns,
         .entries = tables.entries.data() + column / loops.lanes,
         .coefficients = tables.coefficients.const_data_ptr(),
         .sums = sums});
  });
  return {
      dx, tableOf(total.data(), numerator),
      tableOf(total.data() + numerator.numel(), denominator) * signFromRight(denominator)};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> rationalDoubleBackwardCpu(
    const Tensor& grad_,
    const Tensor& x_,
    const Tensor& numerator,
    const Tensor& denominator,
    const Tensor& byX_,
    const Tensor& byNumerator,
    const Tensor& byDenominator) {
  checkRationalBackward(grad_, x_, numerator, denominator);
  checkRationalBackward(byX_, x_, byNumerator, byDenominator);
  const Tensor grad = grad_.contiguous(), x = x_.contiguous(), byX = byX_.contiguous();
  Tensor ofGrad = at::empty(x.sizes(), x.options()), ofX = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return {ofGrad, ofX, at::zeros_like(numerator), at::zeros_like(denominator)};

  const RationalLoops loops = loopsFor(elementOf(x.scalar_type()));
  const Layout layout(x, loops.lanes);
  const auto compute = at::toOpMathType(x.scalar_type());
  const Tensor sign = signFromRight(denominator);
  const Tables tables(layout, loops.lanes, numerator, denominator.abs(), compute);
  const Tables weights(layout, loops.lanes, byNumerator, byDenominator * sign, compute);
  const int64_t size = x.element_size();
  const auto* gradData = static_cast<const char*>(grad.const_data_ptr());
  const auto* xData = static_cast<const char*>(x.const_data_ptr());
  const auto* byXData = static_cast<const char*>(byX.const_data_ptr());
  auto* ofGradData = static_cast<char*>(ofGrad.mutable_data_ptr());
  auto* ofXData = static_cast<char*>(ofX.mutable_data_ptr());
  const std::vector<double> total = sumOverTiles(layout, tables, [&](const Layout::Extent& extent, double* sums) {
    const auto [offset, column, rows, columns] = extent;
    loops.doubleBackward(
        {.x = xData + offset * size,
         .grad = gradData + offset * size,
         .out = ofGradData + offset * size,
         .rows = rows,
         .columns = columns,
         .stride = layout.columns,
         .entries = tables.entries.data() + column / loops.lanes,
         .coefficients = tables.coefficients.const_data_ptr(),
         .sums = sums,
         .byX = byXData + offset * size,
         .byCoefficients = weights.coefficients.const_data_ptr(),
         .second = ofXData + offset * size});
  });
  return {
      ofGrad, ofX, tableOf(total.data(), numerator),
      tableOf(total.data() + numerator.numel(), denominator) * sign};
}

}  // namespace

TORCH_LIBRARY_IMPL(katlab, CPU, m) {
  m.impl("rational", rationalCpu);
  m.impl("rational_backward", rationalBackwardCpu);
  m.impl("rational_double_backward", rationalDoubleBackwardCpu);
}

}  // namespace katlab
