#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/events.h"

namespace qingyin {

/// What a person says about the sound of a clip, in words.
struct Wishes {
  std::string label;                  // what every detected event is
  std::string prompt;                 // free text; phrases are parted by commas and "and"
  std::vector<std::string> ambience;  // beds under the whole clip
};

/// Wishes in the engine's terms.
struct WishPlan {
  struct Kind {
    LabelMatch match;
    std::string words;
  };
  std::optional<Kind> every_event;  // from the label
  std::optional<Kind> strikes;      // from the prompt: what ends by itself
  std::optional<Kind> lasting;      // from the prompt: what goes on for a while
  std::vector<Kind> beds;           // textures of the prompt, and the ambience
  std::string prompt;
  std::vector<std::string> notes;  // what was heard differently from what was said
};

/// The classes that words are mapped to, for messages.
std::string known_words();

/// The engine's class for words that were given as `option`.
/// @throws Error kUsage (reason "unknown_sound") naming the words that it does know
LabelMatch require_match(const AudioGenerator& engine, const SoundEvent& event,
                         const std::string& option);

/// What the engine makes of the words. A phrase of the prompt that it does not know becomes a note,
/// unless it knows none of them.
/// @throws Error  kUsage if it does not know a label, an ambience or any of the prompt, naming the
///                words that it does know
WishPlan plan_wishes(const Wishes& wishes, const AudioGenerator& engine);

/// Writes the plan into a timeline: labels and materials of its unlocked, detected events, and one
/// layer over the whole clip for each bed.
void apply(const WishPlan& plan, const AudioGenerator& engine, EventTimeline& timeline);

}  // namespace qingyin
