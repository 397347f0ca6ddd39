#include "models/hub/hub_cache.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder holds models that can be fetched again (see https://bford.info/cachedir/).\n";

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(ErrorCode::kIo, printable(folder) + ": cannot be made: " + error.message() +
                                    "; name another folder in HF_HUB_CACHE");
}

std::string trimmed_content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.erase(text.find_last_not_of(" \r\n\t") + 1);
  return text;
}

bool is_commit_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-") == name.npos;
}

std::vector<fs::path> snapshots_of(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder / "snapshots", error))
    if (item.is_directory(error)) all.push_back(item.path());
  std::ranges::sort(all, [](const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::last_write_time(a, ignored) > fs::last_write_time(b, ignored);
  });
  return all;
}

/// Blobs that a link of some snapshot points at.
std::set<fs::path> blobs_in_use(const fs::path& folder) {
  std::set<fs::path> used;
  std::error_code error;
  for (const auto& item : fs::recursive_directory_iterator(folder / "snapshots", error))
    if (item.is_symlink(error)) used.insert(fs::read_symlink(item.path(), error).filename());
  return used;
}

fs::path relative_to_blob(std::string_view path, std::string_view digest) {
  fs::path target;
  for (auto depth = std::ranges::count(path, '/') + 2; depth > 0; --depth) target /= "..";
  return target / "blobs" / digest;
}

}  // namespace

void check_hub_path(std::string_view path) {
  bool is_plain = !path.empty() && path.find('\\') == path.npos && path.find('\0') == path.npos;
  for (const fs::path& part : fs::path(path)) {
    is_plain = is_plain && !part.empty() && part.native().front() != '.' && part != "/";
  }
  if (!is_plain)
    throw Error(ErrorCode::kBadCheckpoint,
                "the hub lists a file at " + excerpt(path, 120) +
                    ", expected a plain path inside the repository; nothing was written");
}

HubCache::HubCache(fs::path root) : root_(std::move(root)) {}

fs::path HubCache::default_root() {
  if (const std::string given = variable("HF_HUB_CACHE"); !given.empty()) return given;
  if (const std::string home = variable("HF_HOME"); !home.empty()) return fs::path(home) / "hub";
  const std::string cache = variable("XDG_CACHE_HOME");
  const fs::path base = cache.empty() ? fs::path(variable("HOME")) / ".cache" : fs::path(cache);
  return base / "huggingface" / "hub";
}

fs::path HubCache::folder_of(std::string_view repo) const {
  std::string name = "models--";
  for (const char c : repo) name += c == '/' ? std::string("--") : std::string(1, c);
  return root_ / name;
}

fs::path HubCache::blob(std::string_view repo, std::string_view digest) const {
  return folder_of(repo) / "blobs" / digest;
}

fs::path HubCache::lock_file(std::string_view repo, std::string_view digest) const {
  return root_ / ".locks" / folder_of(repo).filename() / (std::string(digest) + ".lock");
}

std::optional<fs::path> HubCache::main_snapshot(std::string_view repo) const {
  const fs::path folder = folder_of(repo);
  const std::string commit = trimmed_content(folder / "refs" / "main");
  if (!is_commit_name(commit)) return std::nullopt;
  const fs::path snapshot = folder / "snapshots" / commit;
  std::error_code ignored;
  if (!fs::is_directory(snapshot, ignored)) return std::nullopt;
  return snapshot;
}

std::optional<fs::path> HubCache::find(std::string_view repo, std::string_view path) const {
  std::vector<fs::path> snapshots = snapshots_of(folder_of(repo));
  if (const auto main = main_snapshot(repo)) snapshots.insert(snapshots.begin(), *main);
  std::error_code ignored;
  for (const fs::path& snapshot : snapshots)
    if (fs::is_regular_file(snapshot / path, ignored)) return snapshot / path;
  return std::nullopt;
}

void HubCache::link(std::string_view repo, std::string_view commit, std::string_view path,
                    std::string_view digest) const {
  check_hub_path(path);
  require(is_commit_name(commit), ErrorCode::kBadCheckpoint,
          "the hub names the commit " + excerpt(commit) + ", expected hexadecimal digits");
  const fs::path place = folder_of(repo) / "snapshots" / commit / path;
  make_folders(place.parent_path());
  if (!fs::exists(root_ / "CACHEDIR.TAG"))
    write_file_atomically(root_ / "CACHEDIR.TAG", kTag, Overwrite::kYes);
  std::error_code error;
  fs::remove(place, error);
  if (variable("HF_HUB_DISABLE_SYMLINKS").empty()) {
    fs::create_symlink(relative_to_blob(path, digest), place, error);
    if (!error) return;
  }
  fs::create_hard_link(blob(repo, digest), place, error);
  if (error)
    throw Error(ErrorCode::kIo, printable(place) + ": cannot be linked: " + error.message());
}

void HubCache::write_ref(std::string_view repo, std::string_view branch,
                         std::string_view commit) const {
  const fs::path place = folder_of(repo) / "refs" / branch;
  make_folders(place.parent_path());
  write_file_atomically(place, commit, Overwrite::kYes);
}

std::uintmax_t HubCache::remove(std::string_view repo,
                                const std::vector<std::string>& paths) const {
  const fs::path folder = folder_of(repo);
  std::error_code error;
  for (const fs::path& snapshot : snapshots_of(folder))
    for (const std::string& path : paths) fs::remove(snapshot / path, error);
  const std::set<fs::path> used = blobs_in_use(folder);
  std::uintmax_t freed = 0;
  for (const auto& item : fs::directory_iterator(folder / "blobs", error)) {
    if (used.contains(item.path().filename()) || fs::hard_link_count(item.path()) > 1) continue;
    freed += item.file_size();
    if (!fs::remove(item.path(), error) || error)
      throw Error(ErrorCode::kIo,
                  printable(item.path()) + ": cannot be removed: " + error.message());
  }
  if (used.empty()) fs::remove_all(folder, error);
  return freed;
}

}  // namespace qingyin
