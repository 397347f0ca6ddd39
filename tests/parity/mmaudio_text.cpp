#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "models/tokenizer/clip_tokenizer.h"
#include "models/tokenizer/text_cleaning.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/mmaudio_visual.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "understanding/frame_picking.h"
#include "understanding/picture_preparation.h"
#include "understanding/visual_networks.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_json(const fs::path& path) {
  std::ifstream in(path);
  return json::parse(in);
}

/// Printable name of a case that may hold anything.
std::string case_name(std::size_t index, const std::string& text) {
  return std::to_string(index) + "_" + text.substr(0, 24);
}

using Tokenizer = std::shared_ptr<const ClipTokenizer>;

/// The tokenizer of a folder, read once, when the first case wants it.
Tokenizer tokenizer_of(const fs::path& vocabulary) {
  static std::map<fs::path, Tokenizer> read;
  Tokenizer& found = read[vocabulary];
  if (!found) found = std::make_shared<const ClipTokenizer>(vocabulary);
  return found;
}

void check_prompt(const json& c, const ClipTokenizer& tokenizer) {
  const auto text = c.at("text").get<std::string>();
  const auto cleaned = c.at("cleaned").get<std::string>();
  auto expected = c.at("ids").get<std::vector<std::int32_t>>();
  EXPECT_EQ(tokenizer.ids_of(cleaned).size() + 2, c.at("full_length").get<std::size_t>())
      << "from the cleaned text";
  EXPECT_EQ(cleaned_prompt(text), cleaned);
  expected.resize(ClipTokenizer::kContext, ClipTokenizer::kPadding);
  EXPECT_EQ(tokenizer(text), expected);
}

bool is_tokenizer(const fs::path& file) {
  const std::string name = file.string();
  return (name.starts_with("tokenizer") && file.extension() == ".json") ||
         (name.starts_with("bpe_") && name.ends_with(".txt.gz"));
}

void register_prompts(const fs::path& folder, const fs::path& file, const fs::path& vocabulary) {
  const json root = read_json(folder / file);
  std::size_t index = 0;
  for (const json& c : root.at("cases"))
    register_case("mmaudio",
                  file.string() + "/" + case_name(index++, c.at("text").get<std::string>()),
                  [c, vocabulary] { check_prompt(c, *tokenizer_of(vocabulary)); });
}

void register_tokenizer(const fs::path& folder, const std::vector<fs::path>& files) {
  const auto vocabulary =
      std::ranges::find_if(files, [](const fs::path& f) { return f.extension() == ".gz"; });
  for (const fs::path& file : files) {
    if (file.extension() != ".json") continue;
    if (vocabulary == files.end())
      register_case("mmaudio", file.string(), [] { FAIL() << "no vocabulary beside the cases"; });
    else
      register_prompts(folder, file, folder / *vocabulary);
  }
}

template <typename Index>
std::vector<std::size_t> indices(const Index& list) {
  return list.template get<std::vector<std::size_t>>();
}

void check_picking(const json& c) {
  const double numerator = c.at("time_base").at(0), denominator = c.at("time_base").at(1);
  std::vector<double> seconds;
  for (const std::int64_t pts : c.at("pts"))
    seconds.push_back(static_cast<double>(pts) * numerator / denominator);
  const double wanted = c.at("duration");
  const PickedFrames picked = pick_frames(seconds, wanted, Ticks::kAccumulated);
  if (c.contains("reference_error")) {
    EXPECT_TRUE(picked.clip.empty() || picked.sync.empty());
    return;
  }
  EXPECT_EQ(picked.clip, indices(c.at("clip_picks")));
  EXPECT_EQ(picked.sync, indices(c.at("sync_picks")));
  const PickedLengths lengths = lengths_of(picked, wanted);
  EXPECT_EQ(lengths.seconds, c.at("effective_duration").get<double>());
  EXPECT_EQ(lengths.clip_pictures, c.at("clip_frames").get<std::int64_t>());
  EXPECT_EQ(lengths.sync_frames, c.at("sync_frames").get<std::int64_t>());
  EXPECT_EQ(sync_tokens(lengths.sync_frames), c.at("sync_tokens_from_frames").get<std::int64_t>());
}

bool is_picking(const fs::path& file) {
  return file.string().starts_with("frame_picking") && file.extension() == ".json";
}

void register_picking(const fs::path& folder, const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    const json root = read_json(folder / file);
    for (const json& c : root.at("cases"))
      register_case("mmaudio", file.string() + "/" + c.at("name").get<std::string>(),
                    [c] { check_picking(c); });
  }
}

at::Tensor planes_of(const PreparedPicture& picture) {
  return at::tensor(at::ArrayRef<std::uint8_t>(picture.planes), at::kByte)
      .view({3, picture.side, picture.side});
}

/// The row of numbers that a network sees, where the fixture has one: "OUT.clip_float_row100".
void check_row(const Fixture& fixture, const std::string& name, const std::string& kind,
               const at::Tensor& seen) {
  const std::string prefix = name + "." + kind + "_float_row";
  for (const auto& [key, expected] : fixture.group("out")) {
    if (!key.starts_with(prefix)) continue;
    const std::int64_t row = std::stoll(key.substr(prefix.size()));
    EXPECT_TRUE(near(seen[0].select(1, row), expected, kExact)) << key;
  }
}

/// Every picture of the fixture: [H, W, 3] in, both squares out.
void check_pictures(const fs::path& file) {
  const Fixture fixture(file);
  const auto pictures = fixture.group("in");
  EXPECT_FALSE(pictures.empty());
  for (const auto& [name, picture] : pictures) {
    const RgbView view{.height = picture.size(0),
                       .width = picture.size(1),
                       .pixels = {picture.const_data_ptr<std::uint8_t>(),
                                  static_cast<std::size_t>(picture.numel())}};
    const PreparedPicture clip = prepare_clip_picture(view), sync = prepare_sync_picture(view);
    EXPECT_TRUE(near(planes_of(clip), fixture.out(name + ".clip_u8"), kExact)) << name;
    EXPECT_TRUE(near(planes_of(sync), fixture.out(name + ".sync_u8"), kExact)) << name;
    check_row(fixture, name, "clip", clip_input({&clip, 1}));
    check_row(fixture, name, "sync", sync_input({&sync, 1}));
  }
}

void check_geometry(const json& c) {
  const SquareCrop crop = middle_square(c.at("width"), c.at("height"), kSyncPictureSide);
  EXPECT_EQ(crop.width, c.at("resized_width").get<std::int64_t>());
  EXPECT_EQ(crop.height, c.at("resized_height").get<std::int64_t>());
  EXPECT_EQ(crop.left, c.at("crop_left").get<std::int64_t>());
  EXPECT_EQ(crop.top, c.at("crop_top").get<std::int64_t>());
}

bool is_preprocess(const fs::path& file) {
  return file.string().starts_with("preprocess") && file.extension() == ".safetensors";
}

void register_preprocess(const fs::path& folder, const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    const fs::path path = folder / file;
    register_case("mmaudio", file.string() + "/pictures", [path] { check_pictures(path); });
    const json config = Fixture(path).config();
    for (const json& c : config.at("geometry"))
      register_case("mmaudio",
                    file.string() + "/geometry_" + std::to_string(c.at("width").get<int>()) + "x" +
                        std::to_string(c.at("height").get<int>()),
                    [c] { check_geometry(c); });
  }
}

}  // namespace

FamilyPart mmaudio_tokenizer_part() { return {is_tokenizer, register_tokenizer}; }
FamilyPart mmaudio_frame_picking_part() { return {is_picking, register_picking}; }
FamilyPart mmaudio_preprocess_part() { return {is_preprocess, register_preprocess}; }

}  // namespace qingyin::test
