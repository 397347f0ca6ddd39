#include "pipeline/batch/expand.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/text.h"
#include "pipeline/batch/manifest.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

// What lies beside clips in an archive and holds no picture of its own.
bool is_companion(const fs::path& path) {
  static constexpr std::array<std::string_view, 36> kKinds = {
      ".txt", ".md",   ".json", ".jsonl", ".csv",  ".tsv",  ".xml", ".yaml", ".yml",
      ".ini", ".log",  ".nfo",  ".html",  ".pdf",  ".srt",  ".vtt", ".ass",  ".sub",
      ".jpg", ".jpeg", ".png",  ".webp",  ".tif",  ".tiff", ".thm", ".wav",  ".mp3",
      ".aac", ".flac", ".m4a",  ".oga",   ".opus", ".sh",   ".py",  ".md5",  ".sha256"};
  const std::string extension = lower_extension(path);
  return std::find(kKinds.begin(), kKinds.end(), extension) != kKinds.end();
}

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

bool is_same_folder(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a.empty() ? "." : a, b.empty() ? "." : b, error) && !error;
}

void refuse_own_folder(const fs::path& folder, const fs::path& output) {
  if (!is_same_folder(folder, output)) return;
  throw Error(ErrorCode::kUsage,
              "the results would lie among the clips in " +
                  printable(folder.empty() ? fs::path(".") : folder) +
                  ", and the next run would take them for clips; name another folder with -o");
}

// Where a link in a searched folder leads to: inside, or out of the folder.
bool leads_out(const fs::path& link, const fs::path& root) {
  std::error_code error;
  const auto target = fs::canonical(link, error);
  if (error) return false;  // a dead link: reading it says so
  const auto inside = target.lexically_relative(fs::canonical(root, error));
  return inside.empty() || *inside.begin() == "..";
}

fs::path without_slash(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

class FolderSearch {
 public:
  FolderSearch(const Source& source, const ItemOptions& defaults)
      : source_(source), root_(without_slash(source.what)), defaults_(defaults) {}

  Expansion run() {
    refuse_own_folder(root_, source_.output_folder);
    search(root_);
    const auto by_path = [](const Item& a, const Item& b) {
      return a.input.native() < b.input.native();
    };
    std::sort(found_.items.begin(), found_.items.end(), by_path);
    std::sort(found_.left_out.begin(), found_.left_out.end());
    return std::move(found_);
  }

 private:
  void search(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator entries(folder, error), end;
    if (error) {
      const Fault fault{ErrorCode::kInvalidInput, "unreadable",
                        printable(folder) + ": this folder cannot be read: " + error.message() +
                            "; check its access rights"};
      add(folder, fault);
      return;
    }
    for (; !error && entries != end; entries.increment(error)) look_at(*entries);
  }

  void look_at(const fs::directory_entry& entry) {
    const fs::path& path = entry.path();
    if (is_hidden(path)) return;
    std::error_code error;
    if (entry.is_directory(error)) {
      const bool is_searched = source_.is_recursive && !entry.is_symlink(error) &&
                               !is_same_folder(path, source_.output_folder);
      if (is_searched) search(path);
      return;
    }
    if (is_companion(path)) {
      found_.left_out.push_back(path);
    } else if (entry.is_symlink(error) && leads_out(path, root_)) {
      add(path, Fault{ErrorCode::kInvalidInput, "link",
                      printable(path) + ": is a link that leads out of " + printable(root_) +
                          "; name its target outright, or put it into a manifest"});
    } else {
      add(path, {});
    }
  }

  void add(const fs::path& path, std::optional<Fault> fault) {
    const auto folder = path.parent_path().lexically_relative(root_);
    found_.items.push_back({.input = path,
                            .folder = folder == "." ? fs::path() : folder,
                            .options = defaults_,
                            .fault = std::move(fault)});
  }

  const Source& source_;
  const fs::path root_;
  const ItemOptions& defaults_;
  Expansion found_;
};

// The folders of a pattern before its first wildcard.
fs::path fixed_part(const fs::path& pattern) {
  fs::path fixed;
  for (const auto& part : pattern.parent_path()) {
    if (part.native().find_first_of("*?[") != std::string::npos) break;
    fixed /= part;
  }
  return fixed;
}

Expansion expand_pattern(const Source& source, const ItemOptions& defaults) {
  glob_t matches = {};
  const int result = ::glob(source.what.c_str(), 0, nullptr, &matches);
  std::vector<fs::path> paths;
  if (result == 0) paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  Expansion found;
  const fs::path fixed = fixed_part(source.what);
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) continue;
    refuse_own_folder(path.parent_path(), source.output_folder);
    const auto folder = path.parent_path().lexically_relative(fixed.empty() ? "." : fixed);
    found.items.push_back(
        {.input = path,
         .folder = folder == "." || fixed.is_absolute() != path.is_absolute() ? fs::path() : folder,
         .options = defaults});
  }
  if (!found.items.empty()) return found;
  throw Error(ErrorCode::kInvalidInput,
              "no file matches " + excerpt(source.what, 200) + "; check the pattern", "not_found");
}

bool is_manifest_name(const fs::path& path) {
  static constexpr std::array<std::string_view, 5> kKinds = {".jsonl", ".ndjson", ".csv", ".txt",
                                                             ".list"};
  const std::string extension = lower_extension(path);
  return std::find(kKinds.begin(), kKinds.end(), extension) != kKinds.end();
}

Expansion expand_manifest(const fs::path& path, const ItemOptions& defaults) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    throw Error(ErrorCode::kInvalidInput,
                printable(path) + ": the manifest cannot be read; check its access rights",
                "unreadable");
  }
  const std::string extension = lower_extension(path);
  const ManifestForm form = extension == ".csv"                               ? ManifestForm::kCsv
                            : extension == ".jsonl" || extension == ".ndjson" ? ManifestForm::kJsonl
                                                                              : ManifestForm::kAuto;
  return {read_manifest(text, form, path.parent_path(), path.filename().string(), defaults), {}};
}

}  // namespace

Expansion expand(const Source& source, const ItemOptions& defaults) {
  const fs::path path = source.what;
  std::error_code error;
  if (fs::is_directory(path, error)) return FolderSearch(source, defaults).run();
  if (fs::is_regular_file(path, error) && is_manifest_name(path)) {
    return expand_manifest(path, defaults);
  }
  if (fs::exists(fs::symlink_status(path, error))) {
    refuse_own_folder(path.parent_path(), source.output_folder);
    return {{{.input = path, .options = defaults}}, {}};
  }
  if (source.what.find_first_of("*?[") != std::string::npos) {
    return expand_pattern(source, defaults);
  }
  throw Error(ErrorCode::kInvalidInput,
              printable(path) + ": there is no such folder, file or manifest; check the name",
              "not_found");
}

}  // namespace qingyin::batch
