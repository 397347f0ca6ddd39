#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace qingyin::test {

/// A row of a table, by the name of the column.
using Row = std::map<std::string, std::string>;

/// Reads a tab-separated table with one header line and no quoting. A row with another number of
/// cells than the header throws std::runtime_error.
std::vector<Row> read_table(const std::filesystem::path& path);

}  // namespace qingyin::test
