#include "audio_gen/mmaudio/mmaudio_engine.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "audio_gen/lexicon.h"
#include "audio_gen/mmaudio/event_cut.h"
#include "audio_gen/mmaudio/event_view.h"
#include "audio_gen/mmaudio/mmaudio_sounds.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"

namespace qingyin::mmaudio {
namespace {

constexpr Seconds kLasting(1);  // unknown words for that long are something that lasts
constexpr Seconds kLead(1);     // that a lasting sound may take to begin

/// What an event is, in words.
std::string words_of(const SoundEvent& event) {
  if (!event.caption.empty()) return event.caption;
  if (event.material.empty() || event.label.find(event.material) != std::string::npos)
    return event.label;
  return event.material + " " + event.label;
}

class Engine : public AudioGenerator, public WholeSoundEngine {
 public:
  Engine(EngineOptions options, std::shared_ptr<WordReader> words)
      : options_(std::move(options)),
        workshop_(std::make_shared<Workshop>(options_)),
        words_(std::move(words)) {}

  EngineInfo info() const override {
    return {.name = options_.name,
            .sample_rate_hz = options_.model.sound.sample_rate_hz,
            .models = options_.models,
            .licences = options_.licences};
  }

  std::optional<LabelMatch> match(const SoundEvent& event) const override {
    std::string words = words_of(event);
    if (words.empty()) return std::nullopt;
    const LexiconMatch known = look_up(words);
    LabelMatch found{.label = std::move(words), .material = event.material, .is_exact = true};
    if (const SoundWord* const word = known.best()) {
      const auto shape = sound_classes()[static_cast<std::size_t>(word->class_id)].shape;
      found.is_texture = shape == SoundShape::kTexture;
      found.is_sustained = shape != SoundShape::kOneShot;
    }
    found.is_sustained |= known.sustained.value_or(false) || event.offset - event.onset >= kLasting;
    return found;
  }

  void prepare(std::span<const SoundEvent> events, const RenderSettings& settings,
               const Progress& progress) const override {
    const std::lock_guard lock(workshop_->mutex);
    for (std::size_t i = 0; i < events.size(); ++i) {
      report(progress, "reading words",
             static_cast<double>(i) / static_cast<double>(events.size()));
      words_->read(words_of(events[i]));
    }
    negative_of(settings);
    words_->rest();
  }

  const WholeSoundEngine* whole() const override { return this; }

  SightNeed sight_need(Seconds duration, const std::vector<Seconds>& cuts) const override {
    const auto plan = plan_windows(options_.model.sound, duration, cuts);
    const Window& last = plan.windows.back();
    return {.pictures = last.first_picture + last.pictures,
            .segments = last.first_segment + last.segments};
  }

  SightNeed sight_need(std::span<const SoundEvent> events) const override {
    SightNeed need;
    for (const SoundEvent& event : events) {
      const auto found = match(event);
      if (!found || (found->is_sustained && event.offset - event.onset > longest_event())) continue;
      const EventView view(event.onset, event.offset);
      need.pictures = std::max(need.pictures, view.pictures().end);
      need.segments = std::max(need.segments, view.segments().end);
      const Seconds begin = view.begin(), end = view.end();
      need.spans.emplace_back(begin, end);
    }
    return need;
  }

  std::unique_ptr<SoundStream> render_whole(const WholeWish& wish,
                                            const Progress& progress) const override {
    const std::lock_guard lock(workshop_->mutex);
    const auto plan = plan_windows(options_.model.sound, wish.duration, wish.cuts);
    const std::int64_t channels = options_.model.sound.latents;
    NoiseSource noise = options_.noise.empty()
                            ? noise_of_seed(wish.seed, channels)
                            : noise_of_file(options_.noise.string(), plan.latents(), channels);
    const auto text = words_->read(wish.prompt);
    const auto negative = negative_of(wish.settings);
    words_->rest();
    workshop_->make_room_for_flow();
    LatentTrack track(workshop_->networks, std::move(noise), sampling(wish.settings));
    const auto count = static_cast<double>(plan.windows.size());
    for (std::size_t w = 0; w < plan.windows.size(); ++w) {
      const Window& window = plan.windows[w];
      const auto conditions = see(window, wish.senses, text.values, negative);
      const std::int64_t overlap =
          w + 1 < plan.windows.size() ? window.end_latent() - plan.windows[w + 1].first_latent : 0;
      const double done = static_cast<double>(w);
      track.add(window, conditions, w == 0 ? Join{} : plan.joins[w - 1], overlap,
                part_of(progress, done / count, (done + 1) / count));
    }
    const auto latents = track.latents(0, plan.latents());
    return std::make_unique<FinishedSound>(workshop_,
                                           std::vector<float>(latents.begin(), latents.end()));
  }

 private:
  static SampleSettings sampling(const RenderSettings& settings) {
    return {.steps = settings.steps, .guidance = settings.guidance};
  }

  std::vector<float> negative_of(const RenderSettings& settings) const {
    if (settings.negative_prompt.empty()) return {};
    return words_->read(settings.negative_prompt).values;
  }

  WindowConditions see(const Window& window, ClipSenses* senses, std::span<const float> text,
                       std::span<const float> negative) const {
    if (senses == nullptr) return workshop_->conditions_of_words(window, text, negative);
    const auto pictures = senses->pictures(window.first_picture, window.pictures);
    const auto motion = senses->motion(window.first_segment, window.segments);
    return workshop_->networks.prepare(
        {.clip = pictures.values, .sync = motion.values, .text = text, .negative_text = negative},
        window.latents);
  }

  /// The picture while the event lasts, if there are senses, and the words.
  WindowConditions see(const Window& window, const EventView& view, ClipSenses* senses,
                       std::span<const float> text, std::span<const float> negative) const {
    if (senses == nullptr) return workshop_->conditions_of_words(window, text, negative);
    const FlowConfig& sizes = options_.model.flow;
    const MaskedSight sight = view.look(window, *senses, sizes.clip_size, sizes.sync_size);
    if (sight.sees_nothing) return workshop_->conditions_of_words(window, text, negative);
    return workshop_->networks.prepare({.clip = sight.clip,
                                        .sync = sight.sync,
                                        .text = text,
                                        .negative_text = negative,
                                        .clip_seen = sight.clip_seen,
                                        .sync_seen = sight.sync_seen},
                                       window.latents);
  }

  EventSound do_render(const SoundEvent& event, const RenderSettings& settings,
                       const Progress& progress) const override {
    const LabelMatch found = need_match(event);
    const Seconds length = event.offset - event.onset;
    require(!found.is_sustained || length <= longest_event(), ErrorCode::kInvalidInput,
            "sound: event " + event.id + " lasts longer than 10 s; open a stream for it");
    const std::lock_guard lock(workshop_->mutex);
    const auto text = words_->read(found.label);
    const auto negative = negative_of(settings);
    const SoundFormat& format = options_.model.sound;
    const Seconds wanted =
        std::max(duration_of(kWindowSegments), length + (settings.senses ? 2 : 1) * kLead);
    const auto plan = plan_windows(format, wanted, {});
    workshop_->make_room_for_flow();
    const EventView view(event.onset, event.offset);
    LatentTrack track(workshop_->networks, noise_of_seed(event.seed, format.latents),
                      sampling(settings));
    for (std::size_t w = 0; w < plan.windows.size(); ++w) {
      const Window& window = plan.windows[w];
      const std::int64_t overlap =
          w + 1 < plan.windows.size() ? window.end_latent() - plan.windows[w + 1].first_latent : 0;
      track.add(window, see(window, view, settings.senses, text.values, negative),
                w == 0 ? Join{} : plan.joins[w - 1], overlap, progress);
    }
    workshop_->make_room_for_sound();
    const auto mel = workshop_->networks.to_mel(track.latents(0, plan.latents()));
    const auto expected = settings.senses ? std::optional(view.onset()) : std::nullopt;
    return workshop_->sound_of_event(
        mel, cut_event(mel, format, length, found.is_sustained, expected), event.intensity);
  }

  std::unique_ptr<SoundStream> do_open_stream(const SoundEvent& like,
                                              const RenderSettings& settings) const override {
    const LabelMatch found = need_match(like);
    const std::lock_guard lock(workshop_->mutex);
    const auto text = words_->read(found.label);
    auto negative = negative_of(settings);
    words_->rest();
    return std::make_unique<EndlessSound>(workshop_, text.values, std::move(negative), like.seed,
                                          sampling(settings));
  }

  LabelMatch need_match(const SoundEvent& event) const {
    auto found = match(event);
    require(found.has_value(), ErrorCode::kInvalidInput,
            "sound: event " + event.id + " has neither a label nor a caption");
    return *std::move(found);
  }

  EngineOptions options_;
  std::shared_ptr<Workshop> workshop_;
  std::shared_ptr<WordReader> words_;
};

}  // namespace

RenderSettings default_settings() { return {.steps = 25, .guidance = 4.5}; }

std::unique_ptr<AudioGenerator> make_engine(EngineOptions options,
                                            std::shared_ptr<WordReader> words) {
  return std::make_unique<Engine>(std::move(options), std::move(words));
}

}  // namespace qingyin::mmaudio
