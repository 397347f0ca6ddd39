#include "pipeline/wishes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "audio_gen/lexicon.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr double kBedGainDb = -6;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

std::vector<std::string> phrases_of(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kBorders = {
      ",", ";", ".", " and ", " with ", " & ", "，", "、", "。", "和"};
  std::vector<std::string> phrases;
  std::size_t begin = 0, at = 0;
  const auto take = [&](std::size_t end) {
    if (auto phrase = trimmed(text.substr(begin, end - begin)); !phrase.empty()) {
      phrases.push_back(std::move(phrase));
    }
  };
  while (at < text.size()) {
    const auto border = std::find_if(kBorders.begin(), kBorders.end(), [&](std::string_view b) {
      return text.substr(at).starts_with(b);
    });
    if (border == kBorders.end()) {
      ++at;
      continue;
    }
    take(at);
    at += border->size();
    begin = at;
  }
  take(text.size());
  return phrases;
}

std::optional<LabelMatch> ask(const AudioGenerator& engine, const std::string& words) {
  SoundEvent event;
  event.label = words;
  return engine.match(event);
}

[[noreturn]] void throw_unknown(const AudioGenerator& engine, const std::string& words,
                                const std::string& option) {
  std::string near;
  for (const auto name : nearest_classes(words))
    near += (near.empty() ? "" : ", ") + std::string(name);
  throw Error(ErrorCode::kUsage,
              option + ": the engine '" + engine.info().name + "' has no sound for " +
                  excerpt(words) + (near.empty() ? "" : "; near it: " + near) +
                  "; it has sounds for words like these: " + known_words(),
              "unknown_sound");
}

WishPlan::Kind ask_or_throw(const AudioGenerator& engine, const std::string& words,
                            const std::string& option) {
  SoundEvent event;
  event.label = words;
  return {require_match(engine, event, option), words};
}

SoundShape shape_of(const LabelMatch& match) {
  if (match.is_texture) return SoundShape::kTexture;
  if (const auto id = class_id(match.label)) {
    return sound_classes()[static_cast<std::size_t>(*id)].shape;
  }
  return match.is_sustained ? SoundShape::kSustained : SoundShape::kOneShot;
}

void note_nearest(const WishPlan::Kind& kind, std::vector<std::string>& notes) {
  if (kind.match.is_exact) return;
  notes.push_back("'" + kind.words +
                  "' will sound like the nearest that the engine has: " + kind.match.label +
                  (kind.match.material.empty() ? "" : " of " + kind.match.material));
}

void plan_prompt(const std::string& prompt, const AudioGenerator& engine, WishPlan& plan) {
  std::vector<std::string> unknown;
  const auto phrases = phrases_of(prompt);
  for (const auto& phrase : phrases) {
    auto match = ask(engine, phrase);
    if (!match) {
      unknown.push_back(phrase);
      continue;
    }
    const WishPlan::Kind kind{std::move(*match), phrase};
    const SoundShape shape = shape_of(kind.match);
    note_nearest(kind, plan.notes);
    if (shape == SoundShape::kTexture) {
      plan.beds.push_back(kind);
      continue;
    }
    auto& place = shape == SoundShape::kOneShot ? plan.strikes : plan.lasting;
    if (place) {
      plan.notes.push_back("every event is taken for '" + place->words + "'; which one is '" +
                           phrase + "' is for you to say, in the timeline (--timeline)");
    } else {
      place = kind;
    }
  }
  if (!phrases.empty() && unknown.size() == phrases.size()) {
    throw_unknown(engine, prompt, "--prompt");
  }
  for (const auto& phrase : unknown) {
    plan.notes.push_back("the engine has no sound for '" + phrase + "' of the prompt");
  }
}

void take_kind(SoundEvent& event, const WishPlan::Kind& kind) {
  event.label = kind.match.label;
  if (!kind.match.material.empty()) event.material = kind.match.material;
  event.caption = kind.words;
  if (const auto id = class_id(kind.match.label)) {
    event.lane = std::string(sound_classes()[static_cast<std::size_t>(*id)].lane);
  } else if (!kind.match.lane.empty()) {
    event.lane = kind.match.lane;
  }
}

std::string free_layer_id(const EventTimeline& timeline) {
  const auto is_taken = [&](const std::string& id) {
    const auto has_id = [&](const auto& sound) { return sound.id == id; };
    return std::any_of(timeline.ambience.begin(), timeline.ambience.end(), has_id) ||
           std::any_of(timeline.events.begin(), timeline.events.end(), has_id);
  };
  for (int number = 1;; ++number) {
    std::string id = "a" + std::to_string(number);
    if (!is_taken(id)) return id;
  }
}

}  // namespace

std::string known_words() {
  std::string words;
  for (const auto& known : sound_classes()) {
    words += (words.empty() ? "" : ", ") + std::string(known.name);
  }
  return words + "; a class of your own comes with its adapter: --adapter FILE";
}

LabelMatch require_match(const AudioGenerator& engine, const SoundEvent& event,
                         const std::string& option) {
  if (auto match = engine.match(event)) return *match;
  throw_unknown(engine, event.label, option);
}

WishPlan plan_wishes(const Wishes& wishes, const AudioGenerator& engine) {
  WishPlan plan;
  plan.prompt = wishes.prompt;
  if (!wishes.label.empty()) {
    plan.every_event = ask_or_throw(engine, wishes.label, "--label");
    note_nearest(*plan.every_event, plan.notes);
  }
  plan_prompt(wishes.prompt, engine, plan);
  for (const auto& words : wishes.ambience) {
    plan.beds.push_back(ask_or_throw(engine, words, "--ambience"));
    note_nearest(plan.beds.back(), plan.notes);
  }
  return plan;
}

void apply(const WishPlan& plan, const AudioGenerator& engine, EventTimeline& timeline) {
  for (auto& event : timeline.events) {
    if (event.locked || event.source == "user") continue;
    const auto match = engine.match(event);
    const auto& said = match && match->is_sustained ? plan.lasting : plan.strikes;
    if (plan.every_event) {
      take_kind(event, *plan.every_event);
    } else if (said) {
      take_kind(event, *said);
    }
  }
  for (const auto& bed : plan.beds) {
    AmbienceLayer layer;
    layer.id = free_layer_id(timeline);
    layer.label = bed.match.label;
    layer.caption = bed.words;
    layer.offset = timeline.clip.duration;
    layer.gain_db = kBedGainDb;
    timeline.ambience.push_back(std::move(layer));
  }
  if (!plan.prompt.empty()) timeline.prompt = plan.prompt;
}

}  // namespace qingyin
