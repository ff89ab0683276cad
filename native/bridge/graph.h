// CUDA graphs: what one environment captures, and the stream it captured on.
#pragma once
#include <memory>

namespace bridge {

struct Graphs;

// The graphs of one environment: freed with it, before CUDA itself goes.
struct GraphsDeleter {
  void operator()(Graphs* graphs) const;
};
using OwnedGraphs = std::unique_ptr<Graphs, GraphsDeleter>;

}  // namespace bridge
