#pragma once

#include <filesystem>
#include <string>

namespace qingyin {

/// Remembers which files were found right, by path, size and time of change, so that gigabytes are
/// not hashed at each start. A record that cannot be read or written is no error: the file is
/// hashed again.
class VerifiedFiles {
 public:
  /// $XDG_CACHE_HOME or ~/.cache, qingyin/verified.json below it.
  VerifiedFiles();

  /// @param digests  what it was checked against: another table asks anew
  bool holds(const std::filesystem::path& file, const std::string& digests) const;
  void add(const std::filesystem::path& file, const std::string& digests) const;

 private:
  std::filesystem::path record_;
};

}  // namespace qingyin
