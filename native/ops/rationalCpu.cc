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
RationalLoops loopsFor(at::ScalarType type, RationalForm form, RationalTerms terms) {
  static const std::string capability = at::get_cpu_capability();
  const Element element = elementOf(type);
  if (capability == "AVX512") return rationalLoopsAvx512(element, form, terms);
  if (capability == "AVX2") return rationalLoopsAvx2(element, form, terms);
  return rationalLoopsDefault(element, form, terms);
}

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A contiguous matrix of rows of `dim` values as one whose rows fill whole vectors: where dim does not, several of its
// rows make one here; rows that are left over make a last, shorter one.
struct Layout {
  int64_t dim, rows, columns, leftover;

  Layout(int64_t values, int64_t columnsOfMatrix, int64_t lanes) : dim(columnsOfMatrix) {
    const int64_t all = values / dim;
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

// Coefficients laid out as vectors. Vectors inside one group share an entry; a vector that crosses groups has its own.
struct Tables {
  const RationalTerms terms;
  const int64_t lanes, numeratorGroups, denominatorGroups;
  std::vector<int32_t> entries;          // by vector of columns
  std::vector<int32_t> numeratorRows;    // [entries][lanes]
  std::vector<int32_t> denominatorRows;  // [entries][lanes]
  Tensor coefficients;                   // [entries][terms][lanes]

  Tables(const Layout& layout, int64_t lanesOfVector, const Tensor& numerator, const Tensor& denominator)
      : terms(termsOf(numerator, denominator)),
        lanes(lanesOfVector),
        numeratorGroups(numerator.size(0)),
        denominatorGroups(denominator.size(0)) {
    assign(layout);
    coefficients = at::empty({count(), terms.all(), lanes}, numerator.options());
    if (numerator.scalar_type() == at::kDouble)
      fill<double>(numerator, denominator);
    else
      fill<float>(numerator, denominator);
  }

  int64_t count() const { return static_cast<int64_t>(numeratorRows.size()) / lanes; }
  int64_t sumsSize() const { return count() * terms.all() * lanes; }

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
      for (int i = 0; i < terms.numerator; i++)
        for (int64_t lane = 0; lane < lanes; lane++) *to++ = a[aRow[lane] * terms.numerator + i];
      for (int j = 0; j < terms.denominator; j++)
        for (int64_t lane = 0; lane < lanes; lane++) *to++ = b[bRow[lane] * terms.denominator + j];
    }
  }

 public:
  // Adds sums [entries][terms][lanes] to totals of the numerator's table and, behind them, of the denominator's.
  void addUp(const double* sums, double* totals) const {
    double* denominatorTotals = totals + numeratorGroups * terms.numerator;
    for (int64_t entry = 0; entry < count(); entry++)
      for (int term = 0; term < terms.all(); term++)
        for (int64_t lane = 0; lane < lanes; lane++) {
          const int64_t at = entry * lanes + lane;
          double& total =
              term < terms.numerator
                  ? totals[numeratorRows[at] * terms.numerator + term]
                  : denominatorTotals[denominatorRows[at] * terms.denominator + term - terms.numerator];
          total += *sums++;
        }
  }
};

Tensor signFromRight(const Tensor& t) { return 1 - 2 * t.lt(0).to(t.scalar_type()); }

// Values in the shape of a table.
Tensor tableOf(const double* values, const Tensor& like) {
  Tensor table = at::empty(like.sizes(), like.options().dtype(at::kDouble));
  std::copy_n(values, like.numel(), table.mutable_data_ptr<double>());
  return table;
}

// What one call computes with: the loops, the tables and how the tensor is cut.
struct Work {
  const RationalForm form;
  const Tensor numerator, denominator;  // of equal groups, in the type of computation
  const RationalLoops loops;
  const Layout layout;
  const Tables tables;

  Work(const Tensor& x, const Tensor& a, const Tensor& b, const RationalOptions& options)
      : form(formOf(options.form)),
        numerator(evenTable(a, x.size(options.axis), at::toOpMathType(x.scalar_type()))),
        denominator(evenTable(b, x.size(options.axis), at::toOpMathType(x.scalar_type()))),
        loops(loopsFor(x.scalar_type(), form, termsOf(a, b))),
        layout(x.numel(), columnsOf(x, options.axis), loops.lanes),
        tables(layout, loops.lanes, numerator, form == RationalForm::A ? denominator.abs() : denominator) {}

  // The block `extent` of contiguous x: only what every direction has.
  RationalTile tile(const Layout::Extent& extent, const Tensor& x) const {
    return {
        .terms = tables.terms,
        .x = static_cast<const char*>(x.const_data_ptr()) + extent.offset * x.element_size(),
        .grad = nullptr,
        .out = nullptr,
        .rows = extent.rows,
        .columns = extent.columns,
        .stride = layout.columns,
        .entries = tables.entries.data() + extent.column / loops.lanes,
        .coefficients = tables.coefficients.const_data_ptr(),
        .sums = nullptr};
  }

  // Sums by coefficient over all tiles, as tables like `a` and `b`: `visit` adds those of one tile to sums
  // [entries][terms][lanes].
  template <typename Visit>
  std::pair<Tensor, Tensor> sumOverTiles(const Tensor& a, const Tensor& b, const Visit& visit) const {
    // Large enough that clearing and adding up the sums is a small part of a chunk's work.
    const int64_t least = std::max(kWorthAThread, 2 * tables.sumsSize());
    const int64_t perChunk =
        std::max(ceilDivide(least, layout.tileSize()), ceilDivide(layout.tiles(), kMostChunks));
    const int64_t chunks = ceilDivide(layout.tiles(), perChunk);
    const int64_t terms = numerator.numel() + denominator.numel();
    std::vector<double> partial(chunks * terms);
    at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
      std::vector<double> sums(tables.sumsSize());
      for (int64_t chunk = begin; chunk < end; chunk++) {
        std::fill(sums.begin(), sums.end(), 0.0);
        const int64_t last = std::min(layout.tiles(), (chunk + 1) * perChunk);
        for (int64_t index = chunk * perChunk; index < last; index++) visit(layout.tile(index), sums.data());
        tables.addUp(sums.data(), partial.data() + chunk * terms);
      }
    });
    std::vector<double> total(terms);
    for (int64_t chunk = 0; chunk < chunks; chunk++)
      for (int64_t term = 0; term < terms; term++) total[term] += partial[chunk * terms + term];
    const Tensor ofDenominator = tableOf(total.data() + numerator.numel(), denominator);
    return {
        evenTableBackward(tableOf(total.data(), numerator), a),
        evenTableBackward(
            form == RationalForm::A ? ofDenominator * signFromRight(denominator) : ofDenominator, b)};
  }
};

Tensor rationalCpu(
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  const RationalOptions options{form, axis, uneven};
  checkRational(x, numerator, denominator, options);
  Tensor y = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return y;

  const Tensor from = x.contiguous();
  const Work work(from, numerator, denominator, options);
  auto* to = static_cast<char*>(y.mutable_data_ptr());
  const int64_t grain = std::max<int64_t>(1, kWorthAThread / work.layout.tileSize());
  at::parallel_for(0, work.layout.tiles(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; index++) {
      const Layout::Extent extent = work.layout.tile(index);
      RationalTile tile = work.tile(extent, from);
      tile.out = to + extent.offset * x.element_size();
      work.loops.forward(tile);
    }
  });
  return y;
}

std::tuple<Tensor, Tensor, Tensor> rationalBackwardCpu(
    const Tensor& grad,
    const Tensor& x,
    const Tensor& numerator,
    const Tensor& denominator,
    std::string_view form,
    int64_t axis,
    bool uneven) {
  const RationalOptions options{form, axis, uneven};
  checkRationalBackward(grad, x, numerator, denominator, options);
  Tensor dx = at::empty(x.sizes(), x.options());
  if (x.numel() == 0) return {dx, at::zeros_like(numerator), at::zeros_like(denominator)};

  const Tensor from = x.contiguous(), upstream = grad.contiguous();
  const Work work(from, numerator, denominator, options);
  const int64_t size = x.element_size();
  const auto* upstreamData = static_cast<const char*>(upstream.const_data_ptr());
  auto* to = static_cast<char*>(dx.mutable_data_ptr());
  const auto [da, db] =
      work.sumOverTiles(numerator, denominator, [&](const Layout::Extent& extent, double* sums) {
        RationalTile tile = work.tile(extent, from);
        tile.grad = upstreamData + extent.offset * size;
        tile.out = to + extent.offset * size;
        tile.sums = sums;
        work.loops.backward(tile);
      });
  return {dx, da, db};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> rationalDoubleBackwardCpu(
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
  Tensor ofGrad = at::empty(x_.sizes(), x_.options()), ofX = at::empty(x_.sizes(), x_.options());
  if (x_.numel() == 0) return {ofGrad, ofX, at::zeros_like(numerator), at::zeros_like(denominator)};

  const Tensor x = x_.contiguous(), grad = grad_.contiguous(), byX = byX_.contiguous();
  const int64_t dim = x.size(axis), size = x.element_size();
  const Work work(x, numerator, denominator, options);
  const auto type = work.numerator.scalar_type();
  const Tensor weightsOfB = evenTable(byDenominator, dim, type);
  const Tables weights(
      work.layout, work.loops.lanes, evenTable(byNumerator, dim, type),
      work.form == RationalForm::A ? weightsOfB * signFromRight(work.denominator) : weightsOfB);
  const auto* gradData = static_cast<const char*>(grad.const_data_ptr());
  const auto* byXData = static_cast<const char*>(byX.const_data_ptr());
  auto* ofGradData = static_cast<char*>(ofGrad.mutable_data_ptr());
  auto* ofXData = static_cast<char*>(ofX.mutable_data_ptr());
  const auto [da, db] =
      work.sumOverTiles(numerator, denominator, [&](const Layout::Extent& extent, double* sums) {
        RationalTile tile = work.tile(extent, x);
        tile.grad = gradData + extent.offset * size;
        tile.out = ofGradData + extent.offset * size;
        tile.sums = sums;
        tile.byX = byXData + extent.offset * size;
        tile.byCoefficients = weights.coefficients.const_data_ptr();
        tile.second = ofXData + extent.offset * size;
        work.loops.doubleBackward(tile);
      });
  return {ofGrad, ofX, da, db};
}

}  // namespace

TORCH_LIBRARY_IMPL(katlab, CPU, m) {
  m.impl("rational", rationalCpu);
  m.impl("rational_backward", rationalBackwardCpu);
  m.impl("rational_double_backward", rationalDoubleBackwardCpu);
}

}  // namespace katlab
