// The texts that are compiled on the user's machine. They are part of the library, so that it can be moved; with
// KATLAB_CUDA_SOURCES they are read from that folder instead, to try changes without a build.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace katlab {

struct CudaSource {
  std::string name;  // for example "rational.cu"
  std::string text;
  std::vector<std::pair<std::string, std::string>> headers;  // name, text: all that a source may include
};

// Throws ValueError for a name that is not there.
CudaSource cudaSource(const std::string& name);

}  // namespace katlab
