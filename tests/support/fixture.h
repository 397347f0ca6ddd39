#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/checkpoint/tensor_io.h"

namespace qingyin::test {

/// A parity fixture: one safetensors file with `weight.*`, `in.*`, `mid.*`, `out.*` and a JSON
/// `config` in its metadata.
class Fixture {
 public:
  /// @throws Error kModelMissing, kBadCheckpoint
  explicit Fixture(const std::filesystem::path& path);

  /// Tensors whose name begins with "GROUP.", by the rest of their name.
  TensorMap group(const std::string& name) const;
  TensorMap weights() const { return group("weight"); }

  /// One tensor. @throws Error kBadCheckpoint if the fixture has none of that name
  at::Tensor in(const std::string& name) const { return tensor("in." + name); }
  at::Tensor mid(const std::string& name) const { return tensor("mid." + name); }
  at::Tensor out(const std::string& name) const { return tensor("out." + name); }

  /// A metadata entry, parsed as JSON; null if there is none.
  nlohmann::json metadata(const std::string& key) const;
  /// A metadata entry as it stands. @throws Error kBadCheckpoint if there is none
  std::string text(const std::string& key) const;
  nlohmann::json config() const { return metadata("config"); }

 private:
  at::Tensor tensor(const std::string& name) const;

  std::filesystem::path path_;
  TensorsAndMetadata content_;
};

}  // namespace qingyin::test
