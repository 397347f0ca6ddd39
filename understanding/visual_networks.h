#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <span>

#include "models/clip/clip.h"
#include "understanding/synchformer/synchformer.h"
#include "understanding/visual_features.h"

namespace qingyin {

/// What CLIP sees: [n, 3, side, side] float32 in [0, 1].
at::Tensor clip_input(std::span<const PreparedPicture> pictures);
/// What Synchformer sees of frames: [n, 3, side, side] float32 in [-1, 1].
at::Tensor sync_input(std::span<const PreparedPicture> frames);

// The networks with the weights of a file, strictly: what the file holds besides must be what the
// published one holds there.
// @throws Error  kModelMissing, kBadCheckpoint naming every culprit

/// Those of CLIP's towers that are not null get their weights.
/// @return  what the scalar product of a picture's and a text's row is multiplied by: the logit
double load_clip(const std::filesystem::path& file, const ClipConfig& config, ClipVision* vision,
                 ClipText* text, const at::TensorOptions& options);
Synchformer load_synchformer(const std::filesystem::path& file, const SynchformerConfig& config,
                             const at::TensorOptions& options);

/// Gives a network random weights that keep its signals in the range of a trained one's: norms that
/// do nothing, products that keep the deviation. The same for the same seed.
void randomise(torch::nn::Module& network, std::uint64_t seed, const at::TensorOptions& options);

/// Says which file it is: name, size, and a digest of its first and last MiB.
std::string file_identity(const std::filesystem::path& file);

}  // namespace qingyin
