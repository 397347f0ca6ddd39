#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace qingyin::bundled {

/// A whole number from 0 to 4096 that the weights of a bundled model state about themselves.
/// @param file    stands in the message
/// @throws Error  kBadCheckpoint if it is missing or none
std::int64_t metadata_number(const std::map<std::string, std::string>& metadata,
                             const std::string& name, const std::string& file);

}  // namespace qingyin::bundled
