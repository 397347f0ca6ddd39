#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qingyin {

/// One of CLIP's two towers: a pre-norm transformer with QuickGELU.
struct ClipTowerConfig {
  std::int64_t width;  // D
  std::int64_t layers;
  std::int64_t heads;  // H, divides width
  std::int64_t mlp_ratio = 4;
  double norm_eps = 1e-5;
};

/// CLIP (Radford et al., 2021) as mlfoundations/open_clip builds it.
struct ClipConfig {
  std::int64_t embed_dim;  // E, of the space that pictures and texts share
  ClipTowerConfig vision, text;
  std::int64_t patch = 14;  // pixels
  std::int64_t grid = 27;   // patches along a side
  std::int64_t vocabulary;
  std::int64_t context = 77;  // tokens of a text
};

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const ClipConfig& config);

/// ViT-H-14-378-quickgelu, the size of apple/DFN5B-CLIP-ViT-H-14-384.
ClipConfig clip_vit_h_14_378_quickgelu();

}  // namespace qingyin
