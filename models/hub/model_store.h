#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "models/hub/hub_cache.h"
#include "models/hub/known_models.h"
#include "models/hub/licence_book.h"

namespace qingyin {

/// What was found of one file of a model.
struct FileState {
  std::string name;            // path in its repository
  std::filesystem::path path;  // where it lies; empty: it is missing
  std::uint64_t bytes = 0;     // on the disk, 0 if missing
  std::string problem;         // empty: nothing speaks against it
};

struct ModelState {
  const KnownModel* model;
  std::vector<FileState> files;

  bool is_complete() const;  // every file is there and none has a problem
  bool is_absent() const;    // no file is there
  std::uint64_t bytes() const;
};

/// Published models on this machine: in the cache that is shared with Hugging Face's tools, or in a
/// folder of the user's.
class ModelStore {
 public:
  explicit ModelStore(HubCache cache = HubCache(HubCache::default_root()));

  const HubCache& cache() const { return cache_; }

  /// What is there, by presence and size alone.
  ModelState look(const KnownModel& model) const;

  /// The same with every digest checked: those of the table, and SHA-256 or Git's blob digest where
  /// a cache entry is named by it. A file that was found right is remembered by size and time of
  /// change, and not read again unless `again`.
  /// @throws Error kCancelled
  ModelState verify(const KnownModel& model, bool again, const Progress& progress = {}) const;

  /// The files of a model by role, for an engine.
  /// @param folder  looked into first, by file name and one level down; may be empty
  /// @throws Error  kModelMissing, one message with every file that is missing or has a wrong size
  ///                and the command that mends it
  std::map<std::string, std::filesystem::path> files_of(
      const KnownModel& model, const std::filesystem::path& folder = {}) const;

  /// The folder of a model that is published as one (CogVideoX).
  /// @throws Error kModelMissing with the command that mends it
  std::filesystem::path folder_of(const KnownModel& model) const;

  /// Takes the files of a model from a folder that the user has (searched below it by name) into
  /// the cache: a hard link where that can be done, else a copy. Every digest is checked first.
  /// @returns one line for each file: taken, there already, or why not
  /// @throws Error kInvalidInput if nothing of the model is there; kIo; kCancelled
  std::vector<std::string> import_from(const std::filesystem::path& folder, const KnownModel& model,
                                       const Progress& progress = {}) const;

  /// Removes the files of a model that no other complete model needs; returns the bytes freed.
  /// @throws Error kIo
  std::uintmax_t remove(const KnownModel& model) const;

 private:
  HubCache cache_;
};

/// Whether a file's bytes are those that the table names; the defect, or empty.
/// @throws Error kCancelled
std::string defect_of(const std::filesystem::path& path, const KnownFile& file,
                      const Progress& progress = {});

/// The hub's digest of a file: SHA-256, or SHA-1 of Git's blob for 40 digits.
std::string hub_digest_of(const std::filesystem::path& path, std::size_t digits);

}  // namespace qingyin
