#include "audio_gen/vocabulary.h"

#include <array>

namespace qingyin {
namespace {

using enum SoundShape;

constexpr std::array kClasses{
    SoundClassInfo{"impact", kOneShot, true, "impacts"},
    SoundClassInfo{"footstep", kOneShot, true, "foley"},
    SoundClassInfo{"drop", kOneShot, false, "foley"},
    SoundClassInfo{"bubbles", kTexture, false, "nature"},
    SoundClassInfo{"rain", kTexture, false, "nature"},
    SoundClassInfo{"stream", kTexture, false, "nature"},
    SoundClassInfo{"wind", kTexture, false, "nature"},
    SoundClassInfo{"fire", kTexture, false, "nature"},
    SoundClassInfo{"engine", kTexture, false, "machines"},
    SoundClassInfo{"whoosh", kSustained, false, "whooshes"},
    SoundClassInfo{"explosion", kOneShot, false, "impacts"},
    SoundClassInfo{"bell", kOneShot, false, "impacts"},
    SoundClassInfo{"scrape", kSustained, true, "foley"},
    SoundClassInfo{"rolling", kSustained, true, "foley"},
    SoundClassInfo{"door", kOneShot, true, "foley", "impact"},
    SoundClassInfo{"fall", kOneShot, false, "foley", "impact"},
    SoundClassInfo{"splash", kOneShot, false, "foley", "drop"},
    SoundClassInfo{"break", kOneShot, true, "impacts", "impact"},
    SoundClassInfo{"rustle", kSustained, true, "foley", "scrape"},
    SoundClassInfo{"click", kOneShot, true, "foley", "impact"},
    SoundClassInfo{"vehicle", kSustained, false, "machines", "engine"},
    SoundClassInfo{"gunshot", kOneShot, false, "impacts", "explosion"},
    SoundClassInfo{"animal", kOneShot, false, "voices", "scrape"},
    SoundClassInfo{"bark", kOneShot, false, "voices", "impact"},
    SoundClassInfo{"chirp", kOneShot, false, "voices", "bell"},
    SoundClassInfo{"murmur", kTexture, false, "voices", "stream"},
    SoundClassInfo{"blip", kOneShot, false, "interface", "bell"},
    SoundClassInfo{"riser", kSustained, false, "whooshes", "whoosh"},
};

constexpr std::array<std::string_view, 9> kMaterials{
    "none", "wood", "metal", "glass", "ceramic", "plastic", "stone", "earth", "cloth",
};

}  // namespace

std::span<const SoundClassInfo> sound_classes() { return kClasses; }

std::span<const std::string_view> sound_materials() { return kMaterials; }

std::optional<int> class_id(std::string_view name) {
  for (std::size_t id = 0; id < kClasses.size(); ++id) {
    if (kClasses[id].name == name) return static_cast<int>(id);
  }
  return std::nullopt;
}

int stand_in(int id, int known) {
  while (id >= known) id = class_id(kClasses.at(static_cast<std::size_t>(id)).nearest).value();
  return id;
}

std::optional<int> material_id(std::string_view name) {
  for (std::size_t id = 0; id < kMaterials.size(); ++id) {
    if (kMaterials[id] == name) return static_cast<int>(id);
  }
  return std::nullopt;
}

}  // namespace qingyin
