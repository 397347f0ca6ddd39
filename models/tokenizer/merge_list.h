#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace qingyin {

/// The pairs of symbols that a byte-pair vocabulary joins, in the order in which it learnt them.
using MergeList = std::vector<std::pair<std::string, std::string>>;

/// Reads the first `count` merges of a text with one pair a line below a line of comment, plain or
/// packed by gzip, or of a `tokenizer.json`; told apart by content.
/// @throws Error  kModelMissing if there is no such file; kBadCheckpoint if it is too large,
/// broken,
///                or holds fewer merges
MergeList read_merges(const std::filesystem::path& file, std::size_t count);

}  // namespace qingyin
