#include "models/hub/model_store.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "models/hub/verified_files.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kImported = "imported";  // the snapshot of files that a user brought
constexpr std::size_t kSha256Digits = 64, kSha1Digits = 40;

std::uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  return error ? 0 : bytes;
}

std::string size_problem(std::uint64_t bytes, std::uint64_t expected) {
  if (expected == 0 || bytes == expected) return {};
  return "has " + std::to_string(bytes) + " bytes, expected " + std::to_string(expected) +
         (bytes < expected ? " (truncated?)" : "");
}

std::string pull_command(const KnownModel& model) {
  return "qingyin models pull " + std::string(model.id);
}

FileState look_at(const KnownFile& file, const std::optional<fs::path>& place) {
  FileState state{.name = std::string(file.path), .path = {}, .bytes = 0, .problem = {}};
  if (!place) return state;
  state.path = *place;
  state.bytes = size_of(*place);
  state.problem = size_problem(state.bytes, file.bytes);
  return state;
}

/// The files of a snapshot that belong to a folder model.
std::vector<FileState> look_at_folder(const HubCache& cache, const KnownFolder& folder) {
  std::vector<FileState> states;
  const auto snapshot = cache.main_snapshot(folder.repo);
  for (const std::string_view prefix : folder.prefixes) {
    FileState state{.name = std::string(prefix), .path = {}, .bytes = 0, .problem = {}};
    std::error_code error;
    if (snapshot && fs::exists(*snapshot / prefix, error)) {
      state.path = *snapshot / prefix;
      if (fs::is_regular_file(state.path, error)) state.bytes = size_of(state.path);
      for (const auto& item : fs::recursive_directory_iterator(state.path, error)) {
        if (item.is_symlink() && !fs::exists(item.path()))
          state.problem = item.path().filename().string() + " is a link to nothing";
        if (item.is_regular_file(error)) state.bytes += size_of(item.path());
      }
    }
    states.push_back(std::move(state));
  }
  return states;
}

/// A file by its name in a folder or in one of the folders below it.
std::optional<fs::path> find_below(const fs::path& folder, const fs::path& name, int depth) {
  std::error_code error;
  if (fs::is_regular_file(folder / name, error)) return folder / name;
  if (depth == 0) return std::nullopt;
  for (const auto& item : fs::directory_iterator(folder, error)) {
    if (!item.is_directory(error)) continue;
    if (auto found = find_below(item.path(), name, depth - 1)) return found;
  }
  return std::nullopt;
}

/// A hard link where that can be done, else a copy that has its name only once it is whole.
void take_into_cache(const fs::path& place, const fs::path& blob) {
  std::error_code error;
  fs::create_directories(blob.parent_path(), error);
  fs::create_hard_link(fs::canonical(place, error), blob, error);
  if (!error) return;
  fs::path part = blob;
  part += ".importing";
  fs::copy_file(place, part, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(part, blob, error);
  if (!error) return;
  std::error_code ignored;
  fs::remove(part, ignored);
  throw Error(ErrorCode::kIo, printable(blob) + ": cannot be written: " + error.message());
}

/// The digest that a cache entry is named by, if it is one.
std::string name_digest(const fs::path& path) {
  std::error_code error;
  const std::string name = fs::canonical(path, error).filename().string();
  const bool is_digest = (name.size() == kSha256Digits || name.size() == kSha1Digits) &&
                         name.find_first_not_of("0123456789abcdef") == name.npos;
  return error || !is_digest ? "" : name;
}

/// Checks one file's bytes; what was found right before is not read again.
void verify_bytes(FileState& state, const KnownFile& file, bool again, const Progress& progress) {
  if (state.path.empty() || !state.problem.empty()) return;
  const VerifiedFiles verified;
  const std::string named = name_digest(state.path);
  const std::string digests = std::string(file.sha256) + "/" + std::string(file.md5) + "/" + named;
  if (!again && verified.holds(state.path, digests)) return;
  state.problem = defect_of(state.path, file, progress);
  if (state.problem.empty() && !named.empty() && named != file.sha256) {
    const std::string found = hub_digest_of(state.path, named.size());
    if (found != named) state.problem = "has the digest " + found + ", expected " + named;
  }
  if (state.problem.empty()) verified.add(state.path, digests);
}

void verify_folder_files(const fs::path& place, FileState& state, bool again,
                         const Progress& progress) {
  std::error_code error;
  for (const auto& item : fs::recursive_directory_iterator(place, error)) {
    if (!item.is_regular_file(error)) continue;
    FileState one{.name = {}, .path = item.path(), .bytes = 0, .problem = {}};
    verify_bytes(one, KnownFile{}, again, progress);
    if (!one.problem.empty()) state.problem = item.path().filename().string() + " " + one.problem;
  }
}

}  // namespace

bool ModelState::is_complete() const {
  return std::ranges::all_of(
      files, [](const FileState& file) { return !file.path.empty() && file.problem.empty(); });
}

bool ModelState::is_absent() const {
  return std::ranges::all_of(files, [](const FileState& file) { return file.path.empty(); });
}

std::uint64_t ModelState::bytes() const {
  std::uint64_t sum = 0;
  for (const FileState& file : files) sum += file.bytes;
  return sum;
}

std::string hub_digest_of(const fs::path& path, std::size_t digits) {
  if (digits != kSha1Digits) {
    Digest digest(DigestKind::kSha256);
    add_file(digest, path);
    return digest.hex();
  }
  Digest digest(DigestKind::kSha1);
  const std::string head = "blob " + std::to_string(size_of(path)) + std::string(1, '\0');
  digest.add(head.data(), head.size());
  add_file(digest, path);
  return digest.hex();
}

std::string defect_of(const fs::path& path, const KnownFile& file, const Progress& progress) {
  if (auto problem = size_problem(size_of(path), file.bytes); !problem.empty()) return problem;
  const bool has_sha256 = !file.sha256.empty();
  const std::string_view expected = has_sha256 ? file.sha256 : file.md5;
  if (expected.empty()) return {};
  report(progress, "checking " + path.filename().string(), 0);
  Digest digest(has_sha256 ? DigestKind::kSha256 : DigestKind::kMd5);
  add_file(digest, path);
  const std::string found = digest.hex();
  if (found == expected) return {};
  return std::string("has the ") + (has_sha256 ? "SHA-256 " : "MD5 ") + found + ", expected " +
         std::string(expected);
}

ModelStore::ModelStore(HubCache cache) : cache_(std::move(cache)) {}

ModelState ModelStore::look(const KnownModel& model) const {
  ModelState state{.model = &model, .files = {}};
  for (const KnownFile& file : model.files)
    state.files.push_back(look_at(file, cache_.find(file.repo, file.path)));
  for (const KnownFolder& folder : model.folders)
    for (FileState& part : look_at_folder(cache_, folder)) state.files.push_back(std::move(part));
  return state;
}

ModelState ModelStore::verify(const KnownModel& model, bool again, const Progress& progress) const {
  ModelState state = look(model);
  for (std::size_t i = 0; i < state.files.size(); ++i) {
    FileState& file = state.files[i];
    report(progress, file.name, static_cast<double>(i) / static_cast<double>(state.files.size()));
    if (i < model.files.size())
      verify_bytes(file, model.files[i], again, progress);
    else if (!file.path.empty())
      verify_folder_files(file.path, file, again, progress);
  }
  return state;
}

std::map<std::string, fs::path> ModelStore::files_of(const KnownModel& model,
                                                     const fs::path& folder) const {
  std::map<std::string, fs::path> files;
  std::string problems;
  for (const KnownFile& file : model.files) {
    std::optional<fs::path> place;
    if (!folder.empty()) place = find_below(folder, fs::path(file.path).filename(), 1);
    if (!place) place = cache_.find(file.repo, file.path);
    const FileState state = look_at(file, place);
    if (state.path.empty())
      problems += "\n  missing    " + std::string(file.repo) + "/" + state.name;
    else if (!state.problem.empty())
      problems += "\n  wrong      " + printable(state.path) + " " + state.problem;
    files[std::string(file.role)] = state.path;
  }
  if (problems.empty()) return files;
  throw Error(ErrorCode::kModelMissing,
              std::string(model.id) + " is not complete:" + problems +
                  "\nfetch it with: " + pull_command(model) +
                  "; or bring files that you have with: qingyin models import " + "FOLDER " +
                  std::string(model.id));
}

fs::path ModelStore::folder_of(const KnownModel& model) const {
  require(!model.folders.empty(), ErrorCode::kInternal,
          std::string(model.id) + " is not published as a folder");
  const ModelState state = look(model);
  if (state.is_complete()) return *cache_.main_snapshot(model.folders.front().repo);
  std::string problems;
  for (const FileState& file : state.files)
    if (file.path.empty() || !file.problem.empty())
      problems += "\n  " + (file.path.empty() ? "missing    " + file.name : file.problem);
  throw Error(ErrorCode::kModelMissing, std::string(model.id) + " is not complete:" + problems +
                                            "\nfetch it with: " + pull_command(model));
}

std::vector<std::string> ModelStore::import_from(const fs::path& folder, const KnownModel& model,
                                                 const Progress& progress) const {
  require(
      !model.files.empty(), ErrorCode::kUsage,
      std::string(model.id) +
          " is used as the folder that it is published as: name that folder where it is wanted");
  std::error_code error;
  require(fs::is_directory(folder, error), ErrorCode::kInvalidInput,
          printable(folder) + ": is not a folder; expected one with the model's files");
  std::vector<std::string> lines;
  bool has_any = false;
  for (const KnownFile& file : model.files) {
    const std::string name = fs::path(file.path).filename().string();
    const auto place = find_below(folder, name, 3);
    if (!place) {
      lines.push_back("missing    " + name);
      continue;
    }
    if (const std::string defect = defect_of(*place, file, progress); !defect.empty()) {
      lines.push_back("refused    " + printable(*place) + ": " + defect);
      continue;
    }
    has_any = true;
    const std::string digest = hub_digest_of(*place, kSha256Digits);
    const fs::path blob = cache_.blob(file.repo, digest);
    if (!fs::exists(blob, error)) take_into_cache(*place, blob);
    cache_.link(file.repo, kImported, file.path, digest);
    lines.push_back("taken      " + printable(*place));
  }
  if (has_any) return lines;
  std::string all;
  for (const std::string& line : lines) all += "\n  " + line;
  throw Error(ErrorCode::kInvalidInput,
              printable(folder) + ": holds nothing usable of " + std::string(model.id) + ":" + all);
}

std::uintmax_t ModelStore::remove(const KnownModel& model) const {
  std::map<std::string, std::vector<std::string>> paths;  // by repository
  for (const KnownFile& file : model.files) {
    const bool is_shared = std::ranges::any_of(known_models(), [&](const KnownModel& other) {
      return other.id != model.id &&
             std::ranges::any_of(other.files,
                                 [&](const KnownFile& theirs) {
                                   return theirs.repo == file.repo && theirs.path == file.path;
                                 }) &&
             look(other).is_complete();
    });
    if (!is_shared) paths[std::string(file.repo)].emplace_back(file.path);
  }
  std::uintmax_t freed = 0;
  for (const auto& [repo, list] : paths) freed += cache_.remove(repo, list);
  for (const KnownFolder& folder : model.folders) {
    std::error_code error;
    freed += look(model).bytes();
    fs::remove_all(cache_.folder_of(folder.repo), error);
    if (error)
      throw Error(ErrorCode::kIo, printable(cache_.folder_of(folder.repo)) +
                                      ": cannot be removed: " + error.message());
  }
  return freed;
}

}  // namespace qingyin
