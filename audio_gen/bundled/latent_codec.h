#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace qingyin::bundled {

/// The latent that sounds are generated in: four log-mel frames, normalised per band, projected on
/// principal components. Component i is scaled by variance_i^(-1/4), a compromise between equal
/// weight and natural weight. Const calls may overlap.
///
/// What the components leave out is the grain of noisy sounds: most of what changes from frame to
/// frame. A small network, fitted to the sound bank, says for given latents where the other
/// components lie and how far they scatter; they are then drawn (as noise substitution does in
/// perceptual coding: Herre & Schultz, 1998).
///
/// File (safetensors): mean [M], deviation [M], components [N, 4 M], scale [N]; of the grain
/// grain_components [R, 4 M], R = 4 M - N, grain_scale [R], and three layers grain_weight1 [N, H],
/// grain_bias1 [H], grain_weight2 [H, H], grain_bias2 [H], grain_weight3 [H, 2 R], grain_bias3
/// [2 R]: means, then logarithms of deviations.
class LatentCodec {
 public:
  struct Tables {
    std::vector<float> mean, deviation, components, scale;
    std::vector<float> grain_components, grain_scale;
    std::vector<float> grain_weight1, grain_bias1, grain_weight2, grain_bias2, grain_weight3,
        grain_bias3;
  };

  /// @throws Error  kInternal if the tables' sizes do not fit `representation.h` or one another
  explicit LatentCodec(Tables tables);
  /// @throws Error  kModelMissing; kBadCheckpoint naming every tensor that does not fit
  explicit LatentCodec(const std::filesystem::path& path);

  /// @param log_mel  [F, M], F a multiple of 4
  /// @return         [F / 4, N]
  std::vector<float> encode(std::span<const float> log_mel) const;
  /// What the components alone say.
  /// @param latents  [T, N]
  /// @return         [4 T, M], clamped at `kQuietestLogMel`
  std::vector<float> decode(std::span<const float> latents) const;
  /// The same with grain, which depends on the latents, the seed and each token's number alone.
  /// @param first  number of the first token in its sound, at least 0
  std::vector<float> decode(std::span<const float> latents, std::uint64_t seed,
                            std::int64_t first) const;

 private:
  void add_grain(std::span<const float> latents, std::span<const float> random,
                 std::span<float> patch) const;
  std::vector<float> decode_normal(std::span<const float> latents) const;
  void to_log_mel(std::span<float> patches) const;

  Tables tables_;
};

}  // namespace qingyin::bundled
