#include "pipeline/feature_cache.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/sha256.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = "qingyin.features/1";
constexpr const char* kExtension = ".features";

// One line of JSON, then the numbers: float32, little-endian, row-major.
std::string to_bytes(const std::string& key, const FeatureTensor& features) {
  std::string numbers(features.values.size() * sizeof(float), '\0');
  std::memcpy(numbers.data(), features.values.data(), numbers.size());
  const json head{{"schema", kSchema},
                  {"key", key},
                  {"shape", features.shape},
                  {"hop_s", features.hop.count()},
                  {"sha256", sha256_hex(numbers)}};
  return head.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" + numbers;
}

std::optional<FeatureTensor> from_bytes(const std::string& bytes) {
  const auto line = bytes.find('\n');
  if (line == std::string::npos) return std::nullopt;
  try {
    const json head = json::parse(bytes.substr(0, line));
    const std::string numbers = bytes.substr(line + 1);
    if (head.at("schema") != kSchema || head.at("sha256") != sha256_hex(numbers))
      return std::nullopt;
    FeatureTensor features;
    head.at("shape").get_to(features.shape);
    features.hop = Seconds(head.at("hop_s").get<double>());
    features.values.resize(numbers.size() / sizeof(float));
    std::memcpy(features.values.data(), numbers.data(), features.values.size() * sizeof(float));
    const auto size = std::accumulate(features.shape.begin(), features.shape.end(), std::int64_t{1},
                                      std::multiplies<>());
    if (size * static_cast<std::int64_t>(sizeof(float)) != std::ssize(numbers)) return std::nullopt;
    return features;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

FeatureCache::FeatureCache(fs::path folder, std::uintmax_t most_bytes)
    : folder_(std::move(folder)),
      most_bytes_(most_bytes),
      made_(fs::file_time_type::clock::now()) {}

fs::path FeatureCache::default_folder() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  const fs::path base = cache != nullptr && *cache != '\0'
                            ? fs::path(cache)
                            : fs::path(home == nullptr ? "" : home) / ".cache";
  return base / "qingyin" / "features";
}

fs::path FeatureCache::file_of(const std::string& key) const {
  return folder_ / (sha256_hex(key) + kExtension);
}

std::optional<FeatureTensor> FeatureCache::find(const std::string& key) const {
  const fs::path path = file_of(key);
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  auto features = from_bytes({std::istreambuf_iterator<char>(file), {}});
  std::error_code ignored;
  if (features)
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  else
    fs::remove(path, ignored);
  return features;
}

bool FeatureCache::put(const std::string& key, const FeatureTensor& features) const {
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  try {
    write_file_atomically(file_of(key), to_bytes(key, features), Overwrite::kYes);
  } catch (const Error&) {
    return false;
  }
  shrink();
  return true;
}

void FeatureCache::shrink() const {
  struct Entry {
    fs::file_time_type used;
    std::uintmax_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder_, error)) {
    if (item.path().extension() != kExtension) continue;
    std::error_code gone;
    const Entry entry{item.last_write_time(gone), item.file_size(gone), item.path()};
    if (gone) continue;
    bytes += entry.bytes;
    entries.push_back(entry);
  }
  std::ranges::sort(entries, {}, &Entry::used);
  for (const Entry& entry : entries) {
    if (bytes <= most_bytes_ || entry.used >= made_) return;
    fs::remove(entry.path, error);
    bytes -= entry.bytes;
  }
}

}  // namespace qingyin
