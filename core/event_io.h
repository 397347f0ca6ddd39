#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/events.h"

namespace qingyin {

/// Which text form a timeline is in.
enum class EventFormat { kJson, kCsv, kAudacityLabels, kSrt, kVtt };

/// A timeline together with the text that it was read from, so that what this program does not
/// know (unknown keys, number spellings, order) survives a change, and an unchanged timeline is
/// written back byte for byte.
class EventDocument {
 public:
  /// A new document without an original text.
  explicit EventDocument(EventTimeline timeline = {});

  /// Parses `qingyin.events/1` JSON. `name` stands in messages.
  /// @throws Error kInvalidInput listing the JSON pointer and the fault of every offending value
  static EventDocument parse_json(std::string_view text, const std::string& name);

  EventTimeline timeline;

  /// The document as JSON, with the original's unknown keys and spellings where unchanged.
  /// Events and ambience layers are recognised by their ids.
  /// @throws Error kInvalidInput if `timeline` breaks a rule (same listing as on reading)
  std::string to_json() const;

 private:
  friend EventDocument parse_events(std::string_view, EventFormat, const std::string&,
                                    std::optional<Seconds>);

  std::string original_text_;
};

/// Parses a timeline in any accepted form; `name` stands in messages. `clip_duration` bounds the
/// events of a text without clip facts of its own.
/// @throws Error kInvalidInput (not UTF-8, over a limit, broken rule), each fault with its place
EventDocument parse_events(std::string_view text, EventFormat format, const std::string& name,
                           std::optional<Seconds> clip_duration = {});

/// The seed of an event that names none: it depends on the id alone, and stays below 2^53 so that
/// programs which keep numbers as doubles do not change it.
std::uint64_t default_seed(std::string_view id);

/// Decides by extension, then by content. @throws Error kInvalidInput if neither tells
EventFormat event_format_of(const std::filesystem::path& path, std::string_view text);

/// Reads a timeline file of any accepted form. CSV, labels and subtitles carry no clip facts:
/// `clip_duration` bounds them where it is known.
/// @throws Error kInvalidInput (missing file, over a limit, broken rule), each fault with its place
EventDocument read_events(const std::filesystem::path& path,
                          std::optional<Seconds> clip_duration = {});

/// The timeline in the given form. Anything but JSON holds the events alone, and of these what
/// docs/events.md says. @throws Error kInvalidInput if `timeline` breaks a rule
std::string to_text(const EventTimeline& timeline, EventFormat format);

/// Every rule of the format that `timeline` breaks, as "pointer: fault"; empty means valid.
std::vector<std::string> problems(const EventTimeline& timeline);

}  // namespace qingyin
