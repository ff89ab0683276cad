// The addon's functions, by the file that holds them. Their contract is `Addon` in src/torch/addon.ts.
#pragma once
#include "call.h"

namespace bridge {

// operators.cc
napi_value op(Call& call);
napi_value schema(Call& call);
napi_value run(Call& call);
napi_value runVoid(Call& call);

// tensors.cc
napi_value from(Call& call);
napi_value read(Call& call);
napi_value freeHandle(Call& call);
napi_value info(Call& call);
napi_value retain(Call& call);
napi_value exclusive(Call& call);
napi_value live(Call& call);

// autograd.cc
napi_value detach(Call& call);
napi_value requiresGrad(Call& call);
napi_value gradMode(Call& call);
napi_value grad(Call& call);

// errors.cc
napi_value onError(Call& call);

// settings.cc
napi_value load(Call& call);
napi_value threads(Call& call);
napi_value seed(Call& call);
napi_value deterministic(Call& call);
napi_value tf32(Call& call);

// accelerator.cc
napi_value accelerator(Call& call);
napi_value sync(Call& call);
napi_value memory(Call& call);
napi_value resetPeakMemory(Call& call);
napi_value emptyCache(Call& call);
napi_value reportMemory(Call& call);

// graph.cc
napi_value graphsMissing(Call& call);
napi_value captureBegin(Call& call);
napi_value captureEnd(Call& call);
napi_value captureAbort(Call& call);
napi_value replayGraph(Call& call);
napi_value freeGraph(Call& call);

}  // namespace bridge
