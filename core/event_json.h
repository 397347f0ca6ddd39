#pragma once

#include <optional>
#include <string>

#include "core/events.h"
#include "core/json_text.h"

namespace qingyin {

/// Reads a timeline, events and cuts sorted by time.
/// @param bound  where events must end if the file itself has no clip facts
/// @throws Error kInvalidInput listing every fault
EventTimeline timeline_from(const JsonText& json, const std::string& name,
                            std::optional<Seconds> bound);

/// A timeline without an original text, laid out like the example of docs/events.md.
std::string new_json(const EventTimeline& timeline);

/// `original` with the values of `timeline`: whatever did not change keeps its bytes.
std::string merged_json(const JsonText& original, const EventTimeline& timeline);

}  // namespace qingyin
