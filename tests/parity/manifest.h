#pragma once

#include <torch/nn/module.h>

#include <filesystem>

namespace qingyin::test {

/// Compares the names and shapes of a network's weights with a key manifest: lines of name, dtype
/// and shape, tab-separated; one failure per difference, in both directions.
void expect_manifest(const torch::nn::Module& network, const std::filesystem::path& manifest);

}  // namespace qingyin::test
