// The transformer of CogVideoX in its shapes, and its position tables.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "models/checkpoint/load_weights.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/parity/key_manifest.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "video_gen/transformer.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A table of cosines and sines as the reference keeps it: each value for both channels of a pair.
void expect_turns(const at::Tensor& turns, const at::Tensor& cosines, const at::Tensor& sines) {
  const at::Tensor parts = at::view_as_real(turns);
  EXPECT_TRUE(near(parts.select(-1, 0).repeat_interleave(2, -1), cosines, kCogvideoxPositions));
  EXPECT_TRUE(near(parts.select(-1, 1).repeat_interleave(2, -1), sines, kCogvideoxPositions));
}

/// One case of a transformer file.
class TransformerCase {
 public:
  TransformerCase(const fs::path& file, const std::string& name)
      : fixture_(file),
        name_(name),
        network_(read_transformer_config(ConfigFile::parse(fixture_.config().dump(), file))),
        latents_(fixture_.in(name + ".hidden_states")),
        mid_(fixture_.group("mid." + name)) {
    adopt_weights(*network_, fixture_.weights(), at::kFloat, file.string());
    const auto size = [&](std::int64_t dim) { return latents_.size(dim); };
    clip_ = network_->prepare(fixture_.in(name + ".encoder_hidden_states"),
                              {.frames = size(1), .height = size(3), .width = size(4)});
    const TensorMap inputs = fixture_.group("in." + name);
    const auto ofs = inputs.find("ofs");
    step_ = network_->step(fixture_.in(name + ".timestep"),
                           ofs == inputs.end() ? kOfs : ofs->second.item<double>());
  }

  void check() {
    check_parts();
    const auto expected = fixture_.out(name_ + ".sample");
    at::Tensor residual;
    const at::Tensor got = network_->forward(latents_, clip_, step_, &residual);
    EXPECT_TRUE(near(got, expected, kCogvideoxFloat32Cpu));
    EXPECT_TRUE(
        near(network_->reuse(latents_, clip_, step_, residual), expected, kCogvideoxFloat32Cpu))
        << "reused residual";
    network_->fuse();
    EXPECT_TRUE(near(network_->forward(latents_, clip_, step_), expected, kCogvideoxFloat32Cpu))
        << "fused queries, keys and values";
  }

 private:
  void expect_mid(const at::Tensor& got, const std::string& part) {
    const auto expected = mid_.find(part);
    if (expected == mid_.end()) return;
    EXPECT_TRUE(near(got, expected->second, kCogvideoxFloat32Cpu)) << part;
  }

  /// The intermediate results, in their order: the first failure is where to look.
  void check_parts() {
    const auto cosines = mid_.find("rope_cos");
    if (cosines != mid_.end()) expect_turns(clip_.turns, cosines->second, mid_.at("rope_sin"));
    CogTokens tokens = network_->tokens_of(network_->embed(latents_, clip_), clip_);
    expect_mid(tokens.joined, "patch_embed");
    const CogBlock& block = network_->block(0);
    const CogTokens normed = block->norm1->forward(tokens, step_.blocks[0][0]);
    expect_mid(normed.video(), "block0_norm1_video");
    expect_mid(normed.text_part(), "block0_norm1_text");
    std::vector<at::Tensor> clips;
    for (const at::Tensor& clip : normed.joined.split(1))
      clips.push_back(block->attn1->output(block->attn1->mixed(clip, normed.text, clip_.turns)));
    const CogTokens mixed{.joined = at::cat(clips), .text = normed.text};
    expect_mid(mixed.video(), "block0_attn_video");
    expect_mid(mixed.text_part(), "block0_attn_text");
    block->forward(tokens, step_.blocks[0], clip_.turns);
    expect_mid(tokens.video(), "block0_video");
    expect_mid(tokens.text_part(), "block0_text");
  }

  Fixture fixture_;
  std::string name_;
  CogTransformer network_;
  at::Tensor latents_;
  TensorMap mid_;
  CogClip clip_;
  CogStep step_;
};

/// A batch of one time is computed with one modulation for all; it must give what one per item
/// does.
void check_shared_time(const fs::path& file, const std::string& name) {
  const Fixture fixture(file);
  CogTransformer network(read_transformer_config(ConfigFile::parse(fixture.config().dump(), file)));
  adopt_weights(*network, fixture.weights(), at::kFloat);
  const at::Tensor latents = fixture.in(name + ".hidden_states").narrow(0, 0, 1);
  const at::Tensor text = fixture.in(name + ".encoder_hidden_states").narrow(0, 0, 1);
  const auto both = [](const at::Tensor& x) { return at::cat({x, 0.5 * x}, 0); };
  const CogClip clip = network->prepare(
      both(text), {.frames = latents.size(1), .height = latents.size(3), .width = latents.size(4)});
  const at::Tensor time = fixture.in(name + ".timestep").narrow(0, 0, 1);
  const at::Tensor one = network->forward(both(latents), clip, network->step(time));
  const at::Tensor each = network->forward(both(latents), clip, network->step(time.repeat({2})));
  EXPECT_TRUE(near(one, each, kCogvideoxFloat32Cpu));
}

CogTransformerConfig config_of_row(const Json& row) {
  CogTransformerConfig c = cogvideox_5b();
  const auto set = [&](const char* key, auto& field) {
    if (row.contains(key) && !row.at(key).is_null()) row.at(key).get_to(field);
  };
  set("sample_height", c.sample_height);
  set("sample_width", c.sample_width);
  set("attention_head_dim", c.attention_head_dim);
  set("patch_size_t", c.patch_size_t);
  set("max_text_seq_length", c.max_text_seq_length);
  set("spatial_interpolation_scale", c.spatial_interpolation_scale);
  set("temporal_interpolation_scale", c.temporal_interpolation_scale);
  if (row.contains("embed_dim")) {
    c.num_attention_heads = 1;
    row.at("embed_dim").get_to(c.attention_head_dim);
  }
  return c;
}

void check_table(const fs::path& tensors, const Json& row) {
  const Fixture fixture(tensors);
  const auto name = row.at("case").get<std::string>();
  const CogTransformerConfig config = config_of_row(row);
  const LatentSize size{.frames = row.at("latent_frames").get<std::int64_t>(),
                        .height = row.at("latent_height").get<std::int64_t>(),
                        .width = row.at("latent_width").get<std::int64_t>()};
  const at::Tensor rows = fixture.out(name + ".rows");
  const TensorMap expected = fixture.group("out." + name);
  const bool is_rotary = expected.contains("cos");
  const at::Tensor got = is_rotary ? rotary_turns(config, size) : sincos_table(config, size);
  EXPECT_EQ(got.size(0), row.at("tokens").get<std::int64_t>());
  if (is_rotary)
    expect_turns(got.index_select(0, rows), expected.at("cos"), expected.at("sin"));
  else
    EXPECT_TRUE(near(got.index_select(0, rows), expected.at("table"), kCogvideoxPositions));
}

void check_crops(const Json& crops) {
  for (const Json& crop : crops) {
    const auto c = crop.get<std::vector<std::int64_t>>();
    const GridRegion got = crop_region(c.at(0), c.at(1), c.at(2), c.at(3));
    EXPECT_EQ((std::vector{got.top, got.left, got.bottom, got.right}),
              (std::vector{c.at(4), c.at(5), c.at(6), c.at(7)}))
        << crop.dump();
  }
}

void register_positions(const fs::path& folder, const fs::path& file) {
  std::ifstream in(folder / file);
  const Json content = Json::parse(in);
  register_case("cogvideox", file.stem().string() + "_crops",
                [crops = content.at("crops")] { check_crops(crops); });
  fs::path tensors = folder / file;
  tensors.replace_extension(".safetensors");
  for (const Json& row : content.at("tables"))
    register_case("cogvideox", file.stem().string() + "_" + row.at("case").get<std::string>(),
                  [tensors, row] { check_table(tensors, row); });
}

void register_networks(const fs::path& folder, const fs::path& file) {
  const Json cases = Fixture(folder / file).metadata("cases");
  const std::string stem = file.stem().string();
  for (const auto& [name, unused] : cases.items()) {
    register_case("cogvideox", stem + "_" + name, [path = folder / file, name = name] {
      const at::NoGradGuard no_gradient;
      TransformerCase(path, name).check();
    });
    register_case("cogvideox", stem + "_" + name + "_one_time",
                  [path = folder / file, name = name] { check_shared_time(path, name); });
  }
}

/// The full-size network of a manifest, from the config beside it; it must be one of the built-in.
void check_keys(const fs::path& manifest, const fs::path& config_file) {
  const auto config = read_transformer_config(ConfigFile::read(config_file));
  expect_manifest(*CogTransformer(config), manifest);
}

bool claims(const fs::path& relative) {
  const std::string name = relative.filename().string(), folder = relative.parent_path().string();
  if (folder == "keys" || folder == "configs") return name.starts_with("transformer_");
  return folder.empty() && (name.starts_with("transformer_") || name.starts_with("positions"));
}

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    const std::string stem = file.stem().string();
    if (file.parent_path() == "keys")
      register_case("cogvideox", "keys_" + stem, [folder, file, stem] {
        check_keys(folder / file, folder / "configs" / (stem + ".json"));
      });
    else if (file.extension() == ".json" && file.parent_path().empty())
      register_positions(folder, file);
    else if (file.parent_path().empty() && stem.starts_with("transformer_"))
      register_networks(folder, file);
  }
}

}  // namespace

FamilyPart cogvideox_transformer() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
