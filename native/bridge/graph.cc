// CUDA graphs: what is launched between captureBegin and captureEnd is recorded instead of run, then replayed at will.
//
// The only file of the bridge with CUDA's headers; built without them, it says so. All graphs of a device share one pool of
// memory, for no two of them ever run at a time.
#include "graph.h"

#include "functions.h"

#ifndef KATLAB_GRAPHS_MISSING
#include <ATen/core/CachingHostAllocator.h>
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
  // One for all captures of a device: torch keeps a workspace for every stream that cuBLAS has been used on.
  std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  std::optional<Capture> capture;
  int64_t next = 1;

  c10::cuda::CUDAStream stream(c10::DeviceIndex device) {
    const auto found = streams.find(device);
    if (found != streams.end()) return found->second;
    return streams.emplace(device, c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device)).first->second;
  }

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

template <class Run>
bool works(Run run) {
  try {
    run();
  } catch (const c10::Error&) {
    return false;
  }
  return true;
}

// A capture that CUDA has given up cannot be ended as usual: what torch's end has left undone for its allocators is done here.
void abandon(Graphs& graphs, Capture& capture) {
  const at::cuda::MempoolId_t pool = graphs.pools.at(capture.device);
  if (works([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(capture.device, pool); })) {
    c10::cuda::CUDACachingAllocator::releasePool(capture.device, pool);
  }
  at::HostAllocator& host = *at::getHostAllocator(at::kCUDA);
  if (works([&] { host.end_allocate_to_pool(pool); })) host.release_pool(pool);
  capture.graph.reset();
  graphs.forgetUnusedPool(capture.device);
  capture.leave();
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
  c10::cuda::setCurrentCUDAStream(graphs.stream(index));
  try {
    auto [pool, isNew] = graphs.pools.try_emplace(index);
    if (isNew) pool->second = at::cuda::graph_pool_handle();
    // Other threads may use their own streams meanwhile.
    capture.graph->capture_begin(pool->second, cudaStreamCaptureModeThreadLocal);
  } catch (...) {
    abandon(graphs, capture);
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
    abandon(graphs, capture);
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
  works([&] { at::zeros({1}, at::TensorOptions().device(at::kCUDA, capture.device)); });  // torch warns of empty graphs
  if (!works([&] { capture.graph->capture_end(); })) {
    abandon(graphs, capture);
    return nullptr;
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
