#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace qingyin {

/// How a class behaves in time.
enum class SoundShape {
  kOneShot,    // ends by itself: impact, bell, explosion
  kSustained,  // lasts from onset to offset: scrape, rolling, whoosh
  kTexture,    // a statistical texture that can go on for ever: rain, wind, engine
};

/// A class of the sound bank. Its place in `sound_classes()` is its id, also in weights that were
/// trained on it; older weights know the first classes only.
struct SoundClassInfo {
  std::string_view name;  // "impact"
  SoundShape shape;
  bool uses_material;
  std::string_view lane;          // default stem
  std::string_view nearest = {};  // an older class that stands in; empty for the first 14
};

/// All classes, in the order of their ids. New ones are appended, never inserted.
std::span<const SoundClassInfo> sound_classes();

/// All materials by id; id 0 is "none".
std::span<const std::string_view> sound_materials();

std::optional<int> class_id(std::string_view name);

/// The class itself where it is among the first `known` ones, else the nearest that is, by way of
/// `SoundClassInfo::nearest`.
/// @param known  how many classes the weights were trained on, at least 14
int stand_in(int class_id, int known);

std::optional<int> material_id(std::string_view name);

}  // namespace qingyin
