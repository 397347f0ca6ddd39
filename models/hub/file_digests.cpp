#include "models/hub/file_digests.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/sha256.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path record_file() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  const fs::path base = cache != nullptr && *cache != '\0'
                            ? fs::path(cache)
                            : fs::path(home == nullptr ? "" : home) / ".cache";
  return base / "qingyin" / "digests.json";
}

json read_record() {
  std::ifstream in(record_file(), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  json root = json::parse(text, nullptr, false);
  return root.is_object() ? root : json::object();
}

void write_record(const json& record) {
  std::error_code ignored;
  fs::create_directories(record_file().parent_path(), ignored);
  try {
    write_file_atomically(record_file(),
                          record.dump(1, ' ', false, json::error_handler_t::replace) + "\n",
                          Overwrite::kYes);
  } catch (const Error&) {
    // Without a record the file is read again next time.
  }
}

}  // namespace

std::string remembered_sha256(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::canonical(path, error);
  struct stat facts {};
  if (error || ::stat(whole.c_str(), &facts) != 0) return sha256_of_file(path);
  const std::string state = std::to_string(facts.st_size) + ":" +
                            std::to_string(facts.st_mtim.tv_sec) + "." +
                            std::to_string(facts.st_mtim.tv_nsec) + " ";
  const json known = read_record();
  const auto entry = known.find(whole.string());
  if (entry != known.end() && entry->is_string()) {
    const auto text = entry->get<std::string>();
    if (text.starts_with(state)) return text.substr(state.size());
  }
  const std::string digest = sha256_of_file(whole);
  json record = read_record();
  record[whole.string()] = state + digest;
  write_record(record);
  return digest;
}

}  // namespace qingyin
