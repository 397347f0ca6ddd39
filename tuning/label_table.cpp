#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "audio_gen/bundled/class_list.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "core/text.h"
#include "tuning/labels.h"

namespace qingyin::tuning {
namespace {

constexpr std::array<std::string_view, 8> kColumns{"file",      "class", "material", "size",
                                                   "intensity", "onset", "caption",  "shape"};
constexpr double kLatestOnset = 24 * 3600;

/// A row's cells and the line that it begins on.
struct Row {
  std::vector<std::string> cells;
  std::size_t line = 1;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes text apart into rows; quotes may hold commas, line ends and doubled quotes.
std::vector<Row> rows_of(std::string_view text) {
  std::vector<Row> rows(1);
  std::string cell;
  bool is_quoted = false;
  std::size_t line = 1;
  const auto end_row = [&] {
    rows.back().cells.push_back(std::exchange(cell, {}));
    const auto& cells = rows.back().cells;
    if (cells.size() == 1 && trimmed(cells[0]).empty()) rows.pop_back();
    rows.push_back({{}, line});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool ends_line = c == '\n' || (c == '\r' && !text.substr(i + 1).starts_with('\n'));
    if (ends_line) ++line;
    if (is_quoted && c == '"' && text.substr(i + 1).starts_with('"')) {
      cell += text[++i];
    } else if (c == '"' && (is_quoted || trimmed(cell).empty())) {
      is_quoted = !is_quoted;
    } else if (!is_quoted && c == ',') {
      rows.back().cells.push_back(std::exchange(cell, {}));
    } else if (!is_quoted && ends_line) {
      end_row();
    } else if (is_quoted || c != '\r') {
      cell += c;
    }
  }
  end_row();
  rows.pop_back();
  return rows;
}

std::string lower(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += (byte & 0x80) ? c : static_cast<char>(std::tolower(byte));
  }
  return result;
}

std::optional<double> number_in(std::string_view text, double high) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_good = failure == std::errc() && end == text.data() + text.size() &&
                       std::isfinite(value) && value >= 0 && value <= high;
  return is_good ? std::optional(value) : std::nullopt;
}

/// Reads one row; what is wrong goes into `fault`.
std::pair<std::string, Label> label_of(const Row& row, const std::map<std::string, std::size_t>& at,
                                       std::string& fault) {
  const auto cell = [&](const char* column) -> std::string_view {
    const auto found = at.find(column);
    if (found == at.end() || found->second >= row.cells.size()) return {};
    return trimmed(row.cells[found->second]);
  };
  const auto number = [&](const char* column, double high) -> std::optional<double> {
    const auto text = cell(column);
    if (text.empty()) return std::nullopt;
    const auto value = number_in(text, high);
    if (!value) {
      fault = std::string(column) + " is " + excerpt(text) + ", not a number from 0 to " +
              std::to_string(static_cast<long>(high));
    }
    return value;
  };
  Label label{.sound_class = lower(cell("class")),
              .material = lower(cell("material")),
              .size = number("size", 1),
              .intensity = number("intensity", 1),
              .onset_s = number("onset", kLatestOnset),
              .caption = std::string(cell("caption")),
              .shape = lower(cell("shape")),
              .where = {}};
  std::replace(label.shape.begin(), label.shape.end(), '-', '_');
  if (cell("file").empty()) fault = "it names no file";
  if (label.sound_class.empty() && fault.empty()) fault = "it names no class";
  if (!label.material.empty() && !material_id(label.material)) {
    fault = "material is " + excerpt(label.material) + ", which is not known; expected one of";
    for (const auto known : sound_materials()) fault += " " + std::string(known);
  }
  if (!label.shape.empty() && !bundled::sound_shape(label.shape)) {
    fault = "shape is " + excerpt(label.shape) + "; expected one_shot, sustained or texture";
  }
  return {std::string(cell("file")), std::move(label)};
}

}  // namespace

LabelTable read_label_table(std::string_view text, const std::string& name) {
  require(is_utf8(text), ErrorCode::kInvalidInput,
          name + ": it is not UTF-8 text; save it as UTF-8");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::vector<Row> rows = rows_of(text);
  std::map<std::string, std::size_t> at;
  if (!rows.empty()) {
    for (std::size_t i = 0; i < rows[0].cells.size(); ++i) {
      const std::string column = lower(trimmed(rows[0].cells[i]));
      if (std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end()) {
        at.emplace(column, i);
      }
    }
  }
  require(at.contains("file") && at.contains("class"), ErrorCode::kInvalidInput,
          name +
              ": its first row must name the columns file and class (further ones: material, "
              "size, intensity, onset, caption, shape)");
  LabelTable table;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string where = name + ", line " + std::to_string(rows[i].line);
    std::string fault;
    auto [file, label] = label_of(rows[i], at, fault);
    if (!fault.empty()) {
      table.faults.push_back(where + ": " + fault);
      continue;
    }
    label.where = where;
    table.rows[file].push_back(std::move(label));
  }
  return table;
}

}  // namespace qingyin::tuning
