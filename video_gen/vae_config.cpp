#include "video_gen/vae_config.h"

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

namespace qingyin {
namespace {

CogVaeConfig published(double scaling_factor) {
  return {.block_out_channels = {128, 256, 256, 512}, .scaling_factor = scaling_factor};
}

std::vector<std::int64_t> widths_of(const ConfigFile& file) {
  const auto& json = file.json();
  const auto found = json.find("block_out_channels");
  if (found == json.end() || !found->is_array())
    file.refuse("block_out_channels is no list of widths");
  std::vector<std::int64_t> widths;
  for (const auto& width : *found) {
    if (!width.is_number_integer()) file.refuse("block_out_channels is no list of widths");
    widths.push_back(width.get<std::int64_t>());
  }
  return widths;
}

/// Parts that this network does not have, and that the published checkpoints do not use.
void refuse_unknown_parts(const ConfigFile& file) {
  for (const char* key : {"use_quant_conv", "use_post_quant_conv"})
    if (file.boolean(key, false))
      file.refuse(std::string(key) + " is true, expected a CogVideoX VAE, which has none");
  for (const char* key : {"shift_factor", "latents_mean", "latents_std"})
    if (file.has(key)) file.refuse(std::string(key) + " is set, expected a CogVideoX VAE: null");
  const std::string activation = file.text("act_fn", "silu");
  if (activation != "silu") file.refuse("act_fn is " + activation + ", expected silu");
}

}  // namespace

std::int64_t CogVaeConfig::temporal_levels() const {
  return std::bit_width(static_cast<std::uint64_t>(temporal_compression_ratio)) - 1;
}

CogVaeConfig cogvideox_2b_vae() { return published(1.15258426); }

CogVaeConfig cogvideox_5b_vae() { return published(0.7); }

CogVaeConfig cogvideox_15_vae() {
  CogVaeConfig config = published(0.7);
  config.invert_scale_latents = true;
  return config;
}

std::vector<std::string> problems(const CogVaeConfig& c) {
  std::vector<std::string> found;
  const auto rule = [&](bool holds, const std::string& text) {
    if (!holds) found.push_back(text);
  };
  const auto positive = [&](std::int64_t value, const std::string& name) {
    rule(value >= 1 && value <= 1 << 16,
         name + " is " + std::to_string(value) + ", expected 1 to 65536");
  };
  rule(c.block_out_channels.size() >= 2 && c.block_out_channels.size() <= 8,
       "block_out_channels has " + std::to_string(c.block_out_channels.size()) +
           " widths, expected 2 to 8");
  positive(c.layers_per_block, "layers_per_block");
  positive(c.in_channels, "in_channels");
  positive(c.out_channels, "out_channels");
  positive(c.latent_channels, "latent_channels");
  positive(c.norm_num_groups, "norm_num_groups");
  positive(c.sample_height, "sample_height");
  positive(c.sample_width, "sample_width");
  for (const std::int64_t width : c.block_out_channels)
    rule(width >= 1 && c.norm_num_groups >= 1 && width % c.norm_num_groups == 0,
         "block_out_channels has a width of " + std::to_string(width) +
             ", expected multiples of norm_num_groups " + std::to_string(c.norm_num_groups));
  const std::int64_t time = c.temporal_compression_ratio;
  rule(time >= 1 && std::has_single_bit(static_cast<std::uint64_t>(time)) &&
           c.temporal_levels() < static_cast<std::int64_t>(c.block_out_channels.size()),
       "temporal_compression_ratio is " + std::to_string(time) +
           ", expected a power of 2 with fewer halvings than block_out_channels has widths");
  rule(c.norm_eps > 0, "norm_eps must be above 0");
  rule(std::isfinite(c.scaling_factor) && c.scaling_factor > 0, "scaling_factor must be above 0");
  return found;
}

CogVaeConfig read_vae_config(const ConfigFile& file) {
  refuse_unknown_parts(file);
  const CogVaeConfig config{.block_out_channels = widths_of(file),
                            .layers_per_block = file.integer("layers_per_block", 3),
                            .in_channels = file.integer("in_channels", 3),
                            .out_channels = file.integer("out_channels", 3),
                            .latent_channels = file.integer("latent_channels", 16),
                            .norm_num_groups = file.integer("norm_num_groups", 32),
                            .norm_eps = file.number("norm_eps", 1e-6),
                            .temporal_compression_ratio = static_cast<std::int64_t>(
                                file.number("temporal_compression_ratio", 4)),
                            .sample_height = file.integer("sample_height", 480),
                            .sample_width = file.integer("sample_width", 720),
                            .scaling_factor = file.number("scaling_factor"),
                            .invert_scale_latents = file.boolean("invert_scale_latents", false)};
  std::string found;
  for (const std::string& problem : problems(config)) found += "\n  " + problem;
  if (!found.empty()) file.refuse("is no VAE that can be built:" + found);
  return config;
}

}  // namespace qingyin
