#pragma once

#include <map>
#include <string>

namespace qingyin {

/// The signal and sound-file libraries that run, by name, with their versions.
std::map<std::string, std::string> sound_libraries();

}  // namespace qingyin
