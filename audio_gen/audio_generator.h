#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/audio_buffer.h"
#include "core/events.h"
#include "core/progress.h"
#include "models/adapter/adapter.h"

namespace qingyin {

class ClipSenses;
class WholeSoundEngine;

/// What an engine is and can do.
struct EngineInfo {
  std::string name;  // "bundled"
  int sample_rate_hz = 48000;
  std::map<std::string, std::string> models;  // name -> "sha256..."
  std::vector<std::string> licences = {};     // of its weights, as their publishers name them
};

/// How sound is made; a part of what decides the samples.
struct RenderSettings {
  int steps = 10;                    // of the sampler
  double guidance = 1.2;             // classifier-free, 1: off
  std::string negative_prompt = {};  // what must not be heard; engines that read words alone
  /// What the engine's eyes saw of the clip, for events that are to follow the picture while they
  /// last; none: the words alone decide. Outlives the calls.
  ClipSenses* senses = nullptr;
};

/// How an engine understands a label.
struct LabelMatch {
  std::string label;     // the engine's own class, "impact"
  std::string material;  // the engine's own word, or empty
  bool is_sustained = false;
  bool is_exact = false;    // false: the nearest that the engine has; say so to the user
  bool is_texture = false;  // sustained, without a beginning of its own: rain, wind
  std::string lane = {};    // its usual one, or empty
};

/// Makes sound for events, one at a time: an event's samples depend on the event, the settings and
/// the weights alone; never on its neighbours, on threads, or on where a window lies.
/// Const after construction; all calls may overlap.
class AudioGenerator {
 public:
  virtual ~AudioGenerator() = default;

  virtual EngineInfo info() const = 0;

  /// The engine's class for an event's label, material and caption; none if it has no such sound.
  virtual std::optional<LabelMatch> match(const SoundEvent& event) const = 0;

  /// Told before the first of these is rendered, so that what they share is done once.
  virtual void prepare(std::span<const SoundEvent> /*events*/, const RenderSettings& /*settings*/,
                       const Progress& /*progress*/) const {}

  /// The engine's way to make the sound of a whole clip; null if it makes single sounds alone.
  virtual const WholeSoundEngine* whole() const { return nullptr; }

  /// One event that ends by itself: an impact with its decay, or something sustained from onset to
  /// offset with a release. At most `longest_event()` seconds long; the loudest 50 ms stand at the
  /// level that the intensity asks for (`level_dbfs`), gain_db is not applied.
  /// @throws Error  kInvalidInput if no class matches, naming near ones; kCancelled
  EventSound render(const SoundEvent& event, const RenderSettings& settings,
                    const Progress& progress = {}) const;

  /// A bed from a layer's label, caption and seed (or from a sustained event longer than
  /// `longest_event()`), endless; the caller fades and cuts. Level: as an event of intensity 0.5.
  std::unique_ptr<SoundStream> open_stream(const SoundEvent& like,
                                           const RenderSettings& settings) const;

  static constexpr Seconds longest_event() { return Seconds(10); }

 private:
  virtual EventSound do_render(const SoundEvent& event, const RenderSettings& settings,
                               const Progress& progress) const = 0;
  virtual std::unique_ptr<SoundStream> do_open_stream(const SoundEvent& like,
                                                      const RenderSettings& settings) const = 0;
};

/// Level of an event's loudest 50 ms: -40 dBFS at intensity 0, -11 dBFS at 1, linear between.
double level_dbfs(double intensity);

/// The engine that ships with the program; its weights are in `folder` (models/bundled). Adapters
/// change the classes that they name, and may bring new ones.
/// @throws Error kModelMissing, kBadCheckpoint; kUsage if two adapters bring one new class
std::unique_ptr<AudioGenerator> make_bundled_engine(
    const std::filesystem::path& folder, const std::vector<AdapterChoice>& adapters = {});

}  // namespace qingyin
