// CUDA graphs: what is launched between captureBegin and captureEnd is recorded instead of run, then replayed at will.
//
// The only file of the bridge with CUDA's headers; built without them, it says so. All graphs of a device share one pool of
// memory, for no two of them ever run at a time.
#include "graph.h"

#include "functions.h"

#ifndef KATLAB_GRAPHS_MISSING
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#endif

#include "errors.h"

namespace bridge {

#ifdef KATLAB_GRAPHS_MISSING

struct Graphs {};

napi_value graphsMissing(Call& call) { return makeString(call.env, KATLAB_GRAPHS_MISSING); }
napi_value captureBegin(Call&) { throw Fault(KATLAB_GRAPHS_MISSING); }
napi_value captureEnd(Call&) { throw Fault(KATLAB_GRAPHS_MISSING); }
napi_value captureAbort(Call&) { throw Fault(KATLAB_GRAPHS_MISSING); }
napi_value replayGraph(Call&) { throw Fault(KATLAB_GRAPHS_MISSING); }
napi_value freeGraph(Call&) { throw Fault(KATLAB_GRAPHS_MISSING); }

#else

// A capture in progress, and what was current before it.
struct Capture {
  std::unique_ptr<at::cuda::CUDAGraph> graph;
  c10::DeviceIndex device;
  c10::DeviceIndex deviceBefore;
  c10::cuda::CUDAStream streamBefore;

  void leave() const {
    c10::cuda::setCurrentCUDAStream(streamBefore);
    c10::cuda::set_device(deviceBefore);
  }
};

struct CapturedGraph {
  std::unique_ptr<at::cuda::CUDAGraph> graph;
  c10::DeviceIndex device;
};

struct Graphs {
  std::map<int64_t, CapturedGraph> captured;
  std::map<c10::DeviceIndex, at::cuda::MempoolId_t> pools;
  std::optional<Capture> capture;
  int64_t next = 1;

  // A pool that no graph uses any more is gone for torch's allocator, and its name must not be used again.
  void forgetUnusedPool(c10::DeviceIndex device) {
    for (const auto& [number, graph] : captured) {
      if (graph.device == device) return;
    }
    pools.erase(device);
  }
};

namespace {

Graphs& graphsOf(Call& call) {
  OwnedGraphs& graphs = call.environment->graphs;
  if (graphs == nullptr) graphs.reset(new Graphs);
  return *graphs;
}

CapturedGraph& graph(Call& call) {
  const int64_t number = call.integer(0, "graph");
  auto& captured = graphsOf(call).captured;
  const auto found = captured.find(number);
  if (found == captured.end()) call.refuse("graph", {"must be one that captureEnd gave", std::to_string(number)});
  return found->second;
}

Capture take(Graphs& graphs) {
  if (!graphs.capture) throw Fault("bridge.captureEnd: must follow captureBegin");
  Capture capture = std::move(*graphs.capture);
  graphs.capture.reset();
  return capture;
}

// Runs on one device, and goes back to the one before.
template <class Run>
void onDevice(c10::DeviceIndex device, Run run) {
  const c10::DeviceIndex before = c10::cuda::current_device();
  c10::cuda::set_device(device);
  try {
    run();
  } catch (...) {
    c10::cuda::set_device(before);
    throw;
  }
  c10::cuda::set_device(before);
}

}  // namespace

napi_value graphsMissing(Call& call) { return makeNull(call.env); }

napi_value captureBegin(Call& call) {
  const c10::Device device(call.string(0, "device"));
  if (!device.is_cuda()) call.refuse("device", {"must be a CUDA device", device.str()});
  Graphs& graphs = graphsOf(call);
  if (graphs.capture) throw Fault("bridge.captureBegin: must not be nested");
  const c10::DeviceIndex deviceBefore = c10::cuda::current_device();
  const c10::DeviceIndex index = device.has_index() ? device.index() : deviceBefore;
  c10::cuda::set_device(index);
  // The default stream cannot be captured.
  Capture capture{std::make_unique<at::cuda::CUDAGraph>(), index, deviceBefore,
                  c10::cuda::getCurrentCUDAStream(index)};
  c10::cuda::device_synchronize();
  c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, index));
  try {
    auto [pool, isNew] = graphs.pools.try_emplace(index);
    if (isNew) pool->second = at::cuda::graph_pool_handle();
    // Other threads may use their own streams meanwhile.
    capture.graph->capture_begin(pool->second, cudaStreamCaptureModeThreadLocal);
  } catch (...) {
    graphs.forgetUnusedPool(index);
    capture.leave();
    throw;
  }
  graphs.capture.emplace(std::move(capture));
  return nullptr;
}

napi_value captureEnd(Call& call) {
  Graphs& graphs = graphsOf(call);
  Capture capture = take(graphs);
  try {
    capture.graph->capture_end();
  } catch (...) {
    capture.leave();
    throw;
  }
  capture.leave();
  const int64_t number = graphs.next++;
  graphs.captured.emplace(number, CapturedGraph{std::move(capture.graph), capture.device});
  return makeInt(call.env, number);
}

napi_value captureAbort(Call& call) {
  Graphs& graphs = graphsOf(call);
  if (!graphs.capture) return nullptr;
  Capture capture = take(graphs);
  try {
    at::zeros({1}, at::TensorOptions().device(at::kCUDA, capture.device));  // torch warns of empty graphs
    capture.graph->capture_end();
    capture.graph->reset();
  } catch (const std::exception&) {
    // A capture that CUDA has given up cannot be ended as usual: what torch's allocator does at an end is done here.
    namespace allocator = c10::cuda::CUDACachingAllocator;
    allocator::endAllocateToPool(capture.device, graphs.pools.at(capture.device));
    allocator::releasePool(capture.device, graphs.pools.at(capture.device));
  }
  capture.graph.reset();
  graphs.forgetUnusedPool(capture.device);
  capture.leave();
  return nullptr;
}

napi_value replayGraph(Call& call) {
  CapturedGraph& captured = graph(call);
  onDevice(captured.device, [&] { captured.graph->replay(); });
  return nullptr;
}

napi_value freeGraph(Call& call) {
  CapturedGraph& captured = graph(call);
  onDevice(captured.device, [&] {
    c10::cuda::device_synchronize();
    captured.graph.reset();
  });
  const c10::DeviceIndex device = captured.device;
  Graphs& graphs = graphsOf(call);
  graphs.captured.erase(call.integer(0, "graph"));
  graphs.forgetUnusedPool(device);
  return nullptr;
}

#endif

void GraphsDeleter::operator()(Graphs* graphs) const { delete graphs; }

}  // namespace bridge
