#include "audio_gen/bundled/networks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audio_gen/bundled/event_control.h"
#include "audio_gen/bundled/flow_transformer.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/bundled/vocoder.h"
#include "core/philox.h"
#include "tests/core/expect_error.h"

namespace qingyin::bundled {
namespace {

const Networks& networks() {
  static const Networks loaded(std::filesystem::path(QINGYIN_SOURCE_DIR) / "models/bundled");
  return loaded;
}

WindowRequest rain(std::uint64_t seed) {
  return {.class_id = 4,
          .material_id = 0,
          .size = 0.5,
          .intensity = 0.5,
          .is_texture = true,
          .control = event_control({true, false, 0, {}}, 0, kWindowTokens),
          .context = {},
          .seed = seed,
          .window = 0,
          .steps = 4,
          .guidance = 1.3};
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return worst;
}

TEST(Networks, VocodesPiecesAsTheWhole) {
  const std::int64_t side = networks().context_frames(), frames = 4 * side;
  std::vector<float> mel(static_cast<std::size_t>(frames * kMelBands));
  Philox(5, 5).normal(mel);
  const auto whole = networks().vocode(mel, 7, 11);
  ASSERT_EQ(whole.size(), static_cast<std::size_t>((frames - 2 * side) * kHop));
  const std::int64_t half = side + 3;
  const auto first = networks().vocode(
      std::span(mel).first(static_cast<std::size_t>((half + 2 * side) * kMelBands)), 7, 11);
  const auto second = networks().vocode(
      std::span(mel).subspan(static_cast<std::size_t>(half * kMelBands)), 7 + half, 11);
  const double peak = std::abs(*std::ranges::max_element(whole));
  const auto cut = static_cast<std::size_t>(half * kHop);
  EXPECT_LT(largest_difference(first, std::span(whole).first(cut)), 1e-4 * std::max(1.0, peak));
  EXPECT_LT(largest_difference(second, std::span(whole).subspan(cut)), 1e-4 * std::max(1.0, peak));
}

TEST(Networks, MetadataSayWhatTheWeightsKnow) {
  FlowTransformerConfig config = bundled_flow_transformer();
  config.classes.pop_back();
  config.dim = 128;
  const auto again = flow_transformer_of(to_metadata(config), "x");
  EXPECT_EQ(again.classes, config.classes);
  EXPECT_EQ(again.dim, 128);
  auto metadata = to_metadata(config);
  metadata["classes"] = "impact yodel";
  const auto message = expect_error(ErrorCode::kBadCheckpoint,
                                    [&] { flow_transformer_of(metadata, "a.safetensors"); });
  EXPECT_CONTAINS(message, "a.safetensors");
  EXPECT_CONTAINS(message, "yodel");
  metadata = to_metadata(config);
  metadata["dim"] = "12x";
  expect_error(ErrorCode::kBadCheckpoint, [&] { flow_transformer_of(metadata, "a"); });
  expect_error(ErrorCode::kBadCheckpoint, [] { vocoder_of({}, "a"); });
  EXPECT_EQ(vocoder_of(to_metadata(VocoderConfig{.blocks = 3}), "a").blocks, 3);
}

TEST(Networks, GivenTokensComeBackUnchanged) {
  const auto before = networks().generate(rain(1));
  WindowRequest next = rain(1);
  next.context.assign(before.end() - kContextTokens * kLatentSize, before.end());
  next.window = 1;
  const auto after = networks().generate(next);
  EXPECT_LT(largest_difference(next.context, std::span(after).first(next.context.size())), 1e-4);
}

TEST(Networks, SeedWindowAndClassEachChangeTheSound) {
  const auto base = networks().generate(rain(1));
  EXPECT_EQ(networks().generate(rain(1)), base);
  EXPECT_GT(largest_difference(networks().generate(rain(2)), base), 0.1);
  WindowRequest other = rain(1);
  other.window = 1;
  EXPECT_GT(largest_difference(networks().generate(other), base), 0.1);
  other = rain(1);
  other.class_id = 8;
  EXPECT_GT(largest_difference(networks().generate(other), base), 0.1);
}

TEST(Networks, GuidanceOfOneIsTheConditionAlone) {
  WindowRequest plain = rain(3), nearly = rain(3);
  plain.guidance = 1;
  nearly.guidance = 1 + 1e-6;
  EXPECT_LT(largest_difference(networks().generate(plain), networks().generate(nearly)), 1e-3);
}

}  // namespace
}  // namespace qingyin::bundled
