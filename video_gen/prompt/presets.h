#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin::prompt {

/// A choice beside the prompt, as the makers of clips name it, and what it says in a prompt.
struct Preset {
  std::string_view name;     // "push-in", the word on the command line
  std::string_view chinese;  // "推镜头"
  std::string_view phrase;   // "the camera slowly pushes in"
};

/// Looks: "realistic", "documentary", "anime", ...
std::span<const Preset> styles();
/// Moods: "calm", "tense", ...
std::span<const Preset> moods();
/// Shots and moves of the camera: "close-up", "tracking", ...
std::span<const Preset> cameras();
/// Light: "golden-hour", "neon", ...
std::span<const Preset> lights();

/// The preset of that English or Chinese name. @throws Error kUsage naming all of `presets`
const Preset& find_preset(std::span<const Preset> presets, std::string_view name,
                          std::string_view what);

}  // namespace qingyin::prompt
