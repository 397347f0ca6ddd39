#include "cli/output_names.h"

#include <system_error>

#include "core/error.h"
#include "core/media/muxer.h"
#include "core/text.h"
#include "pipeline/batch/name_template.h"
#include "pipeline/report.h"

namespace qingyin::cli {
namespace fs = std::filesystem;

bool is_folder_name(const fs::path& output) {
  std::error_code error;
  return fs::is_directory(output, error) || !output.has_filename() || !output.has_extension();
}

fs::path output_file(const fs::path& output, const fs::path& beside, const std::string& name) {
  if (output.empty()) return beside / name;
  return is_folder_name(output) ? output / name : output;
}

void create_output_folder(const fs::path& output) {
  if (output.empty() || !is_folder_name(output)) return;
  std::error_code error;
  fs::create_directories(output, error);
  if (error) {
    throw Error(ErrorCode::kIo,
                "cannot create the output folder " + printable(output) + ": " + error.message() +
                    "; choose another one with -o",
                "unwritable");
  }
}

std::string sound_name(const ClipInfo& clip) {
  const fs::path name = target_for(clip, {});
  return batch::shortened_name(name.stem().native() + ".sound") + name.extension().native();
}

fs::path free_name(const fs::path& target, const OverwriteOptions& options) {
  if (!options.keep_both) return target;
  fs::path name = target;
  std::error_code error;
  const auto is_taken = [&](const fs::path& path) {
    return fs::exists(fs::symlink_status(path, error)) || fs::exists(report_path(path), error);
  };
  for (int number = 2; is_taken(name); ++number) {
    name = target.parent_path() /
           (target.stem().native() + "." + std::to_string(number) + target.extension().native());
  }
  return name;
}

Overwrite overwrite_of(const OverwriteOptions& options) {
  require(!(options.overwrite && options.keep_both), ErrorCode::kUsage,
          "--overwrite and --keep-both contradict each other; give one of them");
  return options.overwrite ? Overwrite::kYes : Overwrite::kNo;
}

}  // namespace qingyin::cli
