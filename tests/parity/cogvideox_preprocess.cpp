// How pictures are prepared for CogVideoX: exact with Pillow.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "video_gen/preprocess.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

RgbPicture picture_of(const at::Tensor& pixels) {
  const at::Tensor bytes = pixels.contiguous();
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  return {.height = bytes.size(0), .width = bytes.size(1), .pixels = {data, data + bytes.numel()}};
}

/// @param name  "p0"
void check_picture(const fs::path& file, const std::string& name) {
  const Fixture fixture(file);
  const at::Tensor expected = fixture.out(name + ".resized");
  RgbPicture got =
      resized(picture_of(fixture.in(name + ".image")), expected.size(0), expected.size(1));
  const at::Tensor pixels = at::from_blob(got.pixels.data(), {got.height, got.width, 3}, at::kByte);
  EXPECT_TRUE(near(pixels, expected, kExact));
  auto values = network_values();
  const at::Tensor table = at::from_blob(values.data(), {256}, at::kFloat);
  EXPECT_TRUE(near(table.index({pixels.to(at::kLong)}).permute({2, 0, 1}).unsqueeze(0),
                   fixture.out(name + ".pixels"), kExact));
}

bool claims(const fs::path& relative) {
  return relative.parent_path().empty() && relative.filename().string().starts_with("preprocess");
}

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    std::set<std::string> names;
    for (const auto& [name, unused] : Fixture(folder / file).group("in"))
      names.insert(name.substr(0, name.find('.')));
    for (const std::string& name : names)
      register_case("cogvideox", file.stem().string() + "_" + name,
                    [path = folder / file, name] { check_picture(path, name); });
  }
}

}  // namespace

FamilyPart cogvideox_preprocess() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
