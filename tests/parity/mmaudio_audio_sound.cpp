// Mel front end, mel VAEs and vocoders of MMAudio, and the whole way from features to samples.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "audio_gen/mmaudio/mel_frontend.h"
#include "audio_gen/mmaudio/sampler.h"
#include "audio_gen/mmaudio/sequence.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/mmaudio_audio_build.h"
#include "tests/parity/mmaudio_audio_cases.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"

namespace qingyin::test::mmaudio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace qingyin::mmaudio;

constexpr char kSuite[] = "mmaudio";

/// [B, C, T] <-> [B, T, C]: fixtures have the time last.
at::Tensor swapped(const at::Tensor& x) { return x.transpose(1, 2).contiguous(); }

void check_vae_encode(const fs::path& path, const std::string& name) {
  const c10::InferenceMode inference;
  const Fixture fixture(path);
  const VaeParts parts{.has_encoder = true, .has_decoder = false};
  MelVae vae =
      mel_vae(fixture.config(), parts, weights_of_parts(fixture.weights(), parts), path.string());
  const auto got = vae->encode(swapped(fixture.in(name + ".mel")));
  EXPECT_TRUE(near(swapped(got.mean), fixture.out(name + ".mean"), kMmaudioVaeFloat32Cpu));
  EXPECT_TRUE(
      near(swapped(got.log_variance), fixture.out(name + ".logvar"), kMmaudioVaeFloat32Cpu));
}

void check_vae_decode(const fs::path& path, const std::string& name) {
  const c10::InferenceMode inference;
  const Fixture fixture(path);
  MelVae vae =
      mel_vae(fixture.config(), {}, weights_of_parts(fixture.weights(), {}), path.string());
  const at::Tensor got = vae->decode(swapped(fixture.in(name + ".z")));
  EXPECT_TRUE(near(swapped(got), fixture.out(name + ".mel"), kMmaudioVaeFloat32Cpu));
}

void check_bigvgan(const fs::path& path, const std::string& name) {
  const c10::InferenceMode inference;
  const Fixture fixture(path);
  BigVgan network = bigvgan(fixture.config(), fixture.weights(), path.string());
  const at::Tensor got = network(swapped(fixture.in(name + ".mel")));
  EXPECT_TRUE(near(got.unsqueeze(1), fixture.out(name + ".wav"), kMmaudioFloat32Cpu));
}

MelFrontendConfig mel_config(const json& c) {
  return {.sample_rate_hz = c.at("sampling_rate"),
          .window = c.at("n_fft"),
          .hop = c.at("hop_size"),
          .bands = c.at("num_mels"),
          .low_hz = c.at("fmin"),
          .high_hz = c.at("fmax"),
          .is_log10 = c.at("log") == "log10"};
}

void check_mel(const fs::path& path, const std::string& mode, const std::string& name) {
  const Fixture fixture(path);
  const MelFrontendConfig config = mel_config(fixture.config().at(mode));
  const std::string prefix = mode + "." + name;
  const at::Tensor got = log_mel(fixture.in(prefix + ".wav"), config);
  EXPECT_TRUE(near(swapped(got), fixture.out(prefix + ".mel"), kMmaudioMelFloat32Cpu));
  const at::Tensor filters = at::tensor(slaney_filterbank(config)).view({config.bands, -1});
  EXPECT_TRUE(near(filters, fixture.mid(mode + ".mel_basis"), kFloat32Cpu));
}

TensorMap part(const TensorMap& weights, const std::string& prefix) {
  TensorMap found;
  for (const auto& [name, tensor] : weights)
    if (name.starts_with(prefix)) found.emplace(name.substr(prefix.size()), tensor);
  return found;
}

void check_pipeline(const fs::path& path) {
  const c10::InferenceMode inference;
  const Fixture fixture(path);
  const json config = fixture.config();
  const TensorMap weights = fixture.weights();
  FlowNetwork flow = flow_network(config.at("flow"), part(weights, "flow."), path.string());
  MelVae vae = mel_vae(config.at("vae"), {}, part(weights, "vae."), path.string());
  BigVgan vocoder = bigvgan(config.at("vocoder"), part(weights, "vocoder."), path.string());
  const auto& len = config.at("len");
  const FlowLengths lengths{.latents = len[0], .clip = len[1], .sync = len[2]};
  const at::Tensor raw = sample(
      *flow, fixture.in("latent"),
      flow->prepare(fixture.in("clip_f"), fixture.in("sync_f"), fixture.in("text_f"), len[0]),
      flow->prepare_empty(lengths, config.at("B"), fixture.in("neg_text_f")),
      {.steps = config.at("steps"), .guidance = config.at("cfg")});
  EXPECT_TRUE(near(raw, fixture.mid("latent_raw"), kMmaudioSamplerFloat32Cpu));
  const at::Tensor mel = vae->decode(flow->denormalised(raw));
  EXPECT_TRUE(near(swapped(mel), fixture.mid("mel"), kMmaudioSamplerFloat32Cpu));
  const at::Tensor samples = vocoder(mel);
  EXPECT_TRUE(near(samples.unsqueeze(1), fixture.out("wav"), kMmaudioSamplerFloat32Cpu));
}

/// A case `name` of a file is checked by each of `checks`, under their names.
void register_cases(
    const fs::path& folder, const fs::path& file,
    const std::map<std::string, void (*)(const fs::path&, const std::string&)>& checks) {
  const fs::path path = folder / file;
  const json config = Fixture(path).config();
  for (const auto& item : config.at("cases").items())
    for (const auto& [kind, check] : checks)
      register_case(kSuite, file.stem().string() + "." + item.key() + kind,
                    [path, check = check, name = item.key()] { check(path, name); });
}

at::TensorOptions without_memory() { return at::TensorOptions(at::kMeta).dtype(at::kFloat); }

bool is_16k(const fs::path& file) { return file.stem().string().find("16k") != std::string::npos; }

}  // namespace

void register_vae(const fs::path& folder, const fs::path& file) {
  register_cases(folder, file, {{".decode", check_vae_decode}, {".encode", check_vae_encode}});
}

void register_bigvgan(const fs::path& folder, const fs::path& file) {
  register_cases(folder, file, {{"", check_bigvgan}});
}

void register_mel_frontend(const fs::path& folder, const fs::path& file) {
  const fs::path path = folder / file;
  const json config = Fixture(path).config();
  for (const auto& mode : config.items())
    if (mode.key() != "cases")
      for (const auto& item : config.at("cases").items())
        register_case(
            kSuite, file.stem().string() + "." + mode.key() + "." + item.key(),
            [path, mode = mode.key(), name = item.key()] { check_mel(path, mode, name); });
}

void register_pipeline(const fs::path& folder, const fs::path& file) {
  register_case(kSuite, file.stem().string(), [path = folder / file] { check_pipeline(path); });
}

void register_vae_keys(const fs::path& folder, const fs::path& file) {
  register_case(kSuite, file.generic_string(), [path = folder / file] {
    const MelVae network(is_16k(path) ? vae_16k() : vae_44k(),
                         VaeParts{.has_encoder = true, .has_decoder = true}, without_memory());
    expect_keys(*network, normalised_vae_weights(read_key_manifest(path)));
  });
}

void register_bigvgan_keys(const fs::path& folder, const fs::path& file) {
  register_case(kSuite, file.generic_string(), [path = folder / file] {
    const BigVgan network(is_16k(path) ? bigvgan_16k() : bigvgan_44k(), without_memory());
    expect_keys(*network, folded_bigvgan_weights(read_key_manifest(path)));
  });
}

}  // namespace qingyin::test::mmaudio
