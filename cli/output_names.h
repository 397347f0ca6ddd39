#pragma once

#include <filesystem>
#include <string>

#include "core/atomic_file.h"
#include "core/media/clip.h"

namespace qingyin::cli {

/// What to do where an output already exists.
struct OverwriteOptions {
  bool overwrite = false;  // replace it
  bool keep_both = false;  // write under the next free name
};

/// True if `-o` names a folder: it exists as one, ends in a slash, or has no extension.
bool is_folder_name(const std::filesystem::path& output);

/// The file that `-o` asks for: itself, or `name` in the folder that it names, or `name` in
/// `beside` if it is empty.
std::filesystem::path output_file(const std::filesystem::path& output,
                                  const std::filesystem::path& beside, const std::string& name);

/// Creates the folder that `-o` names, if it names one. @throws Error kIo
void create_output_folder(const std::filesystem::path& output);

/// What a clip's result is called: STEM.sound.EXT, in a container that holds the copied picture.
std::string sound_name(const ClipInfo& clip);

/// `target`, or with keep_both the first of `target`, `STEM.2.EXT`, `STEM.3.EXT` that is free.
std::filesystem::path free_name(const std::filesystem::path& target,
                                const OverwriteOptions& options);

/// @throws Error kUsage if both are asked for
Overwrite overwrite_of(const OverwriteOptions& options);

}  // namespace qingyin::cli
