#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/atomic_file.h"
#include "core/event_io.h"
#include "core/media/clip.h"
#include "core/progress.h"
#include "pipeline/report.h"
#include "pipeline/wishes.h"
#include "sync/original_sound.h"
#include "understanding/understanding.h"

namespace qingyin {

class ClipSenses;
class Labeller;
class Sight;
class Mastering;
class WholeSoundEngine;
struct PassFacts;

/// Which way an engine goes: single sounds where the timeline wants them, or the whole clip by the
/// engine's own eyes.
enum class RenderWay { kEvents, kWhole };

/// How the sound of a result is made.
struct SoundOptions {
  RenderSettings settings = {};
  std::uint64_t seed = 0;  // of every event that has none of its own
  int threads = 1;         // never changes a sample
  OriginalSound original = OriginalSound::kKeep;
  std::string loudness = "none";         // name of a target, see sync/mastering.h
  std::vector<std::string> reroll = {};  // ids of events that get a new seed
  RenderWay way = RenderWay::kEvents;
  bool sees = true;  // whole: false goes by the words alone
  bool sees_events =
      false;  // events: each follows the picture while it lasts, by the engine's eyes
};

/// The files of a result. Empty paths: not wanted.
struct OutputRequest {
  std::filesystem::path mix;       // .wav, .flac: sound only; otherwise with the clip's picture
  std::filesystem::path stems;     // folder, created
  std::filesystem::path timeline;  // what was rendered, as qingyin.events/1
  Overwrite overwrite = Overwrite::kNo;
};

/// What a run made, or had made before.
struct Result {
  Report report;
  std::filesystem::path report_file;
  bool was_already_made = false;  // same input, settings and program: nothing was done
};

/// What was found in a clip, and what the user should know about it.
struct Understood {
  EventTimeline timeline;
  std::vector<std::string> warnings;
  std::map<std::string, std::int64_t> features = {};  // what naming computed, or knew
};

/// A single sound asked for in words.
struct EffectRequest {
  std::string words;
  std::optional<Seconds> duration;  // none: as long as the sound is
  double intensity = 0.8;
  std::string material;
  std::optional<double> size;
};

/// The stages in a row: understanding -> sound -> alignment and mix -> file and report. Memory does
/// not grow with the duration. Every call stops soon after its Progress says so, and then leaves
/// nothing behind. Const after construction; calls may overlap.
class Pipeline {
 public:
  /// How the stages were set up, by name: part of a result's identity, and of its report.
  using Choices = std::map<std::string, std::string>;

  /// Any stage may be missing for calls that do not need it.
  /// @param sight     the engine's eyes, for the sound of whole clips
  /// @param labeller  names what the detector found; none: the detector's names stay
  Pipeline(std::unique_ptr<Understanding> understanding, std::unique_ptr<AudioGenerator> engine,
           Choices choices = {}, std::shared_ptr<Sight> sight = nullptr,
           std::shared_ptr<Labeller> labeller = nullptr);

  /// What should be heard in a clip, with a seed for each event.
  Understood understand(const ClipInfo& clip, const Wishes& wishes, std::uint64_t seed,
                        const Progress& progress = {}) const;

  /// @throws Error  as `add_sound` would for the words alone, before there is a clip
  void check_words(const Wishes& wishes, const SoundOptions& options) const;

  /// Finds and makes the sound of a clip.
  Result add_sound(const ClipInfo& clip, const Wishes& wishes, const SoundOptions& options,
                   const OutputRequest& output, const Progress& progress = {}) const;

  /// Makes the sound of a timeline, onto a clip where one is given.
  /// @throws Error  kInvalidInput if the timeline does not fit the clip
  Result render(const EventDocument& document, const std::optional<ClipInfo>& clip,
                const SoundOptions& options, const OutputRequest& output,
                const Progress& progress = {}) const;

  /// What identifies a result of `add_sound` apart from its clip: equal clips with equal keys give
  /// equal samples.
  std::string settings_key(const Wishes& wishes, const SoundOptions& options,
                           const OutputRequest& output) const;

  /// Makes one effect, mono, beginning with its attack.
  Result make_effect(const EffectRequest& effect, const SoundOptions& options,
                     const OutputRequest& output, const Progress& progress = {}) const;

 private:
  struct Job;

  const AudioGenerator& engine() const;
  const Understanding& understanding() const;
  Understood describe(const ClipInfo& clip, const std::string& clip_sha256,
                      const Progress& progress) const;
  Understood describe_and_name(const ClipInfo& clip, const std::string& clip_sha256,
                               bool wants_ambience, const Progress& progress) const;
  Result make(Job& job, EventDocument document, const Progress& progress) const;
  const WholeSoundEngine& whole_engine() const;
  const WholeSoundEngine& engine_with_eyes() const;
  std::unique_ptr<ClipSenses> look_at_events(Job& job, const EventTimeline& timeline,
                                             const Progress& progress) const;
  std::vector<Seconds> cuts_of(Job& job, const Progress& progress) const;
  Result make_whole(Job& job, EventDocument document, const Progress& progress) const;
  using Render = std::function<PassFacts(Mastering&, const Progress&)>;
  Result master(Job& job, const EventDocument& document, const std::vector<std::string>& lanes,
                const Render& render, const Progress& progress) const;
  Report begin_report(const std::string& command, const SoundOptions& options) const;

  std::unique_ptr<Understanding> understanding_;
  std::unique_ptr<AudioGenerator> engine_;
  Choices choices_;
  std::shared_ptr<Sight> sight_;
  std::shared_ptr<Labeller> labeller_;
  std::unique_ptr<std::mutex> whole_mutex_ = std::make_unique<std::mutex>();
};

/// What a person said, as the words for a whole clip: prompt, label and ambience in a row.
std::string whole_prompt(const Wishes& wishes);

}  // namespace qingyin
