#include "models/adapter/adapter.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/representation.h"
#include "core/sha256.h"
#include "models/adapter/low_rank.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "training/squeak.h"
#include "tuning/foley_tuner.h"

namespace qingyin::tuning {
namespace {

using test::TemporaryFolder;

const std::filesystem::path kWeights = std::filesystem::path(QINGYIN_SOURCE_DIR) / "models/bundled";

AdapterFacts squeak_facts(const std::string& base) {
  AdapterFacts facts;
  facts.foley_base = base;
  facts.classes.resize(2);
  facts.classes[0].name = "squeak";
  facts.classes[0].is_new = true;
  facts.classes[0].shape = "one_shot";
  facts.classes[0].lane = "foley";
  facts.classes[0].like = "scrape";
  facts.classes[1].name = "bell";
  facts.rank = 2;
  facts.licence = "CC0-1.0";
  return facts;
}

/// An adapter of random numbers for the bundled weights.
std::filesystem::path random_adapter(const TemporaryFolder& folder, const std::string& name,
                                     const AdapterFacts& facts, double size = 0.3) {
  at::manual_seed(5);
  const TensorMap tensors{
      {"foley/blocks.0.qkv.lora_a", size * at::randn({2, 256})},
      {"foley/blocks.0.qkv.lora_b", size * at::randn({768, 2})},
      {"foley/class_rows", size * at::randn({std::int64_t(facts.classes.size()), 256})}};
  write_safetensors(folder / name, tensors, to_metadata(facts), Overwrite::kYes);
  return folder / name;
}

std::string foley_hash() { return sha256_of_file(kWeights / "foley.safetensors"); }

std::vector<float> sound_of(const std::string& label, const std::vector<AdapterChoice>& adapters) {
  SoundEvent event;
  event.id = "e1";
  event.label = label;
  event.intensity = 0.5;
  event.offset = Seconds(0.1);
  event.seed = 9;
  return make_bundled_engine(kWeights, adapters)->render(event, {.steps = 2}).audio.samples;
}

TEST(AdapterChoice, ReadsFileAndScale) {
  EXPECT_EQ(parse_adapter_choice("a.safetensors"), (AdapterChoice{"a.safetensors", 1}));
  EXPECT_EQ(parse_adapter_choice("a.safetensors:0.5"), (AdapterChoice{"a.safetensors", 0.5}));
  EXPECT_EQ(parse_adapter_choice("x:y.safetensors"), (AdapterChoice{"x:y.safetensors", 1}));
  expect_error(ErrorCode::kUsage, [] { parse_adapter_choice("a.safetensors:9"); });
  expect_error(ErrorCode::kUsage, [] { parse_adapter_choice("a.safetensors:nan"); });
}

TEST(Adapter, FactsComeBackAndNonsenseIsRefused) {
  const TemporaryFolder folder;
  const auto file = random_adapter(folder, "a.safetensors", squeak_facts("base"));
  const AdapterFacts facts = read_adapter_facts(file);
  EXPECT_EQ(facts.foley_base, "base");
  ASSERT_EQ(facts.classes.size(), 2U);
  EXPECT_EQ(facts.classes[0].like, "scrape");
  EXPECT_FALSE(facts.classes[1].is_new);
  EXPECT_EQ(facts.licence, "CC0-1.0");

  expect_error(ErrorCode::kModelMissing, [&] { read_adapter_facts(folder / "none"); });
  EXPECT_CONTAINS(expect_error(ErrorCode::kBadCheckpoint,
                               [&] { read_adapter_facts(kWeights / "foley.safetensors"); }),
                  "no adapter");
  expect_error(ErrorCode::kBadCheckpoint,
               [&] { read_adapter_facts(folder.write("bad.safetensors", "not at all")); });
  AdapterFacts twice = squeak_facts("base");
  twice.classes[1].name = "squeak";
  const auto other = random_adapter(folder, "b.safetensors", twice);
  expect_error(ErrorCode::kBadCheckpoint, [&] { read_adapter_facts(other); });
}

TEST(LowRank, IsLinearInItsScaleAndNothingAtZero) {
  const TemporaryFolder folder;
  const auto file = random_adapter(folder, "a.safetensors", squeak_facts("base"));
  const TensorMap base{{"blocks.0.qkv.weight", at::randn({768, 256})}};
  const auto at_scale = [&](double scale) {
    TensorMap weights = base;
    add_low_rank(weights, load_adapter({file, scale}), "foley");
    return weights.at("blocks.0.qkv.weight");
  };
  const at::Tensor plain = base.at("blocks.0.qkv.weight");
  EXPECT_TRUE(at_scale(0).equal(plain));
  const at::Tensor one = at_scale(1) - plain;
  EXPECT_GT(one.abs().max().item<double>(), 0.01);
  EXPECT_TRUE((at_scale(0.5) - plain).allclose(0.5 * one, 1e-4, 1e-5));
  EXPECT_TRUE((at_scale(-2) - plain).allclose(-2 * one, 1e-4, 1e-5));
}

TEST(LowRank, NamesWhatMatchesNothing) {
  const TemporaryFolder folder;
  const auto file = random_adapter(folder, "a.safetensors", squeak_facts("base"));
  TensorMap other{{"blocks.1.qkv.weight", at::zeros({768, 256})}};
  EXPECT_CONTAINS(expect_error(ErrorCode::kBadCheckpoint,
                               [&] { add_low_rank(other, load_adapter({file}), "foley"); }),
                  "blocks.0.qkv is no layer");
  TensorMap narrow{{"blocks.0.qkv.weight", at::zeros({768, 128})}};
  EXPECT_CONTAINS(expect_error(ErrorCode::kBadCheckpoint,
                               [&] { add_low_rank(narrow, load_adapter({file}), "foley"); }),
                  "another shape");
  TensorMap any{{"blocks.0.qkv.weight", at::zeros({768, 256})}};
  EXPECT_CONTAINS(expect_error(ErrorCode::kBadCheckpoint,
                               [&] { add_low_rank(any, load_adapter({file}), "detector"); }),
                  "nothing in it matches");
}

TEST(Engine, AnAdapterChangesItsOwnClassesAlone) {
  const TemporaryFolder folder;
  const auto file = random_adapter(folder, "a.safetensors", squeak_facts(foley_hash()));
  EXPECT_EQ(sound_of("impact", {}), sound_of("impact", {{file}}));
  EXPECT_NE(sound_of("bell", {}), sound_of("bell", {{file}}));
  EXPECT_EQ(sound_of("bell", {}), sound_of("bell", {{file, 0}}));
  // A new class begins as the one that it is like.
  EXPECT_EQ(sound_of("scrape", {}).size() > 0, true);
  EXPECT_NE(sound_of("squeak", {{file}}), sound_of("squeak", {{file, 0}}));
}

TEST(Engine, KnowsANewClassByItsNameAndSaysSo) {
  const TemporaryFolder folder;
  const auto file = random_adapter(folder, "a.safetensors", squeak_facts(foley_hash()));
  const auto engine = make_bundled_engine(kWeights, {{file, 0.5}});
  for (const char* words : {"squeak", "Squeaks", "a rusty squeaking hinge"}) {
    SoundEvent event;
    event.label = words;
    const auto match = engine->match(event);
    ASSERT_TRUE(match) << words;
    EXPECT_EQ(match->label, "squeak") << words;
    EXPECT_TRUE(match->is_exact) << words;
    EXPECT_EQ(match->lane, "foley");
  }
  SoundEvent impact;
  impact.label = "impact";
  EXPECT_EQ(engine->match(impact)->label, "impact");
  EXPECT_EQ(engine->info().models.count("adapter a:0.5"), 1U);
  EXPECT_EQ(engine->info().licences, std::vector<std::string>{"CC0-1.0"});
}

TEST(Engine, RefusesAdaptersThatDoNotBelong) {
  const TemporaryFolder folder;
  const auto other = random_adapter(folder, "o.safetensors", squeak_facts(std::string(64, 'a')));
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kBadCheckpoint, [&] { make_bundled_engine(kWeights, {{other}}); }),
      "belongs to other weights");
  const auto file = random_adapter(folder, "a.safetensors", squeak_facts(foley_hash()));
  EXPECT_CONTAINS(expect_error(ErrorCode::kUsage,
                               [&] {
                                 make_bundled_engine(kWeights, {{file}, {file}});
                               }),
                  "already");
  AdapterFacts unlike = squeak_facts(foley_hash());
  unlike.classes[0].like = "yodel";
  const auto strange = random_adapter(folder, "s.safetensors", unlike);
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kBadCheckpoint, [&] { make_bundled_engine(kWeights, {{strange}}); }),
      "yodel");
}

/// Two squeaks, as a folder would give them.
std::vector<OwnSound> squeaks() {
  std::vector<OwnSound> sounds;
  for (std::int64_t k = 0; k < 2; ++k) {
    auto made = training::squeak_sound(1, k, 1.0);
    sounds.push_back({.size = made.recipe.size,
                      .intensity = made.recipe.intensity,
                      .level_curve = {},
                      .samples = std::move(made.samples)});
  }
  return sounds;
}

TensorMap tuned(const std::filesystem::path& folder, std::uint64_t seed, std::int64_t stop_after) {
  AdapterClass squeak;
  squeak.name = "squeak";
  squeak.is_new = true;
  squeak.shape = "one_shot";
  FoleyTuning settings{.weights = kWeights, .classes = {squeak}, .rank = 2, .batch = 2};
  training::RunOptions options{.folder = folder, .seed = seed, .bf16 = false, .progress = {}};
  std::int64_t steps = 0;
  options.progress = [&](std::string_view, double) { return ++steps != stop_after; };
  FoleyTuner tuner(settings, squeaks(), options);
  EXPECT_FALSE(tuner.classes()[0].like.empty());
  return tuner.run(4, true).value();
}

TEST(FoleyTuner, SeedDecidesAndAStopChangesNothing) {
  const TemporaryFolder folder;
  const TensorMap whole = tuned(folder / "a", 1, 0);
  ASSERT_TRUE(whole.contains("foley/class_rows"));
  ASSERT_TRUE(whole.contains("foley/blocks.0.qkv.lora_b"));
  EXPECT_GT(whole.at("foley/blocks.0.qkv.lora_b").abs().max().item<double>(), 0);
  tuned(folder / "b", 1, 2);
  const TensorMap resumed = tuned(folder / "b", 1, 0), other = tuned(folder / "c", 2, 0);
  for (const auto& [name, tensor] : whole) EXPECT_TRUE(tensor.equal(resumed.at(name))) << name;
  EXPECT_FALSE(whole.at("foley/class_rows").equal(other.at("foley/class_rows")));
}

}  // namespace
}  // namespace qingyin::tuning
