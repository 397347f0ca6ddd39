#pragma once

#include <filesystem>

namespace qingyin::test {

/// Writes a model with tiny random weights as MMAudio's files are laid out, with the description
/// that makes it `mmaudio:custom`. Its sound has 16 kHz.
void write_tiny_mmaudio(const std::filesystem::path& folder);

}  // namespace qingyin::test
