#pragma once

#include <map>
#include <string>

namespace qingyin {

/// The FFmpeg libraries that run, by name, with their versions: "libavcodec" -> "59.37.100".
std::map<std::string, std::string> media_libraries();

}  // namespace qingyin
