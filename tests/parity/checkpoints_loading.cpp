// Checkpoints that must load, bit for bit, and those that may.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/sha256.h"
#include "models/checkpoint/pth.h"
#include "models/checkpoint/read_checkpoint.h"
#include "models/checkpoint/tensor_io.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/checkpoints.h"
#include "tests/parity/table.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

std::string_view bytes_of(const StoredTensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()),
          static_cast<std::size_t>(tensor.bytes.size())};
}

std::string shape_text(const StoredTensor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(size);
  }
  return text.empty() ? "scalar" : text;
}

/// Checks the tensors against the digests, which need no reader to be believed.
void expect_digests(const Checkpoint& got, const std::vector<Row>& digests,
                    const std::string& name) {
  std::size_t expected = 0;
  for (const Row& row : digests) {
    if (row.at("name") != name) continue;
    ++expected;
    const auto tensor_name = nlohmann::json::parse(row.at("tensor")).get<std::string>();
    const auto found = got.tensors.find(tensor_name);
    if (found == got.tensors.end()) {
      ADD_FAILURE() << "tensor " << row.at("tensor") << " is missing";
      continue;
    }
    const StoredTensor& tensor = found->second;
    EXPECT_EQ(name_of(tensor.dtype), row.at("dtype")) << tensor_name;
    EXPECT_EQ(shape_text(tensor), row.at("shape")) << tensor_name;
    EXPECT_EQ(std::to_string(tensor.bytes.size()), row.at("bytes")) << tensor_name;
    EXPECT_EQ(sha256_hex(bytes_of(tensor)), row.at("sha256")) << tensor_name;
  }
  EXPECT_EQ(got.tensors.size(), expected);
}

/// Bools are compared as zero or not.
bool same_bytes(const StoredTensor& a, const StoredTensor& b) {
  if (a.dtype != DType::kBool) return bytes_of(a) == bytes_of(b);
  return at::equal(to_tensor(a), to_tensor(b));
}

void expect_same_tensors(const Checkpoint& got, const Checkpoint& expected) {
  EXPECT_EQ(got.tensors.size(), expected.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    const auto found = got.tensors.find(name);
    if (found == got.tensors.end()) {
      ADD_FAILURE() << "tensor " << name << " is missing";
      continue;
    }
    EXPECT_EQ(name_of(found->second.dtype), name_of(tensor.dtype)) << name;
    EXPECT_EQ(found->second.shape, tensor.shape) << name;
    EXPECT_TRUE(same_bytes(found->second, tensor)) << name << ": other bytes";
  }
}

/// Every tensor as float32 equals the stored copy; NaN equals NaN.
void expect_same_floats(const fs::path& file, const fs::path& expected) {
  const TensorMap got = with_float_type(read_tensors(file), at::kFloat);
  for (const auto& [name, tensor] : with_float_type(read_tensors(expected), at::kFloat)) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_TRUE(at::allclose(got.at(name), tensor, 0, 0, /*equal_nan=*/true)) << name;
  }
}

void expect_same_metadata(const Checkpoint& got, const fs::path& expected) {
  std::ifstream in(expected);
  const auto metadata = nlohmann::json::parse(in);
  EXPECT_EQ(nlohmann::json(got.metadata), metadata);
}

void expect_same_tree(const fs::path& file, const fs::path& expected) {
  std::ifstream in(expected);
  EXPECT_EQ(nlohmann::json::parse(read_pth_as_json(CheckpointFile(file))),
            nlohmann::json::parse(in));
}

struct LoadingCase {
  fs::path folder;
  Row row;
  std::shared_ptr<const std::vector<Row>> digests;

  fs::path file() const { return folder / row.at("file"); }
  /// "pth_views" of pth_views.pth, "sharded_3" of sharded_3/model.safetensors.index.json.
  std::string name() const {
    const fs::path relative = row.at("file");
    return relative.has_parent_path() ? relative.parent_path().string() : relative.stem().string();
  }
};

void check_loading(const LoadingCase& c) {
  const Checkpoint got = read_checkpoint(c.file());
  expect_digests(got, *c.digests, c.name());
  expect_same_tensors(got, read_checkpoint(c.folder / c.row.at("expected")));
  if (c.row.at("expected_f32") != "-")
    expect_same_floats(c.file(), c.folder / c.row.at("expected_f32"));
  if (c.row.at("expected_tree") != "-")
    expect_same_tree(c.file(), c.folder / c.row.at("expected_tree"));
  const fs::path metadata = c.folder / (c.name() + ".expected_metadata.json");
  if (fs::exists(metadata)) expect_same_metadata(got, metadata);
}

void check_either(const LoadingCase& c) {
  Checkpoint got;
  try {
    got = read_checkpoint(c.file());
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadCheckpoint) << e.what();
    return;
  }
  if (c.row.at("expected") != "-")
    expect_same_tensors(got, read_checkpoint(c.folder / c.row.at("expected")));
}

}  // namespace

void register_loading_tests(const fs::path& folder, bool may_refuse) {
  const auto digests = std::make_shared<const std::vector<Row>>(read_table(folder / "digests.tsv"));
  for (const Row& row : read_table(folder / "manifest.tsv")) {
    const LoadingCase c{.folder = folder, .row = row, .digests = digests};
    register_case(may_refuse ? "checkpoints_either" : "checkpoints_good", row.at("file"),
                  [c, may_refuse] { may_refuse ? check_either(c) : check_loading(c); });
  }
}

}  // namespace qingyin::test
