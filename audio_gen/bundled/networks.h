#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio_gen/bundled/latent_codec.h"
#include "models/adapter/adapter.h"

namespace qingyin::bundled {

/// One window of 32 tokens to be generated. N latent size.
struct WindowRequest {
  int class_id;
  int material_id;
  double size, intensity;
  bool is_texture;
  std::vector<float> control;  // [32, 3], see `event_control`
  std::vector<float> context;  // [8, N] the last tokens of the window before, or empty
  std::uint64_t seed;
  std::uint64_t window;  // number of this window in its sound: gives it noise of its own
  int steps;             // of the two-step Adams-Bashforth method
  double guidance;       // classifier-free, 1: off
};

/// The bundled networks behind plain vectors: torch stays in here. Results depend on the arguments
/// and the weights alone. Const calls may overlap; each runs on one thread, for libtorch's own
/// threads are switched off in the process: they would change the last bits of a sample.
class Networks {
 public:
  /// @param folder  latent.safetensors, foley.safetensors, vocoder.safetensors
  /// @throws Error  kModelMissing naming what is missing, kBadCheckpoint naming every wrong tensor
  ///                or an adapter of other weights, kUsage if two adapters bring one new class
  explicit Networks(const std::filesystem::path& folder,
                    const std::vector<AdapterChoice>& adapters = {});
  ~Networks();
  Networks(const Networks&) = delete;
  Networks& operator=(const Networks&) = delete;

  const LatentCodec& codec() const { return codec_; }
  /// How many classes the weights were trained on: the first ones of the vocabulary.
  int classes() const { return classes_; }
  /// Classes that adapters added; their ids follow the vocabulary's.
  const std::vector<AdapterClass>& new_classes() const;
  /// Name and SHA-256 of each file; an adapter's name states its scale.
  const std::map<std::string, std::string>& hashes() const { return hashes_; }
  /// Of the adapters, where they state one.
  const std::vector<std::string>& licences() const { return licences_; }

  /// Latents [32, N], beginning with the context where one is given.
  std::vector<float> generate(const WindowRequest& request) const;

  /// Frames on each side of a frame that its samples depend on.
  std::int64_t context_frames() const;

  /// Sound of frames [first + context_frames(), first + F - context_frames()) of a spectrogram.
  /// Samples do not depend on where a longer spectrogram is cut (to rounding).
  /// @param log_mel  [F, M] frames from number `first` on; F > 2 * context_frames()
  /// @return         (F - 2 * context_frames()) * 480 samples, from the first frame's centre on
  std::vector<float> vocode(std::span<const float> log_mel, std::int64_t first,
                            std::uint64_t seed) const;

 private:
  struct Modules;
  LatentCodec codec_;
  int classes_ = 0, materials_ = 0;
  std::int64_t noise_channels_ = 0;
  std::map<std::string, std::string> hashes_;
  std::vector<std::string> licences_;
  std::unique_ptr<Modules> modules_;
};

}  // namespace qingyin::bundled
