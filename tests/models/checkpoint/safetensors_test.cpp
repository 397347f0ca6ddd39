#include "models/checkpoint/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "models/checkpoint/read_checkpoint.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

constexpr std::array<float, 6> kFloats{1.0F, -2.5F, 0.0F, 1e-30F, 3e30F, -0.0F};
constexpr std::array<std::uint8_t, 3> kBytes{7, 0, 255};

std::vector<TensorToWrite> two_tensors() {
  return {{.name = "small",
           .dtype = DType::kU8,
           .shape = {3},
           .bytes = std::as_bytes(std::span(kBytes))},
          {.name = "layer.weight",
           .dtype = DType::kF32,
           .shape = {2, 3},
           .bytes = std::as_bytes(std::span(kFloats))}};
}

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A file with the given header and data.
std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  write_safetensors_file(path, two_tensors(), {{"config", "{\"dim\": 8}"}}, Overwrite::kNo);

  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata().at("config"), "{\"dim\": 8}");
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].offset % 8, 0U);
  const Checkpoint checkpoint = read_checkpoint(path);
  const StoredTensor& weight = checkpoint.tensors.at("layer.weight");
  EXPECT_EQ(weight.dtype, DType::kF32);
  EXPECT_EQ(weight.shape, (std::vector<std::int64_t>{2, 3}));
  ASSERT_EQ(weight.bytes.size(), sizeof(kFloats));
  EXPECT_EQ(std::memcmp(weight.bytes.data(), kFloats.data(), sizeof(kFloats)), 0);
  EXPECT_EQ(std::memcmp(checkpoint.tensors.at("small").bytes.data(), kBytes.data(), 3), 0);
}

TEST(Safetensors, WritesTheSameBytesInAnyOrder) {
  const TemporaryFolder folder;
  auto tensors = two_tensors();
  write_safetensors_file(folder / "a.safetensors", tensors, {}, Overwrite::kNo);
  std::swap(tensors[0], tensors[1]);
  write_safetensors_file(folder / "b.safetensors", tensors, {}, Overwrite::kNo);
  EXPECT_EQ(content(folder / "a.safetensors"), content(folder / "b.safetensors"));
}

TEST(Safetensors, OverwritesOnlyWhenAsked) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.safetensors", "precious");
  EXPECT_TRUE(throws_error([&] { write_safetensors_file(path, {}, {}, Overwrite::kNo); },
                           ErrorCode::kIo, "a.safetensors"));
  EXPECT_EQ(content(path), "precious");
  write_safetensors_file(path, two_tensors(), {}, Overwrite::kYes);
  EXPECT_EQ(SafetensorsFile(path).tensors().size(), 2U);
}

TEST(Safetensors, RefusesToWriteNonsense) {
  const TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  auto tensors = two_tensors();
  tensors[0].shape = {4};
  EXPECT_TRUE(throws_error([&] { write_safetensors_file(path, tensors, {}, Overwrite::kNo); },
                           ErrorCode::kInternal, "small"));
  tensors = two_tensors();
  tensors.push_back(tensors[0]);
  EXPECT_TRUE(throws_error([&] { write_safetensors_file(path, tensors, {}, Overwrite::kNo); },
                           ErrorCode::kInternal, "twice"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  write_safetensors_file(folder / "a.safetensors", two_tensors(), {}, Overwrite::kNo);
  const std::string whole = content(folder / "a.safetensors");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = folder.write("cut.safetensors", std::string_view(whole).substr(0, length));
    EXPECT_TRUE(
        throws_error([&] { SafetensorsFile{cut}; }, ErrorCode::kBadCheckpoint, "cut.safetensors"))
        << "at " << length;
  }
}

// Whatever byte of a header is damaged, it is understood or refused; it never crashes.
TEST(Safetensors, SurvivesDamageOfEveryHeaderByte) {
  const TemporaryFolder folder;
  write_safetensors_file(folder / "a.safetensors", two_tensors(), {{"k", "v"}}, Overwrite::kNo);
  const std::string whole = content(folder / "a.safetensors");
  const std::size_t data_bytes = sizeof(kFloats) + sizeof(kBytes);
  const std::string header = whole.substr(8, whole.size() - 8 - data_bytes);
  int refused = 0;
  for (std::size_t at = 0; at < header.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = header;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      try {
        parse_safetensors_header(damaged, whole.size(), "damaged.safetensors");
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::kBadCheckpoint);
        ++refused;
      }
    }
  EXPECT_GT(refused, static_cast<int>(header.size()));
}

TEST(Safetensors, RefusesWhatIsNoRegularFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(throws_error([&] { SafetensorsFile(folder / "none.safetensors"); },
                           ErrorCode::kModelMissing, "none.safetensors"));
  EXPECT_TRUE(throws_error([&] { SafetensorsFile{folder.path()}; }, ErrorCode::kBadCheckpoint,
                           "not a regular file"));
  const auto pipe = folder / "pipe.safetensors";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(throws_error([&] { SafetensorsFile{pipe}; }, ErrorCode::kBadCheckpoint,
                           "not a regular file"));
}

TEST(Safetensors, AFileThatShrinksIsRefusedWhenRead) {
  const TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  write_safetensors_file(path, two_tensors(), {}, Overwrite::kNo);
  const SafetensorsFile file(path);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 4);
  EXPECT_TRUE(throws_error(
      [&] {
        for (const auto& t : file.tensors()) file.read(t);
      },
      ErrorCode::kBadCheckpoint, "truncated"));
}

// Control characters of a hostile name never reach a terminal.
TEST(Safetensors, MessagesEscapeHostileNames) {
  const TemporaryFolder folder;
  const auto path = folder.write(
      "a.safetensors",
      file_of(R"({"\u001b[31mred":{"dtype":"F99","shape":[],"data_offsets":[0,0]}})", ""));
  try {
    SafetensorsFile{path};
    FAIL() << "an unknown dtype was accepted";
  } catch (const Error& e) {
    EXPECT_EQ(std::string_view(e.what()).find('\x1b'), std::string_view::npos);
    EXPECT_NE(std::string_view(e.what()).find("F99"), std::string_view::npos);
  }
}

TEST(ReadCheckpoint, NamesTheKindOfAForeignFile) {
  const TemporaryFolder folder;
  const auto pointer = folder.write("model.bin", "version https://git-lfs.github.com/spec/v1\n");
  EXPECT_TRUE(throws_error([&] { read_checkpoint(pointer); }, ErrorCode::kBadCheckpoint,
                           "git-lfs pointer"));
  const auto gzip = folder.write("model.pth", "\x1f\x8b\x08\xff");
  EXPECT_TRUE(
      throws_error([&] { read_checkpoint(gzip); }, ErrorCode::kBadCheckpoint, "a gzip file"));
}

TEST(ReadCheckpoint, JoinsShards) {
  const TemporaryFolder folder;
  auto tensors = two_tensors();
  write_safetensors_file(folder / "one.safetensors", {tensors[0]}, {}, Overwrite::kNo);
  write_safetensors_file(folder / "two.safetensors", {tensors[1]}, {}, Overwrite::kNo);
  const auto index = folder.write(
      "model.safetensors.index.json",
      R"({"weight_map":{"small":"one.safetensors","layer.weight":"two.safetensors"}})");
  EXPECT_EQ(read_checkpoint(index).tensors.size(), 2U);
}

}  // namespace
}  // namespace qingyin::test
