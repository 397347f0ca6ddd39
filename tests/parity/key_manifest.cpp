#include "tests/parity/key_manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "models/checkpoint/load_weights.h"

namespace qingyin::test {
namespace {

std::string name_of_line(const std::string& line) { return line.substr(0, line.find('\t')); }

std::string dtype_text(at::ScalarType type) {
  if (type == at::kFloat) return "float32";
  if (type == at::kHalf) return "float16";
  if (type == at::kBFloat16) return "bfloat16";
  if (type == at::kLong) return "int64";
  throw std::runtime_error(std::string("no manifest word for ") + toString(type));
}

KeyLines without_dtypes(const KeyLines& lines) {
  KeyLines result;
  for (const std::string& line : lines)
    result.insert(name_of_line(line) + line.substr(line.rfind('\t')));
  return result;
}

}  // namespace

KeyLines read_manifest(const std::filesystem::path& path) {
  std::ifstream in(path);
  KeyLines lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line.front() != '#') lines.insert(line);
  if (lines.empty()) throw std::runtime_error(path.string() + ": no keys");
  return lines;
}

KeyLines manifest_of(const torch::nn::Module& module, const std::string& prefix) {
  KeyLines lines;
  for (const auto& [name, tensor] : weights_of(module)) {
    std::string line = prefix;
    line.append(name).append("\t").append(dtype_text(tensor.scalar_type())).append("\t[");
    for (std::int64_t d = 0; d < tensor.dim(); ++d)
      line.append(d == 0 ? "" : ",").append(std::to_string(tensor.size(d)));
    lines.insert(line.append("]"));
  }
  return lines;
}

void expect_same_keys(KeyLines found, const KeyLines& expected,
                      const std::vector<std::string>& ignored) {
  for (const std::string& name : ignored)
    EXPECT_EQ(std::erase_if(found, [&](const auto& line) { return name_of_line(line) == name; }),
              1U)
        << name << " is ignored and not in the manifest";
  for (const std::string& line : found)
    EXPECT_TRUE(expected.contains(line)) << "only in the manifest: " << line;
  for (const std::string& line : expected)
    EXPECT_TRUE(found.contains(line)) << "only in the network: " << line;
}

void expect_manifest(const torch::nn::Module& network, const std::filesystem::path& manifest) {
  expect_same_keys(without_dtypes(read_manifest(manifest)), without_dtypes(manifest_of(network)),
                   {});
}

}  // namespace qingyin::test
