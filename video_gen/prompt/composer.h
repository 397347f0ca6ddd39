#pragma once

#include <string>
#include <vector>

namespace qingyin::prompt {

/// How much a prompt says (the product guide's two formulas).
enum class Formula {
  kSimple,  // camera movement + scene + detail
  kFull,    // lens + light + subject + motion + scene + mood, atmosphere, style
};

/// What a person wants; names of presets in English or Chinese, empty: chosen for them.
struct Wish {
  std::string line = {};  // English or Chinese; may be empty where there is a picture
  Formula formula = Formula::kFull;
  std::string style = {}, mood = {}, camera = {}, light = {};
  bool has_picture = false;  // image to video: the picture shows the subject, words add to it
};

/// A prompt for the video model, and the sound that goes with it.
struct Composed {
  std::string text;                        // English
  std::string style, mood, camera, light;  // the presets' names
  std::string sound;                       // a proposal for `--sound`, may be empty
  std::vector<std::string> unknown;        // parts of the line that were left out
};

inline constexpr int kPerRound = 3;

/// Three prompts of different style from one line; another round gives three others. The same wish
/// and round give the same prompts. A preset that the wish names stands in all of them.
/// @param round  from 0
/// @throws Error kUsage if a preset is not known, or the line cannot be read
std::vector<Composed> compose(const Wish& wish, int round = 0);

/// The wish as it is, with its presets and nothing chosen for it.
/// @throws Error kUsage
Composed compose_plain(const Wish& wish);

}  // namespace qingyin::prompt
