#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace qingyin::test {

/// A file of a collection of odd media, and what its manifest says of it.
struct OddFile {
  std::filesystem::path path;
  nlohmann::json entry;

  std::string name() const { return entry.at("file"); }

  /// @param kind  how it ended: a word of the manifest, or what else happened
  bool may_end(const std::string& kind) const {
    const std::string expected = entry.at("expected");
    // More warnings than ffmpeg gives are no fault; fewer are.
    if (kind == expected || (expected == "ok" && kind == "ok_with_warnings")) return true;
    const auto also = entry.value("also_acceptable", nlohmann::json::array());
    if (also.is_string()) return also.get<std::string>().find(kind) != std::string::npos;
    return std::find(also.begin(), also.end(), kind) != also.end();
  }

  bool has_tag(const std::string& tag) const {
    const auto tags = entry.value("tags", nlohmann::json::array());
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  }
};

/// The folders that QINGYIN_ODD_MEDIA names, split by colons; without it the collection beside the
/// source tree, if it is there.
inline std::vector<std::filesystem::path> odd_folders() {
  namespace fs = std::filesystem;
  std::vector<fs::path> folders;
  if (const char* named = std::getenv("QINGYIN_ODD_MEDIA")) {
    std::istringstream list(named);
    for (std::string folder; std::getline(list, folder, ':');) folders.emplace_back(folder);
    return folders;
  }
  const char* shared = std::getenv("QINGYIN_SHARED");
  const auto collection =
      (shared ? fs::path(shared) : fs::path(QINGYIN_SOURCE_DIR) / ".." / "shared") / "media_odd";
  if (fs::exists(collection / "manifest.json")) folders.push_back(collection);
  return folders;
}

/// The files of a folder with a manifest. Names that are no UTF-8 stand there in hexadecimal.
inline std::vector<OddFile> odd_files(const std::filesystem::path& folder) {
  std::ifstream file(folder / "manifest.json");
  const auto manifest = nlohmann::json::parse(file);
  std::vector<OddFile> files;
  for (const auto& entry : manifest.at("files")) {
    std::string name;
    if (entry.contains("file_hex")) {
      const std::string hex = entry.at("file_hex");
      for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        name += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
      }
    } else {
      name = entry.at("file");
    }
    files.push_back({folder / name, entry});
  }
  return files;
}

}  // namespace qingyin::test
