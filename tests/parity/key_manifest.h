#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace qingyin::test {

/// One line of a key manifest: name, dtype and shape as written, joined.
using KeyLines = std::set<std::string>;

/// The lines of a manifest (`name<TAB>dtype<TAB>[a,b]`).
KeyLines read_manifest(const std::filesystem::path& path);

/// What a manifest of `module` says, each name behind `prefix`.
KeyLines manifest_of(const torch::nn::Module& module, const std::string& prefix = {});

/// Fails for every line that only one side has. Lines of `found` whose name is in `ignored` must be
/// there and need no counterpart.
void expect_same_keys(KeyLines found, const KeyLines& expected,
                      const std::vector<std::string>& ignored);

/// Names and shapes of a network's weights beside a manifest's, whose types may be others.
void expect_manifest(const torch::nn::Module& network, const std::filesystem::path& manifest);

}  // namespace qingyin::test
