#include "audio_gen/bundled/sound_plan.h"

#include <algorithm>
#include <cmath>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/lexicon.h"

namespace qingyin::bundled {
namespace {

constexpr double kCurveStep = 0.01;
constexpr std::int64_t kBlendedTokens = 6;
constexpr std::int64_t kStride = kWindowTokens - kContextTokens - kBlendedTokens;
constexpr double kMiddle = 0.5;

/// The points joined by straight lines, one value every 10 ms; the ends go on.
std::vector<float> curve_of(const std::vector<EnvelopePoint>& points, double duration_s) {
  if (points.empty()) return {};
  std::vector<float> curve(static_cast<std::size_t>(std::max(1.0, duration_s / kCurveStep)));
  std::size_t next = 0;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const Seconds time(static_cast<double>(i) * kCurveStep);
    while (next < points.size() && points[next].time <= time) ++next;
    double level = next == 0 ? points.front().level : points[next - 1].level;
    if (next > 0 && next < points.size()) {
      const double along =
          (time - points[next - 1].time) / (points[next].time - points[next - 1].time);
      level = std::lerp(points[next - 1].level, points[next].level, along);
    }
    curve[i] = static_cast<float>(std::clamp(level, 0.0, 1.0));
  }
  return curve;
}

struct Meaning {
  int class_id;
  bool is_exact;
  LexiconMatch words;
};

/// A class name itself, or the words of the label, or those of the caption; where they only say
/// what a thing is made of, a blow on it.
std::optional<Meaning> meaning_of(const SoundEvent& event, const ClassList& classes) {
  const LexiconMatch label = look_up(event.label);
  if (const auto id = classes.find(event.label)) return Meaning{*id, true, label};
  if (const auto id = class_id(event.label)) return Meaning{*id, true, label};
  if (const auto* word = label.best()) return Meaning{word->class_id, word->is_exact(), label};
  const LexiconMatch caption = look_up(event.caption);
  if (const auto id = classes.find(event.caption)) return Meaning{*id, true, caption};
  if (const auto* word = caption.best()) return Meaning{word->class_id, word->is_exact(), caption};
  for (const LexiconMatch& words : {label, caption}) {
    if (words.material_id) return Meaning{*class_id("impact"), false, words};
  }
  return std::nullopt;
}

int material_of(const SoundEvent& event, const Meaning& meaning) {
  if (const auto id = material_id(event.material)) return *id;
  if (const auto id = look_up(event.material).material_id) return *id;
  if (meaning.words.material_id) return *meaning.words.material_id;
  return look_up(event.caption).material_id.value_or(0);
}

}  // namespace

std::optional<SoundPlan> plan_of(const SoundEvent& event, const ClassList& classes) {
  const auto meaning = meaning_of(event, classes);
  if (!meaning) return std::nullopt;
  const bool is_new = meaning->class_id >= static_cast<int>(sound_classes().size());
  const int class_id = is_new ? meaning->class_id : stand_in(meaning->class_id, classes.known());
  const SoundClassInfo info = classes.info(class_id);
  const double duration_s = (event.offset - event.onset).count();
  return SoundPlan{
      .class_id = class_id,
      .material_id = info.uses_material ? material_of(event, *meaning) : 0,
      .size = std::clamp(event.size.value_or(meaning->words.size.value_or(kMiddle)), 0.0, 1.0),
      .intensity = std::clamp(event.intensity, 0.0, 1.0),
      .seed = event.seed,
      .is_exact = meaning->is_exact && class_id == meaning->class_id,
      .is_texture = info.shape == SoundShape::kTexture,
      .is_sustained = info.shape == SoundShape::kSustained,
      .duration_s = duration_s,
      .level_curve = curve_of(event.envelope, duration_s)};
}

std::vector<float> LatentSequence::next_frames() {
  const auto first = static_cast<std::int64_t>(window_) * kStride;
  // A texture's own curve is applied to its samples: it has never learnt one.
  const SoundCourse course{plan_.is_texture, plan_.is_sustained, plan_.duration_s,
                           plan_.level_curve};
  auto latents = networks_.generate({.class_id = plan_.class_id,
                                     .material_id = plan_.material_id,
                                     .size = plan_.size,
                                     .intensity = plan_.intensity,
                                     .is_texture = plan_.is_texture,
                                     .control = event_control(course, first, kWindowTokens),
                                     .context = context_,
                                     .seed = plan_.seed,
                                     .window = window_,
                                     .steps = settings_.steps,
                                     .guidance = settings_.guidance});
  const auto size_of = [](std::int64_t tokens) { return tokens * kLatentSize; };
  const std::int64_t known = size_of(window_ == 0 ? 0 : kContextTokens);
  const std::int64_t end = size_of(kWindowTokens - kBlendedTokens);
  for (std::size_t i = 0; i < held_.size(); ++i) {
    float& value = latents[static_cast<std::size_t>(known) + i];
    const auto token = static_cast<float>(i / static_cast<std::size_t>(kLatentSize));
    value = std::lerp(held_[i], value, (token + 1) / (kBlendedTokens + 1));
  }
  ++window_;
  held_.assign(latents.begin() + end, latents.end());
  latents.resize(static_cast<std::size_t>(end));
  context_.assign(latents.end() - size_of(kContextTokens), latents.end());
  return networks_.codec().decode(std::span(latents).subspan(static_cast<std::size_t>(known)),
                                  plan_.seed, first + known / kLatentSize);
}

}  // namespace qingyin::bundled
