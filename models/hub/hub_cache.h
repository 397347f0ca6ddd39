#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// The folder in which Hugging Face's own tools keep downloaded models, shared with them
/// (huggingface_hub, "Understand caching"):
///   models--ORG--NAME/blobs/DIGEST             the bytes
///   models--ORG--NAME/snapshots/COMMIT/PATH    a relative link to a blob
///   models--ORG--NAME/refs/main                the commit
///   .locks/models--ORG--NAME/DIGEST.lock       held while a blob is written
class HubCache {
 public:
  explicit HubCache(std::filesystem::path root);

  /// $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME or ~/.cache, huggingface/hub below it.
  static std::filesystem::path default_root();

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path folder_of(std::string_view repo) const;
  std::filesystem::path blob(std::string_view repo, std::string_view digest) const;
  std::filesystem::path lock_file(std::string_view repo, std::string_view digest) const;

  /// A file of a snapshot: that of refs/main, else the newest snapshot that has it.
  std::optional<std::filesystem::path> find(std::string_view repo, std::string_view path) const;

  /// The snapshot folder that refs/main names, if it is there.
  std::optional<std::filesystem::path> main_snapshot(std::string_view repo) const;

  /// Makes snapshots/COMMIT/PATH stand for a blob that is there: a relative link, or a hard link
  /// where HF_HUB_DISABLE_SYMLINKS is set or links fail. Replaces an older one.
  /// @throws Error kIo
  void link(std::string_view repo, std::string_view commit, std::string_view path,
            std::string_view digest) const;

  /// @throws Error kIo
  void write_ref(std::string_view repo, std::string_view branch, std::string_view commit) const;

  /// Removes files of a repository, and blobs that no snapshot needs any longer; returns the bytes
  /// freed. @throws Error kIo
  std::uintmax_t remove(std::string_view repo, const std::vector<std::string>& paths) const;

 private:
  std::filesystem::path root_;
};

/// Throws unless `path` is a plain relative path: no "..", no empty or hidden part, no backslash.
/// @throws Error kBadCheckpoint
void check_hub_path(std::string_view path);

}  // namespace qingyin
