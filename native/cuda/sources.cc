#include "cuda/sources.h"

#include <c10/util/Exception.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

// The file's bytes, as a string of C, in the read-only data of this object.
#define KATLAB_EMBED(symbol, file)                                                     \
  asm(".pushsection .rodata\n" #symbol ":\n.incbin \"" KATLAB_NATIVE_DIR "/cuda/" file \
      "\"\n.byte 0\n.popsection\n");                                                   \
  extern "C" __attribute__((visibility("hidden"))) const char symbol[];

KATLAB_EMBED(katlabRationalCu, "rational.cu")
KATLAB_EMBED(katlabRationalTilingH, "rationalTiling.h")

namespace katlab {
namespace {

struct Embedded {
  const char* name;
  const char* text;
};

const Embedded sources[] = {{"rational.cu", katlabRationalCu}};
const Embedded headers[] = {{"rationalTiling.h", katlabRationalTilingH}};

std::string textOf(const Embedded& file) {
  const char* folder = std::getenv("KATLAB_CUDA_SOURCES");
  if (folder == nullptr || *folder == '\0') return file.text;
  const std::string path = std::string(folder) + "/" + file.name;
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  TORCH_CHECK(
      stream, "katlab: KATLAB_CUDA_SOURCES must be a folder with ", file.name, "; got ", folder,
      ". Unset it to use the sources of the build.");
  return text.str();
}

}  // namespace

CudaSource cudaSource(const std::string& name) {
  for (const Embedded& source : sources) {
    if (name != source.name) continue;
    CudaSource found{name, textOf(source), {}};
    for (const Embedded& header : headers) found.headers.emplace_back(header.name, textOf(header));
    return found;
  }
  TORCH_CHECK_VALUE(false, "katlab: the CUDA source must be rational.cu; got ", name);
}

}  // namespace katlab
