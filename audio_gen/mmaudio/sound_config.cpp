#include "audio_gen/mmaudio/sound_config.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace qingyin::mmaudio {

MelVaeConfig vae_16k() { return {.bands = 80, .latents = 20, .hidden = 384}; }

MelVaeConfig vae_44k() { return {.bands = 128, .latents = 40, .hidden = 512}; }

std::vector<std::string> problems(const MelVaeConfig& c) {
  std::vector<std::string> found;
  if (c.bands < 1) found.emplace_back("bands must be at least 1");
  if (c.latents < 1) found.emplace_back("latents must be at least 1");
  if (c.hidden < 1) found.emplace_back("hidden must be at least 1");
  if (c.blocks < 1) found.emplace_back("blocks must be at least 1");
  if (c.multiples.size() < 2) found.emplace_back("multiples must have two levels");
  for (const std::int64_t multiple : c.multiples)
    if (multiple < 1) found.emplace_back("multiples must be at least 1");
  return found;
}

BigVganConfig bigvgan_16k() {
  return {.bands = 80,
          .upsample_rates = {4, 4, 2, 2, 2, 2},
          .upsample_kernels = {8, 8, 4, 4, 4, 4},
          .has_final_bias = true,
          .has_tanh = true};
}

BigVganConfig bigvgan_44k() { return {}; }

std::int64_t hop_of(const BigVganConfig& c) {
  return std::accumulate(c.upsample_rates.begin(), c.upsample_rates.end(), std::int64_t{1},
                         std::multiplies<>());
}

std::vector<std::string> problems(const BigVganConfig& c) {
  std::vector<std::string> found;
  const auto is_positive = [](std::int64_t n) { return n >= 1; };
  const auto is_odd = [](std::int64_t n) { return n >= 1 && n % 2 == 1; };
  if (c.bands < 1) found.emplace_back("bands must be at least 1");
  if (c.upsample_rates.empty() || !std::ranges::all_of(c.upsample_rates, is_positive))
    found.emplace_back("upsample_rates must be one or more numbers from 1 on");
  if (c.channels < 1 ||
      c.channels >> c.upsample_rates.size() << c.upsample_rates.size() != c.channels)
    found.emplace_back("channels must be divisible by 2 for every stage");
  if (c.upsample_kernels.size() != c.upsample_rates.size())
    found.emplace_back("upsample_kernels must be as many as upsample_rates");
  for (std::size_t i = 0; i < std::min(c.upsample_kernels.size(), c.upsample_rates.size()); ++i)
    if (c.upsample_kernels[i] < c.upsample_rates[i] ||
        (c.upsample_kernels[i] - c.upsample_rates[i]) % 2 != 0)
      found.emplace_back("upsample_kernels must exceed their rates by an even number");
  if (c.block_kernels.empty() || !std::ranges::all_of(c.block_kernels, is_odd))
    found.emplace_back("block_kernels must be odd");
  if (c.block_dilations.size() != c.block_kernels.size())
    found.emplace_back("block_dilations must be as many as block_kernels");
  return found;
}

}  // namespace qingyin::mmaudio
