#include "models/hub/verified_files.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/error.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_record(const fs::path& record) {
  std::ifstream in(record, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  json root = json::parse(text, nullptr, false);
  return root.is_object() ? root : json::object();
}

/// Path, size and time of the file behind links; empty if it cannot be told.
std::pair<std::string, std::string> identity_of(const fs::path& file) {
  std::error_code error;
  const fs::path whole = fs::canonical(file, error);
  struct stat facts {};
  if (error || ::stat(whole.c_str(), &facts) != 0) return {};
  return {whole.string(), std::to_string(facts.st_size) + ":" +
                              std::to_string(facts.st_mtim.tv_sec) + "." +
                              std::to_string(facts.st_mtim.tv_nsec)};
}

}  // namespace

VerifiedFiles::VerifiedFiles() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  const fs::path base = cache != nullptr && *cache != '\0'
                            ? fs::path(cache)
                            : fs::path(home == nullptr ? "" : home) / ".cache";
  record_ = base / "qingyin" / "verified.json";
}

bool VerifiedFiles::holds(const fs::path& file, const std::string& digests) const {
  const auto [path, facts] = identity_of(file);
  const json record = read_record(record_);
  const auto entry = record.find(path);
  return !path.empty() && entry != record.end() && *entry == facts + " " + digests;
}

void VerifiedFiles::add(const fs::path& file, const std::string& digests) const {
  const auto [path, facts] = identity_of(file);
  if (path.empty()) return;
  json record = read_record(record_);
  record[path] = facts + " " + digests;
  std::error_code ignored;
  fs::create_directories(record_.parent_path(), ignored);
  try {
    write_file_atomically(record_,
                          record.dump(1, ' ', false, json::error_handler_t::replace) + "\n",
                          Overwrite::kYes);
  } catch (const Error&) {
    // Without a record the file is hashed again next time.
  }
}

}  // namespace qingyin
