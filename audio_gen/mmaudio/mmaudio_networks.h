#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio_gen/mmaudio/flow_config.h"
#include "audio_gen/mmaudio/sequence.h"
#include "audio_gen/mmaudio/sound_config.h"

namespace qingyin::mmaudio {

/// The published models.
enum class Variant { kSmall16k, kSmall44k, kMedium44k, kLarge44k, kLarge44kV2 };

/// "small_16k", "small_44k", "medium_44k", "large_44k", "large_44k_v2".
std::string_view name_of(Variant variant);
std::optional<Variant> variant_of(std::string_view name);

/// Sizes of the three networks that make up a model.
struct ModelConfig {
  SoundFormat sound;
  FlowConfig flow;
  MelVaeConfig vae;
  BigVganConfig vocoder;
};

ModelConfig model_of(Variant variant);

/// Every rule that the config breaks, the rules of each network and those between them.
std::vector<std::string> problems(const ModelConfig& config);

/// The three networks of a model, each in any container and float type that `read_checkpoint`
/// accepts.
struct WeightFiles {
  std::filesystem::path flow, vae, vocoder;
};

/// A network that takes memory only while it is loaded.
enum class Stage { kFlow, kVae, kVocoder };

enum class FlowPrecision { kFloat32, kBfloat16 };

/// How the large weights of the flow network lie in memory: as the precision says, or as 8
/// bits with a scale for each output channel (see Int8Weight).
enum class FlowWeights { kFull, kInt8 };

struct NetworkSettings {
  FlowPrecision precision = FlowPrecision::kFloat32;  // of the flow network alone
  int threads = 1;                                    // of libtorch, in the whole process
  bool uses_cuda = false;                             // where libtorch has it
  FlowWeights weights = FlowWeights::kFull;
};

/// What is known of one window. Widths are those of the published models.
struct WindowFeatures {
  std::span<const float> clip;           // [Nc, 1024] of CLIP's image tower
  std::span<const float> sync;           // [Ns, 768] of Synchformer, 8 tokens a segment
  std::span<const float> text;           // [77, 1024] of CLIP's text tower
  std::span<const float> negative_text;  // [77, 1024]; empty: the stored empty text
  /// [Nc], [Ns]: where 0, the stored feature of nothing stands instead; empty: everything is seen.
  std::span<const std::uint8_t> clip_seen = {}, sync_seen = {};
};

/// `WindowFeatures` after the layers that do not depend on time, for both branches of guidance.
/// Cheap to copy; valid as long as its `Networks`, across loads and releases of stages.
class WindowConditions {
 public:
  WindowConditions();
  ~WindowConditions();
  WindowConditions(const WindowConditions&);
  WindowConditions& operator=(const WindowConditions&);

 private:
  friend class Networks;
  struct State;
  std::shared_ptr<const State> state_;
};

struct SampleSettings {
  std::int64_t steps = 25;  // of Euler's method
  double guidance = 4.5;    // at least 1: both branches are run; below: the wish alone
};

/// Called after each step with the latents [N, C], which it may change: this is how neighbouring
/// windows are joined. Returns false to stop.
using AfterStep = std::function<bool(std::int64_t steps_done, std::span<float> latents)>;

/// MMAudio's flow network, mel VAE and vocoder behind plain vectors: torch stays in here. The same
/// arguments give the same result on the same machine with the same number of threads; another
/// number changes the last bits, for the matrix products are libtorch's. Calls must not overlap.
class Networks {
 public:
  /// @throws Error  kModelMissing naming every file that is not there; kDevice if CUDA is wanted
  /// and
  ///                libtorch has none; kInternal if the config has problems
  Networks(const ModelConfig& config, WeightFiles files, const NetworkSettings& settings = {});
  /// Networks with random weights: for measuring time and memory alone.
  explicit Networks(const ModelConfig& config, const NetworkSettings& settings = {});
  ~Networks();
  Networks(const Networks&) = delete;
  Networks& operator=(const Networks&) = delete;

  const ModelConfig& config() const { return config_; }

  /// Loads a stage if it is not loaded. Every call that needs one does so by itself.
  /// @throws Error  kModelMissing, kBadCheckpoint naming every wrong tensor
  void load(Stage stage);
  /// Frees a stage's memory.
  void release(Stage stage);
  bool is_loaded(Stage stage) const;

  /// @param latents  N, of `sequence_lengths`
  /// @throws Error   kInvalidInput if a feature has another number of values than its shape wants
  WindowConditions prepare(const WindowFeatures& features, std::int64_t latents);

  /// The same for a window of which nothing is seen: the words alone decide.
  /// @param text, negative_text  as in WindowFeatures
  WindowConditions prepare_unseen(std::span<const float> text, std::span<const float> negative_text,
                                  const SequenceLengths& lengths);

  /// @param noise    [N, C]
  /// @return         latents [N, C] for `to_mel`
  /// @throws Error   kCancelled if `after_step` said stop
  std::vector<float> sample(std::span<const float> noise, const WindowConditions& conditions,
                            const SampleSettings& settings, const AfterStep& after_step = {});

  /// One evaluation, for callers with a loop of their own: the guided velocity at `time`.
  /// @param latents  [N, C]
  /// @param time     in [0, 1], 0 is noise
  /// @return         [N, C]
  std::vector<float> velocity(std::span<const float> latents, const WindowConditions& conditions,
                              double time, double guidance);

  /// What a loop of one's own gives, as `sample` returns it. [N, C] -> [N, C]
  std::vector<float> denormalised(std::span<const float> latents);

  /// Log-mel spectrogram [2 N, M] of latents [N, C].
  std::vector<float> to_mel(std::span<const float> latents);

  /// Samples [F * hop] in [-1, 1] of a log-mel spectrogram [F, M].
  std::vector<float> to_samples(std::span<const float> log_mel);

 private:
  struct Modules;
  ModelConfig config_;
  std::unique_ptr<Modules> modules_;
};

}  // namespace qingyin::mmaudio
