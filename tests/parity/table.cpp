#include "tests/parity/table.h"

#include <fstream>
#include <stdexcept>

namespace qingyin::test {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  for (std::size_t end; (end = line.find('\t', begin)) != std::string::npos; begin = end + 1)
    cells.push_back(line.substr(begin, end - begin));
  cells.push_back(line.substr(begin));
  return cells;
}

}  // namespace

std::vector<Row> read_table(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) throw std::runtime_error(path.string() + ": no table");
  const auto names = cells_of(line);
  std::vector<Row> rows;
  while (std::getline(in, line)) {
    const auto cells = cells_of(line);
    if (cells.size() != names.size())
      throw std::runtime_error(path.string() + ": a row has " + std::to_string(cells.size()) +
                               " cells, expected " + std::to_string(names.size()) + ": " + line);
    for (std::size_t i = 0; i < names.size(); ++i)
      (i == 0 ? rows.emplace_back() : rows.back())[names[i]] = cells[i];
  }
  return rows;
}

}  // namespace qingyin::test
