#include <algorithm>
#include <array>
#include <charconv>

#include "core/event_text.h"
#include "core/json_text.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::array<std::string_view, 17> kColumns = {
    "onset_s", "offset_s", "label",  "intensity",  "caption", "material",
    "size",    "gain_db",  "pan",    "x",          "y",       "lane",
    "id",      "seed",     "locked", "confidence", "source"};

struct Record {
  std::vector<std::string> cells;
  std::size_t line = 0;
};

// Splits RFC 4180 text into records, one call each.
class CsvReader {
 public:
  CsvReader(std::string_view text, Faults& faults) : rest_(text), faults_(faults) {}

  std::optional<Record> next() {
    while (!rest_.empty() && (rest_[0] == '\n' || rest_[0] == '\r')) end_line();
    if (rest_.empty()) return {};
    Record record{{}, line_};
    while (true) {
      record.cells.push_back(!rest_.empty() && rest_[0] == '"' ? quoted(record.line) : plain());
      if (rest_.empty()) return record;
      if (rest_[0] != ',') {
        end_line();
        return record;
      }
      rest_.remove_prefix(1);
    }
  }

 private:
  void end_line() {
    take_line(rest_);
    ++line_;
  }

  std::string plain() {
    const auto end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    std::string cell(rest_.substr(0, end));
    if (cell.find('"') != std::string::npos) {
      fault(line_, "a quote inside a cell that does not begin with one: " + excerpt(cell));
    }
    rest_.remove_prefix(end);
    return cell;
  }

  std::string quoted(std::size_t first_line) {
    std::string cell;
    rest_.remove_prefix(1);
    while (true) {
      const auto quote = rest_.find('"');
      if (quote == std::string_view::npos) {
        fault(first_line, "a quoted cell has no end");
        rest_ = {};
        return cell;
      }
      cell += rest_.substr(0, quote);
      line_ += static_cast<std::size_t>(
          std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
      rest_.remove_prefix(quote + 1);
      if (rest_.empty() || rest_[0] != '"') break;
      cell += '"';
      rest_.remove_prefix(1);
    }
    if (!rest_.empty() && std::string_view(",\r\n").find(rest_[0]) == std::string_view::npos) {
      fault(line_, "text behind a quoted cell: " + excerpt(rest_.substr(0, 20)));
      rest_.remove_prefix(std::min(rest_.find_first_of(",\r\n"), rest_.size()));
    }
    return cell;
  }

  void fault(std::size_t line, const std::string& what) {
    faults_.add("line " + std::to_string(line), what);
  }

  std::string_view rest_;
  Faults& faults_;
  std::size_t line_ = 1;
};

// The cells of one record by column name.
class Row {
 public:
  Row(const std::vector<std::string>& header, const Record& record, Faults& faults)
      : header_(header), record_(record), faults_(faults) {}

  std::string get(std::string_view column) const {
    const auto found = std::find(header_.begin(), header_.end(), column);
    if (found == header_.end()) return {};
    return record_.cells[static_cast<std::size_t>(found - header_.begin())];
  }

  void fault(std::string_view column, const std::string& what) const {
    faults_.add(place_of(record_.line, column), what);
  }

  bool read(std::string_view column, double& to) const {
    const std::string cell = get(column);
    if (trimmed(cell).empty()) return false;
    if (const auto number = parse_number(cell)) {
      to = *number;
      return true;
    }
    fault(column, "expected a number, found " + excerpt(cell));
    return false;
  }
  void read(std::string_view column, std::optional<double>& to) const {
    if (double number = 0; read(column, number)) to = number;
  }
  bool read(std::string_view column, Seconds& to) const {
    double seconds = 0;
    const bool is_there = read(column, seconds);
    if (is_there) to = Seconds(seconds);
    return is_there;
  }
  void read(std::string_view column, std::string& to) const {
    if (std::string cell = get(column); !cell.empty()) to = std::move(cell);
  }
  void read(std::string_view column, std::uint64_t& to) const {
    const std::string cell = get(column);
    const std::string_view word = trimmed(cell);
    if (word.empty()) return;
    const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), to);
    if (status != std::errc() || end != word.data() + word.size()) {
      fault(column,
            "expected a whole number from 0 to 18446744073709551615, found " + excerpt(cell));
    }
  }
  void read(std::string_view column, bool& to) const {
    const std::string cell = get(column);
    const std::string_view word = trimmed(cell);
    if (word.empty()) return;
    to = word == "true" || word == "1";
    if (!to && word != "false" && word != "0") {
      fault(column, "expected true or false, found " + excerpt(cell));
    }
  }

 private:
  const std::vector<std::string>& header_;
  const Record& record_;
  Faults& faults_;
};

SoundEvent read_event(const Row& row) {
  SoundEvent event;
  row.read("id", event.id);
  if (!row.read("onset_s", event.onset) && trimmed(row.get("onset_s")).empty()) {
    row.fault("onset_s", "is missing");
  }
  event.offset = event.onset;
  row.read("offset_s", event.offset);
  row.read("label", event.label);
  row.read("intensity", event.intensity);
  row.read("caption", event.caption);
  row.read("material", event.material);
  row.read("size", event.size);
  row.read("gain_db", event.gain_db);
  row.read("pan", event.pan);
  row.read("lane", event.lane);
  row.read("locked", event.locked);
  row.read("confidence", event.confidence);
  row.read("source", event.source);
  std::optional<double> x, y;
  row.read("x", x);
  row.read("y", y);
  if (x.has_value() != y.has_value()) row.fault(x ? "y" : "x", "is missing beside its partner");
  if (x && y) event.position = {*x, *y};
  return event;
}

std::vector<std::string> read_header(const Record& record, Faults& faults) {
  std::vector<std::string> header;
  for (const std::string& cell : record.cells) {
    const std::string name(trimmed(cell));
    const bool is_known = std::find(kColumns.begin(), kColumns.end(), name) != kColumns.end();
    if (!is_known) {
      std::string known;
      for (const auto column : kColumns) (known += known.empty() ? "" : ",") += column;
      faults.add(place_of(record.line, excerpt(name)), "is no column of ours; known: " + known);
    } else if (std::find(header.begin(), header.end(), name) != header.end()) {
      faults.add(place_of(record.line, name), "stands twice in the header");
    }
    header.push_back(name);
  }
  for (const char* needed : {"onset_s", "label"}) {
    if (std::find(header.begin(), header.end(), needed) == header.end()) {
      faults.add(place_of(record.line, needed), "is missing in the header");
    }
  }
  return header;
}

std::string csv_cell(const std::string& text) {
  const bool is_plain = text.find_first_of(",\"\r\n") == std::string::npos;
  if (is_plain) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

}  // namespace

std::vector<TextEvent> events_from_csv(std::string_view text, Faults& faults) {
  std::vector<TextEvent> out;
  CsvReader reader(text, faults);
  const auto first = reader.next();
  if (!first) {
    faults.add("line 1", "expected a header such as onset_s,offset_s,label");
    return out;
  }
  const auto header = read_header(*first, faults);
  while (const auto record = reader.next()) {
    if (record->cells.size() != header.size()) {
      faults.add("line " + std::to_string(record->line),
                 "has " + std::to_string(record->cells.size()) + " cells where the header has " +
                     std::to_string(header.size()));
      continue;
    }
    const Row row(header, *record, faults);
    TextEvent read{read_event(row), record->line, {}};
    if (!trimmed(row.get("seed")).empty()) row.read("seed", read.seed.emplace(0));
    out.push_back(std::move(read));
    if (out.size() > kMaxEvents) return out;
  }
  return out;
}

std::string csv_of(const EventTimeline& timeline) {
  std::string out;
  for (const auto column : kColumns) (out += out.empty() ? "" : ",") += column;
  out += "\n";
  const auto number = [](const std::optional<double>& value) {
    return value ? json_number(*value) : std::string();
  };
  for (const SoundEvent& event : timeline.events) {
    const bool is_placed = event.position.has_value();
    const std::array<std::string, kColumns.size()> cells = {
        json_number(event.onset.count()),
        json_number(event.offset.count()),
        csv_cell(event.label),
        json_number(event.intensity),
        csv_cell(event.caption),
        csv_cell(event.material),
        number(event.size),
        json_number(event.gain_db),
        number(event.pan),
        is_placed ? json_number((*event.position)[0]) : "",
        is_placed ? json_number((*event.position)[1]) : "",
        csv_cell(event.lane),
        event.id,
        std::to_string(event.seed),
        event.locked ? "true" : "false",
        json_number(event.confidence),
        csv_cell(event.source)};
    for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? "" : ",") + cells[i];
    out += "\n";
  }
  return out;
}

}  // namespace qingyin
