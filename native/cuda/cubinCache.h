// Compiled CUDA code on disk, so that a second process does not compile again.
//
// In $KATLAB_CACHE/cubin, by default $XDG_CACHE_HOME/katlab/cubin or ~/.cache/katlab/cubin. Files are written beside
// and renamed; one that does not fit its key or its checksum is treated as missing.
#pragma once

#include <optional>
#include <string>

namespace katlab {

// `key` says everything the code depends on.
std::optional<std::string> readCubin(const std::string& key);

// Where the folder cannot be written to, warns once.
void writeCubin(const std::string& key, const std::string& cubin);

// FNV-1a in 64 bits, as 16 hexadecimal digits.
std::string digestOf(const std::string& text);

}  // namespace katlab
