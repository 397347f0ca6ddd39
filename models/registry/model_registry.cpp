#include "models/registry/model_registry.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kSchema = "qingyin.models/1";
constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kEnding = ".safetensors";
constexpr std::string_view kNextStep =
    "; fetch the weights again (they are in models/bundled of the source tree)";

[[noreturn]] void refuse(const fs::path& file, const std::string& defect) {
  throw Error(ErrorCode::kBadCheckpoint, printable(file) + ": " + defect + std::string(kNextStep));
}

[[noreturn]] void miss(const std::string& what) {
  throw Error(ErrorCode::kModelMissing, what + std::string(kNextStep));
}

bool is_plain_file_name(std::string_view name) {
  return name.find_first_of(std::string_view("/\\:\0", 4)) == std::string_view::npos &&
         name.ends_with(kEnding) && name.size() > kEnding.size();
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

ModelFile parse_model(const json& entry, const fs::path& manifest) {
  ModelFile model{.name = entry.at("name").get<std::string>(),
                  .file = entry.at("file").get<std::string>(),
                  .sha256 = entry.at("sha256").get<std::string>(),
                  .bytes = 0,
                  .licence = entry.at("licence").get<std::string>()};
  if (!entry.at("bytes").is_number_unsigned())
    refuse(manifest, "bytes of model " + excerpt(model.name) + " is not a non-negative integer");
  model.bytes = entry.at("bytes").get<std::uint64_t>();
  if (!is_plain_file_name(model.file))
    refuse(manifest, "file " + excerpt(model.file) + " is not a plain name of a .safetensors file");
  if (!is_sha256(model.sha256))
    refuse(manifest,
           "sha256 of model " + excerpt(model.name) + " is not 64 lower-case hexadecimal digits");
  return model;
}

std::vector<ModelFile> parse_manifest(const std::string& text, const fs::path& manifest) {
  std::vector<ModelFile> models;
  std::set<std::string> names;
  try {
    const json root = json::parse(text);
    if (root.at("schema") != kSchema)
      refuse(manifest, "schema is not \"" + std::string(kSchema) + "\"");
    const json& entries = root.at("models");
    if (!entries.is_array()) refuse(manifest, "models is not a list");
    for (const json& entry : entries) {
      models.push_back(parse_model(entry, manifest));
      if (!names.insert(models.back().name).second)
        refuse(manifest, "lists model " + excerpt(models.back().name) + " twice");
    }
  } catch (const json::exception& e) {
    refuse(manifest, "is not a manifest of models: " + excerpt(e.what(), 160));
  }
  return models;
}

bool has_manifest(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kManifest, ignored);
}

/// Where the weights of an installed program and of a source tree are, in that order.
std::vector<fs::path> usual_folders() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error)
    folders.push_back(program.parent_path().parent_path() / "share" / "qingyin" / "models");
  folders.emplace_back(QINGYIN_SOURCE_MODELS);
  return folders;
}

}  // namespace

ModelRegistry::ModelRegistry(fs::path folder) : folder_(std::move(folder)) {
  const fs::path manifest = folder_ / kManifest;
  if (!has_manifest(folder_)) miss("no manifest of models at " + printable(manifest));
  std::ifstream in(manifest, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.good() && !in.eof()) refuse(manifest, "cannot be read");
  models_ = parse_manifest(text, manifest);
}

const ModelFile& ModelRegistry::find(std::string_view name) const {
  const auto found = std::ranges::find(models_, name, &ModelFile::name);
  if (found != models_.end()) return *found;
  std::string known;
  for (const ModelFile& model : models_) known += (known.empty() ? "" : ", ") + model.name;
  miss("no model named " + excerpt(name) + " in " + printable(folder_) +
       " (there: " + (known.empty() ? "none" : known) + ")");
}

fs::path ModelRegistry::verified_path(std::string_view name) const {
  const ModelFile& model = find(name);
  const fs::path path = folder_ / model.file;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) miss("the weights " + printable(path) + " are missing");
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) refuse(path, "cannot be read: " + error.message());
  if (bytes != model.bytes)
    refuse(path,
           "has " + std::to_string(bytes) + " bytes, expected " + std::to_string(model.bytes));
  const std::string sha256 = sha256_of_file(path);
  if (sha256 != model.sha256)
    refuse(path, "has the SHA-256 " + sha256 + ", expected " + model.sha256);
  return path;
}

fs::path find_models_folder(const fs::path& wanted) {
  const char* const variable = std::getenv("QINGYIN_MODELS");
  std::vector<fs::path> folders;
  if (!wanted.empty())
    folders = {wanted};
  else if (variable != nullptr && *variable != '\0')
    folders = {variable};
  else
    folders = usual_folders();
  std::string places;
  for (const fs::path& folder : folders) {
    if (has_manifest(folder)) return folder;
    places += (places.empty() ? "" : " or ") + printable(folder);
  }
  miss("no manifest of models in " + places);
}

void write_model_manifest(const fs::path& folder, const std::string& licence) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder, error))
    if (item.is_regular_file() && item.path().extension() == kEnding) files.push_back(item.path());
  if (error) throw Error(ErrorCode::kIo, printable(folder) + ": " + error.message());
  std::ranges::sort(files);
  auto models = nlohmann::ordered_json::array();
  for (const fs::path& file : files)
    models.push_back({{"name", file.stem().string()},
                      {"file", file.filename().string()},
                      {"sha256", sha256_of_file(file)},
                      {"bytes", fs::file_size(file)},
                      {"licence", licence}});
  const nlohmann::ordered_json root{{"schema", kSchema}, {"models", models}};
  write_file_atomically(folder / kManifest, root.dump(2) + "\n", Overwrite::kYes);
}

}  // namespace qingyin
