#include "video_gen/prompt/composer.h"

#include <array>
#include <cctype>
#include <string_view>

#include "core/error.h"
#include "video_gen/prompt/presets.h"
#include "video_gen/prompt/scene.h"

namespace qingyin::prompt {
namespace {

/// Presets that go well together.
struct Look {
  std::string_view style, mood, camera, light;
};

constexpr std::array<Look, 15> kLooks{{
    {"realistic", "calm", "tracking", "golden-hour"},
    {"anime", "joyful", "wide-shot", "daylight"},
    {"film", "mysterious", "push-in", "backlight"},
    {"documentary", "cosy", "handheld", "daylight"},
    {"fantasy-anime", "epic", "low-angle", "backlight"},
    {"cyberpunk", "tense", "tracking", "neon"},
    {"3d-animation", "joyful", "orbit", "studio"},
    {"ink-painting", "lonely", "pull-out", "overcast"},
    {"vintage", "melancholic", "static", "overcast"},
    {"macro", "calm", "extreme-close-up", "studio"},
    {"sci-fi", "epic", "aerial", "neon"},
    {"claymation", "cosy", "medium-shot", "studio"},
    {"oil-painting", "romantic", "pan-right", "candle"},
    {"commercial", "energetic", "close-up", "studio"},
    {"film", "lonely", "high-angle", "moonlight"},
}};
static_assert(kLooks.size() % kPerRound == 0);

std::string sentence(std::string text) {
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text + ".";
}

void add_part(std::string& to, std::string_view part) {
  if (part.empty()) return;
  if (!to.empty()) to += ", ";
  to += part;
}

std::string joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words)
    if (!word.empty()) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

std::string_view phrase(std::span<const Preset> presets, std::string_view name,
                        std::string_view what) {
  return name.empty() ? std::string_view{} : find_preset(presets, name, what).phrase;
}

std::string_view english_name(std::span<const Preset> presets, std::string_view name,
                              std::string_view what) {
  return name.empty() ? std::string_view{} : find_preset(presets, name, what).name;
}

Scene scene_of(const Wish& wish) {
  if (!wish.line.empty() || !wish.has_picture) return read_scene(wish.line);
  Scene scene;
  scene.subject = "the subject of the picture";
  scene.motion = "moving naturally";
  return scene;
}

std::string sound_of(const Scene& scene) {
  std::string text;
  int count = 0;
  for (const std::string& sound : scene.sounds) {
    if (count == 3 || text.find(sound) != text.npos) continue;
    add_part(text, sound);
    ++count;
  }
  return text;
}

std::string text_of(const Wish& wish, const Scene& scene) {
  const std::string_view camera = phrase(cameras(), wish.camera, "camera");
  const std::string_view style = phrase(styles(), wish.style, "style");
  const std::string_view mood = phrase(moods(), wish.mood, "mood");
  const std::string_view light = phrase(lights(), wish.light, "light");
  const std::string seen = joined({scene.subject, scene.motion, scene.place});
  std::string text;
  if (wish.formula == Formula::kSimple) {
    add_part(text, camera);
    add_part(text, seen);
    add_part(text, style);
    return sentence(text);
  }
  add_part(text, camera);
  add_part(text, light);
  std::string last;
  add_part(last, mood);
  add_part(last, style);
  std::string whole = sentence(text);
  for (const std::string& part : {sentence(seen), sentence(last)})
    if (!part.empty()) whole += (whole.empty() ? "" : " ") + part;
  return whole;
}

Composed composed(const Wish& wish, const Scene& scene) {
  return {.text = text_of(wish, scene),
          .style = std::string(english_name(styles(), wish.style, "style")),
          .mood = std::string(english_name(moods(), wish.mood, "mood")),
          .camera = std::string(english_name(cameras(), wish.camera, "camera")),
          .light = std::string(english_name(lights(), wish.light, "light")),
          .sound = sound_of(scene),
          .unknown = scene.unknown};
}

void choose(std::string& slot, std::string_view value) {
  if (slot.empty()) slot = value;
}

}  // namespace

std::vector<Composed> compose(const Wish& wish, int round) {
  require(round >= 0, ErrorCode::kUsage, "rounds of suggestions count from 0");
  const Scene scene = scene_of(wish);
  std::vector<Composed> prompts;
  for (int i = 0; i < kPerRound; ++i) {
    const auto number = static_cast<std::size_t>(round) * kPerRound + static_cast<std::size_t>(i);
    const Look& look = kLooks[number % kLooks.size()];
    Wish filled = wish;
    choose(filled.style, look.style);
    choose(filled.mood, look.mood);
    choose(filled.camera, look.camera);
    choose(filled.light, look.light);
    prompts.push_back(composed(filled, scene));
  }
  return prompts;
}

Composed compose_plain(const Wish& wish) { return composed(wish, scene_of(wish)); }

}  // namespace qingyin::prompt
