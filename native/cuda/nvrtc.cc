#include "cuda/nvrtc.h"

#include <ATen/ops/empty.h>
#include <dlfcn.h>
#include <torch/library.h>

#include <cstdlib>
#include <cstring>

#include "cuda/cubinCache.h"

namespace katlab {
namespace {

// What is used of nvrtc.h; the interface of versions 12 and 13.
struct Nvrtc {
  using Program = void*;
  int (*version)(int*, int*);
  int (*createProgram)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  int (*destroyProgram)(Program*);
  int (*compileProgram)(Program, int, const char* const*);
  int (*getLogSize)(Program, size_t*);
  int (*getLog)(Program, char*);
  int (*getCubinSize)(Program, size_t*);
  int (*getCubin)(Program, char*);
  const char* (*getErrorString)(int);
};

// The user's own; the one torch has loaded; the one found at build time; the system's.
void* openNvrtc() {
  if (const char* own = std::getenv("KATLAB_NVRTC"); own != nullptr && *own != '\0') {
    void* library = dlopen(own, RTLD_NOW);
    TORCH_CHECK(library, "katlab: KATLAB_NVRTC must be a libnvrtc.so; got ", own, " (", dlerror(), ")");
    return library;
  }
  const char* const names[] = {"libnvrtc.so.13", "libnvrtc.so.12"};
  for (const char* name : names)
    if (void* library = dlopen(name, RTLD_NOW | RTLD_NOLOAD)) return library;
#ifdef KATLAB_NVRTC
  if (void* library = dlopen(KATLAB_NVRTC, RTLD_NOW)) return library;
#endif
  for (const char* name : names)
    if (void* library = dlopen(name, RTLD_NOW)) return library;
  TORCH_CHECK(
      false, "katlab: libnvrtc.so.13 or .12 must be there to compile CUDA code; got neither (", dlerror(),
      "). Install torch with CUDA, or set KATLAB_NVRTC to the file.");
}

template <typename Function>
void bind(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  TORCH_CHECK(function, "katlab: NVRTC must have ", name, "; got ", dlerror(), ". Use version 12 or 13.");
}

const Nvrtc& nvrtc() {
  static const Nvrtc api = [] {
    void* library = openNvrtc();
    Nvrtc n;
    bind(library, "nvrtcVersion", n.version);
    bind(library, "nvrtcCreateProgram", n.createProgram);
    bind(library, "nvrtcDestroyProgram", n.destroyProgram);
    bind(library, "nvrtcCompileProgram", n.compileProgram);
    bind(library, "nvrtcGetProgramLogSize", n.getLogSize);
    bind(library, "nvrtcGetProgramLog", n.getLog);
    bind(library, "nvrtcGetCUBINSize", n.getCubinSize);
    bind(library, "nvrtcGetCUBIN", n.getCubin);
    bind(library, "nvrtcGetErrorString", n.getErrorString);
    return n;
  }();
  return api;
}

void check(int result, const char* what) {
  TORCH_CHECK(result == 0, "katlab: NVRTC must ", what, "; got ", nvrtc().getErrorString(result));
}

// A program for as long as it is compiled.
class Program {
 public:
  explicit Program(const CudaSource& source) {
    std::vector<const char*> names, texts;
    for (const auto& [name, text] : source.headers) {
      names.push_back(name.c_str());
      texts.push_back(text.c_str());
    }
    const int count = static_cast<int>(names.size());
    check(
        nvrtc().createProgram(
            &program_, source.text.c_str(), source.name.c_str(), count, texts.data(), names.data()),
        "accept a source");
  }
  ~Program() { nvrtc().destroyProgram(&program_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  int compile(const std::vector<std::string>& options) {
    std::vector<const char*> texts;
    for (const std::string& option : options) texts.push_back(option.c_str());
    return nvrtc().compileProgram(program_, static_cast<int>(texts.size()), texts.data());
  }

  std::string log() const {
    size_t size = 0;
    check(nvrtc().getLogSize(program_, &size), "tell its log");
    std::string text(size, '\0');
    check(nvrtc().getLog(program_, text.data()), "tell its log");
    return text.c_str();
  }

  std::string cubin() const {
    size_t size = 0;
    check(nvrtc().getCubinSize(program_, &size), "give machine code");
    std::string code(size, '\0');
    check(nvrtc().getCubin(program_, code.data()), "give machine code");
    return code;
  }

 private:
  Nvrtc::Program program_ = nullptr;
};

// Everything the code depends on, in one line.
std::string keyOf(const CudaSource& source, const std::vector<std::string>& options) {
  int major = 0, minor = 0;
  check(nvrtc().version(&major, &minor), "tell its version");
  std::string texts = source.text;
  for (const auto& [name, text] : source.headers) texts += '\0' + name + '\0' + text;
  std::string key =
      source.name + " " + digestOf(texts) + " nvrtc-" + std::to_string(major) + "." + std::to_string(minor);
  for (const std::string& option : options) key += " " + option;
  return key;
}

at::Tensor compileCuda(
    const std::string& source, const std::string& architecture, c10::List<std::string> defines) {
  const std::string cubin = compileCubin(cudaSource(source), architecture, {defines.begin(), defines.end()});
  at::Tensor bytes = at::empty({static_cast<int64_t>(cubin.size())}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), cubin.data(), cubin.size());
  return bytes;
}

}  // namespace

std::string compileCubin(
    const CudaSource& source, const std::string& architecture, const std::vector<std::string>& defines) {
  std::vector<std::string> options{"--gpu-architecture=" + architecture, "--std=c++17"};
  options.insert(options.end(), defines.begin(), defines.end());
  const std::string key = keyOf(source, options);
  if (const auto cached = readCubin(key)) return *cached;
  Program program(source);
  const int result = program.compile(options);
  TORCH_CHECK(
      result == 0, "katlab: ", source.name, " must compile for ", architecture, "; NVRTC says ",
      nvrtc().getErrorString(result), ":\n", program.log());
  const std::string cubin = program.cubin();
  writeCubin(key, cubin);
  return cubin;
}

// For tests and for filling the cache ahead of time: machine code as bytes.
TORCH_LIBRARY_FRAGMENT(katlab, m) {
  m.def("compile_cuda(str source, str architecture, str[] defines) -> Tensor", compileCuda);
}

}  // namespace katlab
