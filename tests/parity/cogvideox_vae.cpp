// The 3-D causal VAE of CogVideoX.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "models/checkpoint/load_weights.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/parity/key_manifest.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "video_gen/vae.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The tiling of a case: sizes and overlaps of which some may be null, which means the usual ones.
std::optional<TilingRequest> tiling_of(const CogVaeConfig& config, const Json& row) {
  if (!row.contains("tile") || row.at("tile").is_null()) return {};
  TilingRequest request = usual_tiling(config);
  const Json& tile = row.at("tile");
  const auto set = [&](std::size_t i, auto& field) {
    if (i < tile.size() && !tile.at(i).is_null()) tile.at(i).get_to(field);
  };
  set(0, request.height);
  set(1, request.width);
  set(2, request.overlap_height);
  set(3, request.overlap_width);
  return request;
}

/// One case of a VAE file.
class VaeCase {
 public:
  VaeCase(const fs::path& file, const std::string& name)
      : fixture_(file),
        row_(fixture_.metadata("cases").at(name)),
        mid_(fixture_.group("mid." + name)),
        in_(fixture_.group("in." + name)),
        out_(fixture_.group("out." + name)),
        vae_(read_vae_config(ConfigFile::parse(fixture_.config().dump(), file))),
        tiling_(tiling_of(vae_->config(), row_)) {
    adopt_weights(*vae_, fixture_.weights(), at::kFloat, file.string());
  }

  void check() {
    if (row_.at("op") == "encode")
      check_encoder();
    else
      check_decoder();
    EXPECT_TRUE(unseen_.empty()) << "intermediate results that were not met, first "
                                 << *unseen_.begin();
  }

 private:
  /// Compares each intermediate result that the fixture has.
  Observer watch() {
    for (const auto& [name, unused] : mid_) unseen_.insert(name);
    return [this](const std::string& name, const at::Tensor& value) {
      const auto expected = mid_.find(name);
      if (expected == mid_.end()) return;
      unseen_.erase(name);
      EXPECT_TRUE(near(value, expected->second, kCogvideoxFloat32Cpu)) << name;
    };
  }

  void expect_out(const std::string& name, const at::Tensor& got) {
    const auto expected = out_.find(name);
    if (expected == out_.end()) return;
    EXPECT_TRUE(near(got, expected->second, kCogvideoxFloat32Cpu)) << name;
  }

  void check_encoder() {
    std::optional<TileGrid> grid;
    if (tiling_) grid = encoder_grid(vae_->config(), *tiling_);
    const LatentDistribution got = vae_->encode(in_.at("video"), grid, watch());
    ASSERT_TRUE(out_.contains("mean") && out_.contains("logvar"));
    expect_out("mean", got.mean);
    expect_out("logvar", got.log_variance);
    if (!in_.contains("noise")) return;
    const at::Tensor sample = got.sample(in_.at("noise"));
    expect_out("sample", sample);
    expect_out("scaled", vae_->config().scaling_factor * sample);
  }

  void check_decoder() {
    std::optional<TileGrid> grid;
    if (tiling_) grid = decoder_grid(vae_->config(), *tiling_);
    const at::Tensor latents = in_.at("latents");
    const at::Tensor got = vae_->decode(latents, grid, watch());
    ASSERT_TRUE(out_.contains("video"));
    expect_out("video", got);
    EXPECT_EQ(got.size(2), decoded_frames(vae_->config(), latents.size(2)));
    check_parts(latents.narrow(0, 0, 1), grid, got.narrow(0, 0, 1));
  }

  /// Handed over in parts, the clip must be the same, and without gaps.
  void check_parts(const at::Tensor& latents, const std::optional<TileGrid>& grid,
                   const at::Tensor& whole) {
    at::Tensor video = at::full_like(whole, NAN);
    vae_->decode_parts(latents, grid, [&](const at::Tensor& part, const VideoPlace& place) {
      video.narrow(2, place.frame, part.size(2))
          .narrow(3, place.top, part.size(3))
          .narrow(4, place.left, part.size(4))
          .copy_(part);
    });
    EXPECT_TRUE(near(video, whole, kExact)) << "in parts";
  }

  Fixture fixture_;
  Json row_;
  TensorMap mid_, in_, out_;
  CogVae vae_;
  std::optional<TilingRequest> tiling_;
  std::set<std::string> unseen_;
};

/// The full-size network, from every published config beside the manifests.
void check_keys(const fs::path& manifest, const fs::path& configs) {
  int checked = 0;
  for (const auto& item : fs::directory_iterator(configs)) {
    if (!item.path().filename().string().starts_with("vae")) continue;
    expect_manifest(*CogVae(read_vae_config(ConfigFile::read(item.path()))), manifest);
    ++checked;
  }
  EXPECT_GT(checked, 0) << configs << " holds no config of a VAE";
}

bool claims(const fs::path& relative) {
  const std::string name = relative.filename().string(), folder = relative.parent_path().string();
  return (folder.empty() || folder == "keys" || folder == "configs") && name.starts_with("vae");
}

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    const std::string stem = file.stem().string();
    if (file.parent_path() == "keys")
      register_case("cogvideox", "keys_" + stem,
                    [folder, file] { check_keys(folder / file, folder / "configs"); });
    if (!file.parent_path().empty()) continue;
    const Json cases = Fixture(folder / file).metadata("cases");
    for (const auto& [name, unused] : cases.items())
      register_case("cogvideox", stem + "_" + name,
                    [path = folder / file, name = name] { VaeCase(path, name).check(); });
  }
}

}  // namespace

FamilyPart cogvideox_vae() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
