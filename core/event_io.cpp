#include "core/event_io.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>

#include "core/error.h"
#include "core/event_json.h"
#include "core/event_rules.h"
#include "core/event_text.h"
#include "core/json_text.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::vector<TextEvent> text_events(std::string_view text, EventFormat format, Faults& faults) {
  if (format == EventFormat::kCsv) return events_from_csv(text, faults);
  if (format == EventFormat::kAudacityLabels) return events_from_labels(text, faults);
  return events_from_subtitles(text, format == EventFormat::kVtt, faults);
}

// Gives e1, e2, ... to events without an id, in the order of the text, past the ids in use.
void assign_ids(std::vector<TextEvent>& read, const IdRegister& taken) {
  std::size_t next = 1;
  for (TextEvent& item : read) {
    SoundEvent& event = item.event;
    while (event.id.empty()) {
      std::string id = "e" + std::to_string(next++);
      if (!taken.contains(id)) event.id = std::move(id);
    }
    event.seed = item.seed.value_or(default_seed(event.id));
  }
}

void check_text(std::string_view text, const std::string& name) {
  if (text.size() > kMaxEventFileBytes) {
    throw Error(ErrorCode::kInvalidInput,
                name + ": has " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(kMaxEventFileBytes) + " are read",
                "limit");
  }
  const auto bad = find_bad_utf8(text);
  if (bad == std::string_view::npos) return;
  const std::string_view before = text.substr(0, bad);
  throw Error(ErrorCode::kInvalidInput,
              name + ": line " +
                  std::to_string(std::count(before.begin(), before.end(), '\n') + 1) +
                  ": is not UTF-8 here; save the file as UTF-8");
}

EventTimeline timeline_from_text(std::string_view text, EventFormat format, const std::string& name,
                                 std::optional<Seconds> clip_duration) {
  check_text(text, name);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Faults faults;
  std::vector<TextEvent> read = text_events(text, format, faults);
  check_count(read.size(), [&](const std::string&, const std::string& fault) {
    throw Error(ErrorCode::kInvalidInput, name + ": " + fault, "limit");
  });
  EventTimeline timeline;
  timeline.clip.duration = clip_duration.value_or(Seconds(0));
  const Seconds end = end_of(timeline.clip);
  IdRegister ids;
  for (const TextEvent& item : read) {
    const FaultReport report = [&](const std::string& field, const std::string& fault) {
      if (field == "id" && item.event.id.empty()) return;
      faults.add(place_of(item.line, field), fault);
    };
    check_event(item.event, end, report);
    ids.add(item.event.id, "line " + std::to_string(item.line), report);
  }
  faults.throw_if_any(name);
  assign_ids(read, ids);
  for (TextEvent& item : read) timeline.events.push_back(std::move(item.event));
  std::stable_sort(timeline.events.begin(), timeline.events.end(),
                   [](const auto& a, const auto& b) { return a.onset < b.onset; });
  return timeline;
}

[[noreturn]] void throw_unreadable(const std::filesystem::path& path, const std::string& why) {
  throw Error(ErrorCode::kInvalidInput,
              printable(path) + ": cannot be read: " + why + "; expected an event timeline file");
}

// The first line that holds anything.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = trimmed(take_line(text));
    if (!line.empty()) return line;
  }
  return {};
}

bool is_label_line(std::string_view line) {
  const auto tab = line.find('\t');
  if (tab == std::string_view::npos || !parse_number(line.substr(0, tab))) return false;
  line.remove_prefix(tab + 1);
  return parse_number(line.substr(0, line.find('\t'))).has_value();
}

void require_valid(const EventTimeline& timeline) {
  Faults faults;
  for (const std::string& line : problems(timeline)) {
    const auto colon = line.find(": ");
    faults.add(line.substr(0, colon), line.substr(colon + 2));
  }
  faults.throw_if_any("event timeline");
}

}  // namespace

std::string place_of(std::size_t line, std::string_view field) {
  return "line " + std::to_string(line) + ": " + std::string(field);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<double> parse_number(std::string_view text) {
  const std::string_view word = trimmed(text);
  double value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (status != std::errc() || end != word.data() + word.size() || !std::isfinite(value)) return {};
  return value;
}

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find_first_of("\r\n"), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end);
  rest.remove_prefix(rest.starts_with("\r\n") ? 2 : rest.empty() ? 0 : 1);
  return line;
}

std::string spoken(const SoundEvent& event) {
  std::string text = event.label;
  if (!event.caption.empty()) text += ": " + event.caption;
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return text;
}

void read_spoken(std::string_view text, SoundEvent& event) {
  const std::string_view line = trimmed(text);
  const auto colon = line.find(": ");
  event.label = line.substr(0, colon);
  if (colon != std::string_view::npos) event.caption = line.substr(colon + 2);
}

EventDocument::EventDocument(EventTimeline new_timeline) : timeline(std::move(new_timeline)) {}

EventDocument EventDocument::parse_json(std::string_view text, const std::string& name) {
  return parse_events(text, EventFormat::kJson, name);
}

std::string EventDocument::to_json() const {
  require_valid(timeline);
  if (original_text_.empty()) return new_json(timeline);
  return merged_json(JsonText(original_text_, "event timeline"), timeline);
}

EventDocument parse_events(std::string_view text, EventFormat format, const std::string& name,
                           std::optional<Seconds> clip_duration) {
  if (format != EventFormat::kJson) {
    return EventDocument(timeline_from_text(text, format, name, clip_duration));
  }
  EventDocument document;
  const JsonText json{std::string(text), name, {.bytes = kMaxEventFileBytes}};
  document.timeline = timeline_from(json, name, clip_duration);
  document.original_text_ = text;
  return document;
}

EventFormat event_format_of(const std::filesystem::path& path, std::string_view text) {
  std::string extension = path.extension().native();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (extension == ".json") return EventFormat::kJson;
  if (extension == ".csv") return EventFormat::kCsv;
  if (extension == ".srt") return EventFormat::kSrt;
  if (extension == ".vtt") return EventFormat::kVtt;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::string_view line = first_line(text);
  if (line.starts_with("{")) return EventFormat::kJson;
  if (line.starts_with("WEBVTT")) return EventFormat::kVtt;
  if (is_label_line(line)) return EventFormat::kAudacityLabels;
  if (line.find("onset_s") != std::string_view::npos) return EventFormat::kCsv;
  if (text.substr(0, 4096).find("-->") != std::string_view::npos) return EventFormat::kSrt;
  throw Error(ErrorCode::kInvalidInput,
              printable(path) +
                  ": neither its name nor its content tells the form; expected an "
                  "event timeline as .json, .csv, .srt, .vtt or Audacity labels");
}

EventDocument read_events(const std::filesystem::path& path, std::optional<Seconds> clip_duration) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) throw_unreadable(path, error.message());
  if (!std::filesystem::is_regular_file(status)) throw_unreadable(path, "is not a regular file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw_unreadable(path, std::generic_category().message(errno));
  // One byte past the limit shows that there is more: a huge file is never held.
  const auto bytes = std::min<std::uintmax_t>(std::filesystem::file_size(path),
                                              std::uintmax_t{kMaxEventFileBytes} + 1);
  std::string text(bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw_unreadable(path, "the disk reports an error");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxEventFileBytes) {
    throw Error(ErrorCode::kInvalidInput,
                printable(path) + ": has more than " + std::to_string(kMaxEventFileBytes) +
                    " bytes, the most that an event timeline may have",
                "limit");
  }
  return parse_events(text, event_format_of(path, text), printable(path), clip_duration);
}

std::string to_text(const EventTimeline& timeline, EventFormat format) {
  if (format == EventFormat::kJson) return EventDocument(timeline).to_json();
  require_valid(timeline);
  if (format == EventFormat::kCsv) return csv_of(timeline);
  if (format == EventFormat::kAudacityLabels) return labels_of(timeline);
  return subtitles_of(timeline, format == EventFormat::kVtt);
}

}  // namespace qingyin
