#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace qingyin::fuzz {

/// The bytes as a file, for readers that want one. One at a time in a process.
class ScratchFile {
 public:
  /// @param extension  with its dot; may be empty
  ScratchFile(std::string_view bytes, const std::string& extension);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace qingyin::fuzz
