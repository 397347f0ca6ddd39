#include "models/checkpoint/config_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kLongestConfig = 1'000'000;

}  // namespace

ConfigFile::ConfigFile(std::filesystem::path path, nlohmann::json json)
    : path_(std::move(path)), json_(std::make_shared<const nlohmann::json>(std::move(json))) {}

ConfigFile ConfigFile::read(const std::filesystem::path& path) {
  const CheckpointFile file(path);
  if (file.size() > kLongestConfig)
    refuse_checkpoint(path, "has " + std::to_string(file.size()) +
                                " bytes, more than the 1 MB that a description may have");
  return parse(file.read_text(0, file.size()), path);
}

ConfigFile ConfigFile::parse(std::string_view json, const std::filesystem::path& source) {
  nlohmann::json value = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) refuse_checkpoint(source, "is no JSON object");
  return {source, std::move(value)};
}

void ConfigFile::refuse(const std::string& defect) const { refuse_checkpoint(path_, defect); }

bool ConfigFile::has(const std::string& key) const {
  const auto found = json_->find(key);
  return found != json_->end() && !found->is_null();
}

const nlohmann::json& ConfigFile::value(const std::string& key) const {
  if (!has(key)) refuse("has no key " + excerpt(key));
  return *json_->find(key);
}

std::int64_t ConfigFile::integer(const std::string& key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_number_integer()) refuse(key + " is " + excerpt(v.dump()) + ", expected an integer");
  return v.get<std::int64_t>();
}

double ConfigFile::number(const std::string& key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_number()) refuse(key + " is " + excerpt(v.dump()) + ", expected a number");
  return v.get<double>();
}

bool ConfigFile::boolean(const std::string& key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_boolean()) refuse(key + " is " + excerpt(v.dump()) + ", expected true or false");
  return v.get<bool>();
}

std::string ConfigFile::text(const std::string& key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_string()) refuse(key + " is " + excerpt(v.dump()) + ", expected text");
  return v.get<std::string>();
}

std::int64_t ConfigFile::integer(const std::string& key, std::int64_t absent) const {
  return has(key) ? integer(key) : absent;
}
double ConfigFile::number(const std::string& key, double absent) const {
  return has(key) ? number(key) : absent;
}
bool ConfigFile::boolean(const std::string& key, bool absent) const {
  return has(key) ? boolean(key) : absent;
}
std::string ConfigFile::text(const std::string& key, const std::string& absent) const {
  return has(key) ? text(key) : absent;
}

}  // namespace qingyin
