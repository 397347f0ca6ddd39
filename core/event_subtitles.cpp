#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/event_text.h"
#include "core/text.h"

namespace qingyin {
namespace {

// Takes a whole number and the separator behind it off `rest`.
std::optional<std::int64_t> take_number(std::string_view& rest) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (status != std::errc() || value < 0 || rest[0] == '-') return {};
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return value;
}

// "01:02:03,456", "02:03.456"; SRT writes a comma, VTT a point, both are taken.
std::optional<Seconds> parse_clock(std::string_view text) {
  std::array<std::int64_t, 3> parts{};  // hours, minutes, seconds
  std::size_t count = 0;
  while (true) {
    const auto number = take_number(text);
    constexpr std::int64_t kMost = 1'000'000;
    if (!number || *number > kMost || count == parts.size()) return {};
    parts[count++] = *number;
    if (text.empty() || text[0] != ':') break;
    text.remove_prefix(1);
  }
  if (count < 2 || text.size() != 4 || (text[0] != ',' && text[0] != '.')) return {};
  text.remove_prefix(1);
  const bool are_digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  const auto milliseconds = take_number(text);
  if (!are_digits || !milliseconds) return {};
  const std::int64_t hours = count == 3 ? parts[0] : 0;
  const std::int64_t minutes = parts[count - 2], seconds = parts[count - 1];
  if (minutes >= 60 || seconds >= 60) return {};
  return Seconds(
      static_cast<double>(((hours * 60 + minutes) * 60 + seconds) * 1000 + *milliseconds) / 1000.0);
}

std::string clock(std::int64_t milliseconds, char point) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%02lld:%02lld:%02lld%c%03lld",
                static_cast<long long>(milliseconds / 3'600'000),
                static_cast<long long>(milliseconds / 60'000 % 60),
                static_cast<long long>(milliseconds / 1000 % 60), point,
                static_cast<long long>(milliseconds % 1000));
  return text.data();
}

// Nearest millisecond that does not lie past `end`.
std::int64_t to_milliseconds(Seconds time, Seconds end) {
  const auto rounded = std::llround(time.count() * 1000.0);
  return static_cast<double>(rounded) / 1000.0 > end.count() ? rounded - 1 : rounded;
}

std::string without_tags(std::string_view text, bool is_vtt) {
  std::string out;
  while (!text.empty()) {
    const bool is_override = text.starts_with("{\\");
    const bool is_tag =
        text[0] == '<' && text.size() > 1 &&
        (is_vtt || text[1] == '/' || std::isalpha(static_cast<unsigned char>(text[1])) != 0);
    const auto end = is_override ? text.find('}')
                     : is_tag    ? text.find('>')
                                 : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += text[0];
      text.remove_prefix(1);
    } else {
      text.remove_prefix(end + 1);
    }
  }
  return out;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kEntities = {
    {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", " "}, {"&lrm;", ""}, {"&rlm;", ""}}};

std::string without_entities(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t length = 1;
    std::string_view character = text.substr(0, 1);
    for (const auto& [entity, meaning] : kEntities) {
      if (!text.starts_with(entity)) continue;
      length = entity.size();
      character = meaning;
    }
    out += character;
    text.remove_prefix(length);
  }
  return out;
}

std::string with_entities(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

// The lines between two empty lines.
struct Block {
  std::vector<std::string_view> lines;
  std::size_t first_line = 0;
};

std::vector<Block> blocks_of(std::string_view text) {
  std::vector<Block> blocks(1);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (trimmed(line).empty()) {
      if (!blocks.back().lines.empty()) blocks.emplace_back();
      continue;
    }
    if (blocks.back().lines.empty()) blocks.back().first_line = number;
    blocks.back().lines.push_back(line);
  }
  if (blocks.back().lines.empty()) blocks.pop_back();
  return blocks;
}

bool is_comment(const Block& block, bool is_vtt) {
  if (!is_vtt) return false;
  for (const std::string_view word : {"WEBVTT", "NOTE", "STYLE", "REGION"}) {
    const std::string_view line = block.lines[0];
    if (line.starts_with(word) &&
        (line.size() == word.size() || line[word.size()] == ' ' || line[word.size()] == '\t')) {
      return true;
    }
  }
  return false;
}

std::optional<TextEvent> read_cue(const Block& block, bool is_vtt, Faults& faults) {
  constexpr std::string_view kArrow = "-->";
  const std::size_t time_row = block.lines[0].find(kArrow) == std::string_view::npos ? 1 : 0;
  const std::size_t line = block.first_line + time_row;
  TextEvent out{{}, line, {}};
  const std::string_view times =
      block.lines.size() > time_row ? block.lines[time_row] : std::string_view{};
  const auto arrow = times.find(kArrow);
  if (arrow == std::string_view::npos) {
    faults.add("line " + std::to_string(block.first_line),
               "expected a cue with a line \"START --> END\", found " + excerpt(block.lines[0]));
    return {};
  }
  const std::string_view begin = trimmed(times.substr(0, arrow));
  std::string_view end = trimmed(times.substr(arrow + kArrow.size()));
  end = end.substr(0, end.find_first_of(" \t"));  // cue settings follow
  const auto onset = parse_clock(begin), offset = parse_clock(end);
  constexpr std::string_view kExpected = "expected a time such as 00:01:02.345, found ";
  if (!onset) faults.add(place_of(line, "onset_s"), std::string(kExpected) + excerpt(begin));
  if (!offset) faults.add(place_of(line, "offset_s"), std::string(kExpected) + excerpt(end));
  out.event.onset = onset.value_or(Seconds(0));
  out.event.offset = offset.value_or(out.event.onset);
  if (is_vtt && time_row == 1 && is_event_id(trimmed(block.lines[0]))) {
    out.event.id = trimmed(block.lines[0]);
  }
  std::string text;
  for (std::size_t i = time_row + 1; i < block.lines.size(); ++i) {
    (text += text.empty() ? "" : " ") += trimmed(block.lines[i]);
  }
  text = without_tags(text, is_vtt);
  read_spoken(is_vtt ? without_entities(text) : text, out.event);
  return out;
}

}  // namespace

std::vector<TextEvent> events_from_subtitles(std::string_view text, bool is_vtt, Faults& faults) {
  std::vector<TextEvent> out;
  if (is_vtt && !text.starts_with("WEBVTT")) {
    faults.add("line 1", "expected WEBVTT, found " + excerpt(text.substr(0, 20)));
  }
  for (const Block& block : blocks_of(text)) {
    if (is_comment(block, is_vtt)) continue;
    if (auto cue = read_cue(block, is_vtt, faults)) out.push_back(std::move(*cue));
    if (out.size() > kMaxEvents) break;
  }
  return out;
}

std::string subtitles_of(const EventTimeline& timeline, bool is_vtt) {
  std::string out = is_vtt ? "WEBVTT\n\n" : "";
  const Seconds end = end_of(timeline.clip);
  const char point = is_vtt ? '.' : ',';
  for (std::size_t i = 0; i < timeline.events.size(); ++i) {
    const SoundEvent& event = timeline.events[i];
    const std::string text = spoken(event);
    (out += is_vtt ? event.id : std::to_string(i + 1)) += "\n";
    out += clock(to_milliseconds(event.onset, end), point) + " --> " +
           clock(to_milliseconds(event.offset, end), point) + "\n";
    if (!text.empty()) out += (is_vtt ? with_entities(text) : text) + "\n";
    out += "\n";
  }
  return out;
}

std::vector<TextEvent> events_from_labels(std::string_view text, Faults& faults) {
  std::vector<TextEvent> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    // A backslash begins Audacity's frequency range of the label before; there is no field for it.
    if (trimmed(line).empty() || line[0] == '\\') continue;
    const auto first = line.find('\t');
    const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
    if (first == std::string_view::npos) {
      faults.add("line " + std::to_string(number),
                 "expected START, END and LABEL with tabs between them, found " + excerpt(line));
      continue;
    }
    const auto begin = line.substr(0, first), end = line.substr(first + 1, second - first - 1);
    const auto onset = parse_number(begin), offset = parse_number(end);
    if (!onset)
      faults.add(place_of(number, "onset_s"), "expected a number, found " + excerpt(begin));
    if (!offset)
      faults.add(place_of(number, "offset_s"), "expected a number, found " + excerpt(end));
    TextEvent read{{}, number, {}};
    read.event.onset = Seconds(onset.value_or(0));
    read.event.offset = Seconds(offset.value_or(read.event.onset.count()));
    if (second != std::string_view::npos) read_spoken(line.substr(second + 1), read.event);
    out.push_back(std::move(read));
    if (out.size() > kMaxEvents) break;
  }
  return out;
}

std::string labels_of(const EventTimeline& timeline) {
  const auto fixed = [](Seconds time) {
    std::array<char, 400> text{};
    const auto [end, status] = std::to_chars(text.data(), text.data() + text.size(), time.count(),
                                             std::chars_format::fixed);
    return status == std::errc() ? std::string(text.data(), end) : std::string();
  };
  std::string out;
  for (const SoundEvent& event : timeline.events) {
    out += fixed(event.onset) + "\t" + fixed(event.offset) + "\t" + spoken(event) + "\n";
  }
  return out;
}

}  // namespace qingyin
