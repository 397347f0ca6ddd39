#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint_file.h"

namespace qingyin {

/// A stored file inside a zip archive.
struct ZipEntry {
  std::string name;
  std::uint64_t offset;  // of its first byte, from the start of the archive
  std::uint64_t size;
  std::uint32_t crc;
};

/// Lists an archive as torch.save writes it: stored entries only, with or without zip64 fields and
/// data descriptors. Stricter than zip tools: the directory and the local headers must agree, and
/// entries, directory and end records must fill the file without gap, overlap or comment.
/// The content is not read; see `check_crc`.
/// @throws Error kBadCheckpoint
std::vector<ZipEntry> read_zip_directory(const CheckpointFile& file);

/// Throws kBadCheckpoint unless the entry's bytes have its CRC-32.
void check_crc(const CheckpointFile& file, const ZipEntry& entry);

}  // namespace qingyin
