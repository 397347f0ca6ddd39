#include "pipeline/batch/manifest_rows.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/json_text.h"
#include "core/text.h"

namespace qingyin::batch {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string text_of(const JsonValue& value, const std::string& key) {
  if (value.is(JsonKind::kString)) return value.as_string();
  if (value.is(JsonKind::kNumber)) return std::string(value.spelling());
  throw Error(ErrorCode::kUsage, excerpt(key) + " is " + std::string(name_of(value.kind())) +
                                     ", expected text, a number or a list of texts");
}

ManifestRow json_row(std::string_view line, std::size_t number) {
  ManifestRow row{.line = number};
  try {
    const JsonText json(std::string(line), "this row", {.bytes = 1U << 20U, .depth = 4});
    require(json.root().is(JsonKind::kObject), ErrorCode::kUsage,
            "expected an object, {\"input\": \"clip.mp4\"}");
    for (const auto& [key, value] : json.root().members()) {
      const std::string name = key.as_string();
      if (value.is(JsonKind::kNull)) continue;
      std::vector<std::string> values;
      if (value.is(JsonKind::kArray)) {
        for (const auto& element : value.items()) values.push_back(text_of(element, name));
      } else {
        values.push_back(text_of(value, name));
      }
      row.cells.emplace_back(name, std::move(values));
    }
  } catch (const Error& error) {
    row.fault = error.what();
  }
  return row;
}

std::vector<ManifestRow> jsonl_rows(std::string_view text) {
  std::vector<ManifestRow> rows;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = take_line(text);
    if (!is_blank(line)) rows.push_back(json_row(line, number));
  }
  return rows;
}

// Reads RFC 4180 records one after the other.
class CsvRecords {
 public:
  explicit CsvRecords(std::string_view text) : rest_(text) {}

  struct Record {
    std::size_t line;
    std::vector<std::string> cells = {};
    std::string fault = {};
  };

  std::optional<Record> next() {
    while (!rest_.empty() && (rest_[0] == '\n' || rest_[0] == '\r')) skip(1);
    if (rest_.empty()) return {};
    Record record{.line = line_};
    while (true) {
      record.cells.push_back(rest_.starts_with('"') ? quoted(record) : plain());
      if (!rest_.starts_with(',')) break;
      skip(1);
    }
    if (!rest_.empty() && rest_[0] != '\n' && rest_[0] != '\r') {
      record.fault = "text behind a quoted cell";
      skip(std::min(rest_.find('\n'), rest_.size()));
    }
    return record;
  }

 private:
  void skip(std::size_t count) {
    const auto gone = rest_.substr(0, count);
    line_ += static_cast<std::size_t>(std::count(gone.begin(), gone.end(), '\n'));
    rest_.remove_prefix(count);
  }

  std::string plain() {
    const auto end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    std::string cell(rest_.substr(0, end));
    skip(end);
    return cell;
  }

  std::string quoted(Record& record) {
    std::string cell;
    skip(1);
    while (true) {
      const auto quote = rest_.find('"');
      if (quote == std::string_view::npos) {
        record.fault = "a quoted cell has no end";
        skip(rest_.size());
        return cell;
      }
      cell += rest_.substr(0, quote);
      skip(quote + 1);
      if (!rest_.starts_with('"')) return cell;
      cell += '"';
      skip(1);
    }
  }

  std::string_view rest_;
  std::size_t line_ = 1;
};

std::vector<std::string> split_list(const std::string& cell) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= cell.size();) {
    const auto end = std::min(cell.find(';', at), cell.size());
    const auto part = std::string_view(cell).substr(at, end - at);
    const auto first = part.find_first_not_of(' ');
    if (first != std::string_view::npos) {
      parts.emplace_back(part.substr(first, part.find_last_not_of(' ') - first + 1));
    }
    at = end + 1;
  }
  return parts;
}

std::vector<ManifestRow> csv_rows(std::string_view text, const std::string& name) {
  CsvRecords records(text);
  const auto header = records.next();
  const bool has_input = header && std::find(header->cells.begin(), header->cells.end(), "input") !=
                                       header->cells.end();
  require(has_input, ErrorCode::kInvalidInput,
          excerpt(name) +
              ": the first line has no column 'input'; expected a header such as "
              "input,prompt,seed");
  std::vector<ManifestRow> rows;
  while (auto record = records.next()) {
    ManifestRow row{.line = record->line, .fault = std::move(record->fault)};
    if (row.fault.empty() && record->cells.size() > header->cells.size()) {
      row.fault = std::to_string(record->cells.size()) + " cells under " +
                  std::to_string(header->cells.size()) + " columns";
    }
    const std::size_t count = std::min(record->cells.size(), header->cells.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& cell = record->cells[i];
      if (cell.empty()) continue;
      const bool is_list = header->cells[i] == "ambience";
      row.cells.emplace_back(header->cells[i],
                             is_list ? split_list(cell) : std::vector<std::string>{cell});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<ManifestRow> path_rows(std::string_view text) {
  const bool has_nul = text.find('\0') != std::string_view::npos;
  std::vector<ManifestRow> rows;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view path;
    if (has_nul) {
      path = text.substr(0, text.find('\0'));
      text.remove_prefix(std::min(path.size() + 1, text.size()));
    } else {
      path = take_line(text);
    }
    if (path.empty()) continue;
    rows.push_back({.line = number, .cells = {{"input", {std::string(path)}}}});
  }
  return rows;
}

ManifestForm guessed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return ManifestForm::kJsonl;
  auto rest = text;
  const auto header = CsvRecords(take_line(rest)).next();
  const bool is_csv = header && std::find(header->cells.begin(), header->cells.end(), "input") !=
                                    header->cells.end();
  return is_csv ? ManifestForm::kCsv : ManifestForm::kPaths;
}

}  // namespace

std::vector<ManifestRow> split_manifest(const std::string& text, ManifestForm form,
                                        const std::string& name) {
  std::string_view rest = text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  switch (form == ManifestForm::kAuto ? guessed(rest) : form) {
    case ManifestForm::kJsonl:
      return jsonl_rows(rest);
    case ManifestForm::kCsv:
      return csv_rows(rest, name);
    default:
      return path_rows(rest);
  }
}

}  // namespace qingyin::batch
