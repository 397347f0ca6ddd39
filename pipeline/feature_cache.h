#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "models/visual_features.h"

namespace qingyin {

/// Features on disk, one file each, named by the SHA-256 of its key. Files are written whole or not
/// at all and carry a digest of their numbers: any number of processes may use a folder together,
/// and a damaged file counts as none. When the folder is over its size, the files that were not
/// used for longest go; those used since this object was made stay. Const calls may overlap.
class FeatureCache {
 public:
  /// @param folder      need not be there
  /// @param most_bytes  of all files together
  explicit FeatureCache(std::filesystem::path folder = default_folder(),
                        std::uintmax_t most_bytes = std::uintmax_t{2} << 30U);

  /// $XDG_CACHE_HOME or ~/.cache, qingyin/features below it.
  static std::filesystem::path default_folder();

  /// None if there is no such entry or it is damaged, which removes it.
  std::optional<FeatureTensor> find(const std::string& key) const;

  /// False if it cannot be written (no such folder can be made, disk full): no error, the caller
  /// goes on without.
  bool put(const std::string& key, const FeatureTensor& features) const;

 private:
  std::filesystem::path file_of(const std::string& key) const;
  void shrink() const;

  std::filesystem::path folder_;
  std::uintmax_t most_bytes_;
  std::filesystem::file_time_type made_;
};

}  // namespace qingyin
