#include "tests/support/fixture.h"

#include "core/error.h"

namespace qingyin::test {

Fixture::Fixture(const std::filesystem::path& path)
    : path_(path), content_(read_safetensors(path)) {}

TensorMap Fixture::group(const std::string& name) const {
  const std::string prefix = name + ".";
  TensorMap found;
  for (const auto& [key, tensor] : content_.tensors)
    if (key.starts_with(prefix)) found.emplace(key.substr(prefix.size()), tensor);
  return found;
}

nlohmann::json Fixture::metadata(const std::string& key) const {
  const auto found = content_.metadata.find(key);
  return found == content_.metadata.end() ? nlohmann::json() : nlohmann::json::parse(found->second);
}

std::string Fixture::text(const std::string& key) const {
  const auto found = content_.metadata.find(key);
  require(found != content_.metadata.end(), ErrorCode::kBadCheckpoint,
          path_.string() + ": the fixture's metadata has no " + key);
  return found->second;
}

at::Tensor Fixture::tensor(const std::string& name) const {
  const auto found = content_.tensors.find(name);
  require(found != content_.tensors.end(), ErrorCode::kBadCheckpoint,
          path_.string() + ": the fixture has no tensor " + name);
  return found->second;
}

}  // namespace qingyin::test
