#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace qingyin {

/// A JSON object that describes a part of a checkpoint (config.json, scheduler_config.json, ...).
/// A value that is null counts as absent. Every error names the file and the key.
class ConfigFile {
 public:
  /// @throws Error  kModelMissing if there is no such file; kBadCheckpoint if it is over 1 MB or
  ///                no JSON object
  static ConfigFile read(const std::filesystem::path& path);
  /// @param source  stands for the file in messages
  /// @throws Error  kBadCheckpoint
  static ConfigFile parse(std::string_view json, const std::filesystem::path& source);

  const std::filesystem::path& path() const { return path_; }
  bool has(const std::string& key) const;

  /// The value of a key, of exactly that type; integers are also numbers.
  /// @throws Error kBadCheckpoint if it is absent or of another type
  std::int64_t integer(const std::string& key) const;
  double number(const std::string& key) const;
  bool boolean(const std::string& key) const;
  std::string text(const std::string& key) const;

  /// The same, with a value for a key that is absent.
  std::int64_t integer(const std::string& key, std::int64_t absent) const;
  double number(const std::string& key, double absent) const;
  bool boolean(const std::string& key, bool absent) const;
  std::string text(const std::string& key, const std::string& absent) const;

  const nlohmann::json& json() const { return *json_; }

  /// Throws kBadCheckpoint: "FILE: DEFECT".
  [[noreturn]] void refuse(const std::string& defect) const;

 private:
  ConfigFile(std::filesystem::path path, nlohmann::json json);
  const nlohmann::json& value(const std::string& key) const;

  std::filesystem::path path_;
  std::shared_ptr<const nlohmann::json> json_;
};

}  // namespace qingyin
