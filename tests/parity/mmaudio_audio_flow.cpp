// Flow networks, sampler and sequence lengths of MMAudio.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "audio_gen/mmaudio/flow_network.h"
#include "audio_gen/mmaudio/sampler.h"
#include "audio_gen/mmaudio/sequence.h"
#include "models/checkpoint/load_weights.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/mmaudio_audio_build.h"
#include "tests/parity/mmaudio_audio_cases.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"

namespace qingyin::test::mmaudio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using qingyin::mmaudio::FlowConditions;
using qingyin::mmaudio::FlowLengths;
using qingyin::mmaudio::FlowNetwork;

constexpr char kSuite[] = "mmaudio";

/// v2's highest frequency of the time turns the last bit of a float32 into 1e-4 of the output.
Tolerance flow_tolerance(const json& config) {
  return config.at("v2").get<bool>() ? kMmaudioFlowV2Float32Cpu : kMmaudioFloat32Cpu;
}

FlowLengths lengths_of(const json& entry) {
  const auto& len = entry.at("len");
  return {.latents = len[0], .clip = len[1], .sync = len[2]};
}

/// Name of the case that holds the inputs.
std::string inputs_of(const std::string& name, const json& entry) {
  return entry.value("inputs_from", name);
}

FlowConditions wish_of(FlowNetwork& network, const Fixture& fixture, const std::string& inputs,
                       std::int64_t latents) {
  return network->prepare(fixture.in(inputs + ".clip_f"), fixture.in(inputs + ".sync_f"),
                          fixture.in(inputs + ".text_f"), latents);
}

FlowConditions conditions_of(FlowNetwork& network, const Fixture& fixture, const std::string& name,
                             const json& entry) {
  const std::string inputs = inputs_of(name, entry);
  const auto kind = entry.at("kind").get<std::string>();
  const FlowLengths lengths = lengths_of(entry);
  if (kind == "cond") return wish_of(network, fixture, inputs, lengths.latents);
  if (kind == "empty") return network->prepare_empty(lengths, entry.at("B"));
  EXPECT_EQ(kind, "empty_negative");
  return network->prepare_empty(lengths, entry.at("B"), fixture.in(inputs + ".text_f"));
}

void check_conditions(const Fixture& fixture, const std::string& name, const FlowConditions& got,
                      const Tolerance& tolerance) {
  const TensorMap expected = fixture.group("mid." + name + ".cond");
  if (expected.empty()) return;
  EXPECT_TRUE(near(got.clip, expected.at("clip_f"), tolerance));
  EXPECT_TRUE(near(got.sync, expected.at("sync_f"), tolerance));
  EXPECT_TRUE(near(got.text, expected.at("text_f"), tolerance));
  EXPECT_TRUE(near(got.clip_global, expected.at("clip_f_c"), tolerance));
  EXPECT_TRUE(near(got.text_global, expected.at("text_f_c"), tolerance));
}

void check_flow(const fs::path& path, const std::string& name) {
  const c10::InferenceMode inference;
  const Fixture fixture(path);
  const json config = fixture.config(), entry = config.at("cases").at(name);
  FlowNetwork network = flow_network(config, fixture.weights(), path.string());
  const Tolerance tolerance = flow_tolerance(config);
  const FlowConditions conditions = conditions_of(network, fixture, name, entry);
  check_conditions(fixture, name, conditions, tolerance);
  const at::Tensor got =
      network(fixture.in(inputs_of(name, entry) + ".latent"), fixture.in(name + ".t"), conditions);
  EXPECT_TRUE(near(got, fixture.out(name + ".flow"), tolerance));
}

void check_sampler(const fs::path& path, const std::string& name) {
  const c10::InferenceMode inference;
  const Fixture fixture(path);
  const json config = fixture.config(), entry = config.at("cases").at(name);
  const Fixture weights(path.parent_path() / fixture.text("weights_file"));
  FlowNetwork network = flow_network(config, weights.weights(), path.string());
  const std::string inputs = inputs_of(name, entry);
  const FlowLengths lengths = lengths_of(entry);
  const at::Tensor negative =
      entry.at("negative_text").get<bool>() ? fixture.in(inputs + ".neg_text_f") : at::Tensor();
  const TensorMap mid = fixture.group("mid." + name);
  const auto after_step = [&](std::int64_t done, at::Tensor& latents) {
    const auto expected = mid.find("after_step_" + std::to_string(done));
    if (expected == mid.end()) return true;
    EXPECT_TRUE(near(latents, expected->second, kMmaudioSamplerFloat32Cpu)) << expected->first;
    return true;
  };
  const at::Tensor raw = qingyin::mmaudio::sample(
      *network, fixture.in(inputs + ".latent"), wish_of(network, fixture, inputs, lengths.latents),
      network->prepare_empty(lengths, entry.at("B"), negative),
      {.steps = entry.at("steps"), .guidance = entry.at("cfg")}, after_step);
  EXPECT_TRUE(near(raw, fixture.out(name + ".latent_raw"), kMmaudioSamplerFloat32Cpu));
  EXPECT_TRUE(near(network->denormalised(raw), fixture.out(name + ".latent_unnormalized"),
                   kMmaudioSamplerFloat32Cpu));
}

void check_lengths(const json& expected, const qingyin::mmaudio::SoundFormat& format,
                   Seconds duration) {
  const auto got = qingyin::mmaudio::sequence_lengths(format, duration);
  EXPECT_EQ(got.latents, expected.at("latent"));
  EXPECT_EQ(got.clip, expected.at("clip"));
  EXPECT_EQ(got.sync, expected.at("sync"));
  EXPECT_EQ(got.samples, expected.at("samples"));
  if (!expected.contains("sync_index")) return;
  EXPECT_EQ(qingyin::mmaudio::nearest_exact(got.sync, got.latents),
            expected.at("sync_index").get<std::vector<std::int64_t>>());
}

using Check = void (*)(const fs::path& path, const std::string& name);

void register_cases(const fs::path& folder, const fs::path& file, Check check) {
  const fs::path path = folder / file;
  const json config = Fixture(path).config();
  for (const auto& item : config.at("cases").items())
    register_case(kSuite, file.stem().string() + "." + item.key(),
                  [path, check, name = item.key()] { check(path, name); });
}

}  // namespace

void register_flow(const fs::path& folder, const fs::path& file) {
  register_cases(folder, file, check_flow);
}

void register_sampler(const fs::path& folder, const fs::path& file) {
  register_cases(folder, file, check_sampler);
}

void register_sequences(const fs::path& folder, const fs::path& file) {
  std::ifstream in(folder / file);
  const json content = json::parse(in);
  for (const json& entry : content.at("cases")) {
    const double duration = entry.at("duration");
    register_case(kSuite, file.stem().string() + "." + std::to_string(duration), [=] {
      check_lengths(entry.at("16k"), qingyin::mmaudio::sound_16k(), Seconds(duration));
      check_lengths(entry.at("44k"), qingyin::mmaudio::sound_44k(), Seconds(duration));
    });
  }
}

void register_flow_keys(const fs::path& folder, const fs::path& file) {
  const fs::path path = folder / file;
  register_case(kSuite, file.generic_string(), [path] {
    const FlowNetwork network(published_flow(path.stem().string()),
                              at::TensorOptions(at::kMeta).dtype(at::kFloat));
    expect_keys(*network, read_key_manifest(path));
  });
}

}  // namespace qingyin::test::mmaudio
