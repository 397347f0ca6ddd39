#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event_io.h"
#include "core/event_rules.h"

// The forms other than JSON. Each reader takes well-formed UTF-8 without byte order mark, adds what
// it finds wrong as "line 7: onset_s", and leaves ids, bounds and order to its caller.
namespace qingyin {

/// An event, the line of the text that it begins on, and its seed where the text names one.
struct TextEvent {
  SoundEvent event;
  std::size_t line = 0;
  std::optional<std::uint64_t> seed;
};

std::vector<TextEvent> events_from_csv(std::string_view text, Faults& faults);
std::vector<TextEvent> events_from_labels(std::string_view text, Faults& faults);
/// SRT and VTT.
std::vector<TextEvent> events_from_subtitles(std::string_view text, bool is_vtt, Faults& faults);

std::string csv_of(const EventTimeline& timeline);
std::string labels_of(const EventTimeline& timeline);
std::string subtitles_of(const EventTimeline& timeline, bool is_vtt);

/// "line 7: FIELD".
std::string place_of(std::size_t line, std::string_view field);

/// A whole cell or word as a finite number, surrounding spaces aside.
std::optional<double> parse_number(std::string_view text);

/// The text without spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// Takes the next line off `rest`; LF, CRLF and a lone CR end a line.
std::string_view take_line(std::string_view& rest);

/// What labels and subtitles hold of an event: "LABEL" or "LABEL: CAPTION", in one line.
std::string spoken(const SoundEvent& event);
void read_spoken(std::string_view text, SoundEvent& event);

}  // namespace qingyin
