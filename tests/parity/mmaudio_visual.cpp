#include "tests/parity/mmaudio_visual.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <string>

#include "models/checkpoint/load_weights.h"
#include "models/clip/clip.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/key_manifest.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "understanding/synchformer/synchformer.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool is_named(const fs::path& file, const std::string& folder, const std::string& prefix,
              const std::string& extension) {
  return file.parent_path() == folder && file.filename().string().starts_with(prefix) &&
         file.extension() == extension;
}

template <typename Ignored>
std::vector<std::string> names(const Ignored& keys) {
  return {keys.begin(), keys.end()};
}

/// Those weights whose name begins with `prefix`, or the others; names without the prefix.
TensorMap below(const TensorMap& weights, std::string_view prefix, bool is_wanted = true) {
  TensorMap found;
  for (const auto& [name, tensor] : weights)
    if (name.starts_with(prefix) == is_wanted)
      found.emplace(is_wanted ? name.substr(prefix.size()) : name, tensor);
  return found;
}

template <typename Ignored>
TensorMap without(TensorMap weights, const Ignored& ignored) {
  for (const auto name : ignored) weights.erase(std::string(name));
  return weights;
}

/// `value` as the fixture keeps it: the first segments or pictures, and of a long dimension either
/// the first entries or every 16th. The last picture block of CLIP goes on with its first token.
at::Tensor as_kept(const at::Tensor& value, at::Tensor& kept) {
  at::Tensor cut = value.narrow(0, 0, std::min(value.size(0), kept.size(0)));
  for (std::int64_t d = 1; d < cut.dim(); ++d) {
    const std::int64_t have = cut.size(d), wanted = kept.size(d);
    if (have == wanted) continue;
    if (have < wanted)
      kept = kept.narrow(d, 0, have);
    else if ((have + 15) / 16 == wanted)
      cut = cut.slice(d, 0, have, 16);
    else
      cut = cut.narrow(d, 0, wanted);
  }
  return cut;
}

/// Compares every intermediate that the fixture has, in the order of the computation.
Observer compare_with(const Fixture& fixture, int& compared) {
  return [&fixture, &compared, mids = fixture.group("mid")](const std::string& name,
                                                            const at::Tensor& value) {
    const auto found = mids.find(name);
    if (found == mids.end()) return;
    at::Tensor kept = found->second;
    const at::Tensor cut = as_kept(value, kept);
    EXPECT_TRUE(near(cut, kept, kMmaudioFloat32Cpu)) << "at " << name;
    ++compared;
  };
}

ClipConfig clip_config(const json& c) {
  return {.embed_dim = c.at("embed_dim"),
          .vision = {.width = c.at("vision_width"),
                     .layers = c.at("vision_layers"),
                     .heads = c.at("vision_width").get<std::int64_t>() /
                              c.at("vision_head_width").get<std::int64_t>(),
                     .mlp_ratio = c.at("mlp_ratio")},
          .text = {.width = c.at("text_width"),
                   .layers = c.at("text_layers"),
                   .heads = c.at("text_heads"),
                   .mlp_ratio = c.at("mlp_ratio")},
          .patch = c.at("patch_size"),
          .grid = c.at("grid"),
          .vocabulary = c.at("vocab_size"),
          .context = c.at("context_length")};
}

void check_clip_pictures(const fs::path& file) {
  const Fixture fixture(file);
  ClipVision tower(clip_config(fixture.config()));
  load_weights(*tower, below(fixture.weights(), kClipVisionPrefix), file.string());
  const c10::InferenceMode no_autograd;
  int compared = 0;
  const auto got =
      tower->forward(fixture.in("image_u8").to(at::kFloat) / 255, compare_with(fixture, compared));
  EXPECT_GT(compared, 0);
  EXPECT_TRUE(near(got.unsqueeze(0), fixture.out("image_features"), kMmaudioClipFloat32Cpu));
}

void check_clip_texts(const fs::path& file) {
  const Fixture fixture(file);
  ClipText tower(clip_config(fixture.config()));
  load_weights(*tower,
               without(below(fixture.weights(), kClipVisionPrefix, false), kClipIgnoredKeys),
               file.string());
  const c10::InferenceMode no_autograd;
  int compared = 0;
  const auto got = tower->forward(fixture.in("tokens"), compare_with(fixture, compared));
  EXPECT_GT(compared, 0);
  EXPECT_TRUE(near(got, fixture.out("text_features"), kMmaudioClipFloat32Cpu));
}

void check_clip_keys(const fs::path& file) {
  const auto config = clip_vit_h_14_378_quickgelu();
  KeyLines ours = manifest_of(*ClipVision(config, at::kMeta), std::string(kClipVisionPrefix));
  ours.merge(manifest_of(*ClipText(config, at::kMeta)));
  expect_same_keys(read_manifest(file), ours, names(kClipIgnoredKeys));
}

bool is_clip(const fs::path& file) {
  return is_named(file, "", "clip", ".safetensors") || is_named(file, "keys", "clip", ".txt");
}

void register_clip(const fs::path& folder, const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    const fs::path path = folder / file;
    if (file.extension() == ".txt") {
      register_case("mmaudio", file.string(), [path] { check_clip_keys(path); });
      continue;
    }
    register_case("mmaudio", file.string() + "/image", [path] { check_clip_pictures(path); });
    register_case("mmaudio", file.string() + "/text", [path] { check_clip_texts(path); });
  }
}

SynchformerConfig synchformer_config(const json& c) {
  return {.width = c.at("embed_dim"),
          .layers = c.at("depth"),
          .heads = c.at("num_heads"),
          .grid = c.at("grid"),
          .patch = c.at("patch"),
          .tubelet = c.at("tubelet"),
          .frames = c.at("frames_per_segment"),
          .mlp_ratio = c.at("mlp_ratio")};
}

/// The video [B, T, 3, S, S] that a full-grid fixture does not store: the formula of its notes.
at::Tensor video_by_formula(const json& c) {
  const std::int64_t side = c.at("image_size"), batch = c.at("B"), frames = c.at("T");
  const auto axis = [](std::int64_t n, at::IntArrayRef shape) {
    return at::arange(n, at::kLong).view(shape);
  };
  const auto t = axis(batch * frames, {-1, 1, 1, 1}), ch = axis(3, {-1, 1, 1});
  const auto y = axis(side, {-1, 1}), x = axis(side, {-1});
  const std::int64_t k = c.at("formula_K");
  const auto value = 37 * t + 91 * ch + 3 * y * y + 5 * x +
                     ((x + k) * (y + 3 * t + ch)).remainder(251) + 6 * (t * x).remainder(17);
  return value.remainder(256).to(at::kByte).view({batch, frames, 3, side, side});
}

at::Tensor video_of(const Fixture& fixture) {
  if (fixture.group("in").contains("video_u8")) return fixture.in("video_u8");
  const auto video = video_by_formula(fixture.config());
  EXPECT_TRUE(near(video[0].narrow(0, 0, 1), fixture.in("video_u8_frame0"), kExact))
      << "the formula of the notes gives another first frame";
  return video;
}

void check_synchformer(const fs::path& file) {
  const Fixture fixture(file);
  const json config = fixture.config();
  Synchformer encoder(synchformer_config(config));
  load_weights(*encoder,
               below(without(fixture.weights(), kSynchformerIgnoredKeys), kSynchformerPrefix),
               file.string());
  const c10::InferenceMode no_autograd;
  const auto pixels = (video_of(fixture).to(at::kFloat) / 255 - 0.5) / 0.5;  // [B, T, 3, S, S]
  const auto segments = pixels
                            .unfold(1, config.at("frames_per_segment").get<std::int64_t>(),
                                    config.at("segment_step").get<std::int64_t>())
                            .permute({0, 1, 2, 5, 3, 4});  // [B, segments, 3, F, S, S]
  int compared = 0;
  const auto got = encoder->forward(segments.flatten(0, 1), compare_with(fixture, compared));
  EXPECT_GT(compared, 0);
  EXPECT_TRUE(near(got.reshape({pixels.size(0), -1, got.size(2)}), fixture.out("features"),
                   kMmaudioFloat32Cpu));
}

void check_synchformer_keys(const fs::path& file) {
  expect_same_keys(read_manifest(file),
                   manifest_of(*Synchformer(synchformer_published(), at::kMeta),
                               std::string(kSynchformerPrefix)),
                   names(kSynchformerIgnoredKeys));
}

bool is_synchformer(const fs::path& file) {
  return is_named(file, "", "synchformer", ".safetensors") ||
         is_named(file, "keys", "synchformer", ".txt");
}

void register_synchformer(const fs::path& folder, const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    const auto check = file.extension() == ".txt" ? check_synchformer_keys : check_synchformer;
    register_case("mmaudio", file.string(), [check, path = folder / file] { check(path); });
  }
}

}  // namespace

FamilyPart mmaudio_clip_part() { return {is_clip, register_clip}; }
FamilyPart mmaudio_synchformer_part() { return {is_synchformer, register_synchformer}; }

}  // namespace qingyin::test
