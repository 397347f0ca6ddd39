#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qingyin::batch {

/// Length, times and inode of a file: while they are the same, so are its bytes. "missing" where
/// there is none.
std::string mark_of(const std::filesystem::path& path);

/// A file and how it looked.
struct MarkedFile {
  std::filesystem::path path;
  std::string mark;
};

MarkedFile marked(const std::filesystem::path& path);

/// True if every file still looks as it did, and there is one at least.
bool are_unchanged(const std::vector<MarkedFile>& files);

/// Creates a folder with its parents, each stored in the folder above it before this returns.
/// @throws Error kIo
void create_stored_folders(const std::filesystem::path& folder);

}  // namespace qingyin::batch
