#include "cuda/cubinCache.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace katlab {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Empty where there is no home.
fs::path folder() {
  if (const std::string own = variable("KATLAB_CACHE"); !own.empty()) return fs::path(own) / "cubin";
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return fs::path(cache) / "katlab" / "cubin";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::path(home) / ".cache" / "katlab" / "cubin";
  return {};
}

// Two lines: the key; the checksum of what follows them.
std::string headOf(const std::string& key, const std::string& cubin) {
  return key + "\n" + digestOf(cubin) + "\n";
}

}  // namespace

std::string digestOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3u;
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

std::optional<std::string> readCubin(const std::string& key) {
  const fs::path path = folder();
  if (path.empty()) return std::nullopt;
  std::ifstream stream(path / digestOf(key), std::ios::binary);
  if (!stream) return std::nullopt;
  std::stringstream contents;
  contents << stream.rdbuf();
  const std::string file = contents.str();
  const size_t head = headOf(key, "").size();
  if (file.size() <= head) return std::nullopt;
  const std::string cubin = file.substr(head);
  if (file.compare(0, head, headOf(key, cubin)) != 0) return std::nullopt;
  return cubin;
}

void writeCubin(const std::string& key, const std::string& cubin) {
  const fs::path path = folder();
  if (path.empty()) return;
  std::error_code fault;
  fs::create_directories(path, fault);
  const fs::path beside = path / (digestOf(key) + "." + std::to_string(getpid()));
  std::ofstream stream(beside, std::ios::binary);
  stream << headOf(key, cubin) << cubin;
  stream.close();
  if (stream) fs::rename(beside, path / digestOf(key), fault);
  if (!stream || fault) {
    fs::remove(beside, fault);
    TORCH_WARN_ONCE(
        "katlab: ", path.string(),
        " must be writable to keep compiled CUDA code; every process compiles it "
        "again. Set KATLAB_CACHE to another folder.");
  }
}

}  // namespace katlab
