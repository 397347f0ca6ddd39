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
/// File (safetensors): mean [M], deviation [M], components [N, 4 M], scale [N].
class LatentCodec {
 public:
  struct Tables {
    std::vector<float> mean, deviation, components, scale;
  };

  /// @throws Error  kInternal if the tables' sizes do not fit `representation.h` or one another
  explicit LatentCodec(Tables tables);
  /// @throws Error  kModelMissing; kBadCheckpoint naming every tensor that does not fit
  explicit LatentCodec(const std::filesystem::path& path);

  /// @param log_mel  [F, M], F a multiple of 4
  /// @return         [F / 4, N]
  std::vector<float> encode(std::span<const float> log_mel) const;
  /// @param latents  [T, N]
  /// @return         [4 T, M], clamped at `kQuietestLogMel`
  std::vector<float> decode(std::span<const float> latents) const;

 private:
  Tables tables_;
};

}  // namespace qingyin::bundled
