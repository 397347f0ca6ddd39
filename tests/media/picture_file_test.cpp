#include "core/media/picture_file.h"

#include "tests/media/media_test.h"
#include "tests/support/expect_error.h"

namespace qingyin::test {
namespace {

class PictureFileTest : public MediaTest {
 protected:
  /// A picture that is red on the left and blue on the right, 64 x 48.
  static std::vector<std::uint8_t> halves() {
    std::vector<std::uint8_t> rgb;
    for (int y = 0; y < 48; ++y)
      for (int x = 0; x < 64; ++x)
        for (const int channel : {x < 32 ? 255 : 0, 0, x < 32 ? 0 : 255})
          rgb.push_back(static_cast<std::uint8_t>(channel));
    return rgb;
  }
};

TEST_F(PictureFileTest, ReadsWhatItWrote) {
  const fs::path path = folder() / "a.png";
  write_png(path, 64, 48, halves(), Overwrite::kNo);
  const Frame frame = read_picture(path);
  EXPECT_EQ(frame.width, 64);
  EXPECT_EQ(frame.height, 48);
  EXPECT_EQ(frame.pixels, halves());
  EXPECT_TRUE(throws_error([&] { write_png(path, 64, 48, halves(), Overwrite::kNo); },
                           ErrorCode::kIo, "a.png"));
}

TEST_F(PictureFileTest, ReadsOtherFormats) {
  write_png(folder() / "a.png", 64, 48, halves(), Overwrite::kNo);
  for (const std::string name : {"a.jpg", "a.bmp"}) {
    const fs::path path = make(name, {"-i", (folder() / "a.png").string(), "-frames:v", "1"});
    const Frame frame = read_picture(path);
    ASSERT_EQ(frame.pixels.size(), 64U * 48U * 3U) << name;
    EXPECT_GT(frame.pixels[0], 200) << name << ": red on the left";
    EXPECT_LT(frame.pixels[63 * 3], 60) << name;
  }
}

TEST_F(PictureFileTest, RefusesWhatIsNoPicture) {
  write_png(folder() / "a.png", 64, 48, halves(), Overwrite::kNo);
  const std::string whole = read_bytes(folder() / "a.png");
  const auto refused = [&](const fs::path& path, const std::string& words) {
    return throws_error([&] { read_picture(path); }, ErrorCode::kInvalidInput, words);
  };
  EXPECT_TRUE(refused(write("cut.png", whole.substr(0, whole.size() / 3)), "cut.png"));
  EXPECT_TRUE(refused(write("text.png", "no picture at all"), "begins like no picture"));
  EXPECT_TRUE(refused(write("empty.png", ""), "0 bytes"));
  EXPECT_TRUE(refused(folder(), "is no file"));
  EXPECT_TRUE(refused(folder() / "none.png", "is no file"));
  EXPECT_TRUE(refused(make_base(), "begins like no picture"));
}

}  // namespace
}  // namespace qingyin::test
