// CUDA C++ compiled on the user's machine by NVRTC, the library that comes with torch. Needs neither a CUDA toolkit
// nor CUDA headers nor a GPU.
#pragma once

#include <string>
#include <vector>

#include "cuda/sources.h"

namespace katlab {

// Machine code for one architecture ("sm_90"), from the cache on disk where it is there. Options of the preprocessor
// come as "-DNAME" or "-DNAME=VALUE". Throws with NVRTC's log when the source does not compile.
std::string compileCubin(
    const CudaSource& source, const std::string& architecture, const std::vector<std::string>& defines);

}  // namespace katlab
