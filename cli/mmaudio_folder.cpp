#include "cli/mmaudio_folder.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/safetensors.h"
#include "models/hub/known_models.h"
#include "models/hub/licence_book.h"
#include "models/hub/model_store.h"

namespace qingyin::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kPrefix = "mmaudio:";
constexpr const char* kCustom = "mmaudio:custom";
constexpr const char* kDescription = "mmaudio.json";
constexpr const char* kSchema = "qingyin.mmaudio/1";

/// Reads the sizes that an object names; a name that none of the `take` calls asked for is an
/// error.
class Sizes {
 public:
  Sizes(const json& root, const std::string& part) : part_(part) {
    if (const auto found = root.find(part); found != root.end()) values_ = *found;
    require(values_.is_object(), ErrorCode::kBadCheckpoint,
            std::string(kDescription) + ": \"" + part + "\" is not an object");
  }

  template <class Value>
  Sizes& take(const char* name, Value& value) {
    const auto found = values_.find(name);
    if (found == values_.end()) return *this;
    found->get_to(value);
    values_.erase(found);
    return *this;
  }

  void finish() const {
    if (values_.empty()) return;
    throw Error(ErrorCode::kBadCheckpoint, std::string(kDescription) + ": \"" + part_ +
                                               "\" has no size \"" + values_.begin().key() + "\"");
  }

 private:
  std::string part_;
  json values_ = json::object();
};

void take_tower(const json& root, const char* name, ClipTowerConfig& tower) {
  Sizes(root, name)
      .take("width", tower.width)
      .take("layers", tower.layers)
      .take("heads", tower.heads)
      .take("mlp_ratio", tower.mlp_ratio)
      .finish();
}

void take_clip_sizes(const json& root, ClipConfig& clip) {
  Sizes(root, "clip")
      .take("embed_dim", clip.embed_dim)
      .take("patch", clip.patch)
      .take("grid", clip.grid)
      .take("vocabulary", clip.vocabulary)
      .take("context", clip.context)
      .finish();
  take_tower(root, "clip_vision", clip.vision);
  take_tower(root, "clip_text", clip.text);
}

void take_sizes(const json& root, MmaudioModel& model) {
  mmaudio::ModelConfig& sound = model.sound;
  Sizes(root, "sound")
      .take("sample_rate_hz", sound.sound.sample_rate_hz)
      .take("hop", sound.sound.hop)
      .take("bands", sound.sound.bands)
      .take("latents", sound.sound.latents)
      .finish();
  Sizes(root, "flow")
      .take("latents", sound.flow.latents)
      .take("clip_size", sound.flow.clip_size)
      .take("sync_size", sound.flow.sync_size)
      .take("text_size", sound.flow.text_size)
      .take("text_tokens", sound.flow.text_tokens)
      .take("dim", sound.flow.dim)
      .take("heads", sound.flow.heads)
      .take("joint_blocks", sound.flow.joint_blocks)
      .take("fused_blocks", sound.flow.fused_blocks)
      .take("is_v2", sound.flow.is_v2)
      .finish();
  Sizes(root, "vae")
      .take("bands", sound.vae.bands)
      .take("latents", sound.vae.latents)
      .take("hidden", sound.vae.hidden)
      .take("multiples", sound.vae.multiples)
      .take("blocks", sound.vae.blocks)
      .finish();
  Sizes(root, "vocoder")
      .take("bands", sound.vocoder.bands)
      .take("channels", sound.vocoder.channels)
      .take("upsample_rates", sound.vocoder.upsample_rates)
      .take("upsample_kernels", sound.vocoder.upsample_kernels)
      .take("block_kernels", sound.vocoder.block_kernels)
      .take("block_dilations", sound.vocoder.block_dilations)
      .take("has_final_bias", sound.vocoder.has_final_bias)
      .take("has_tanh", sound.vocoder.has_tanh)
      .finish();
  take_clip_sizes(root, model.clip);
  Sizes(root, "synchformer")
      .take("width", model.synchformer.width)
      .take("layers", model.synchformer.layers)
      .take("heads", model.synchformer.heads)
      .take("grid", model.synchformer.grid)
      .take("patch", model.synchformer.patch)
      .take("mlp_ratio", model.synchformer.mlp_ratio)
      .finish();
}

/// Whether a zip archive, which is what torch.save writes, has the record that ends every one.
bool has_zip_end(const CheckpointFile& file) {
  constexpr std::uint64_t kFarthest = 22 + 65535;  // the record and the longest comment
  const std::uint64_t count = std::min(file.size(), kFarthest);
  return file.read_text(file.size() - count, count).find("PK\5\6") != std::string::npos;
}

/// What is wrong with a file of weights as far as its first bytes and its header tell; or empty.
std::string defect_of_weights(const fs::path& path) {
  try {
    const CheckpointFile file(path);
    if (file.size() == 0) return "is empty";
    const std::string begin = file.first_bytes(64);
    if (begin.starts_with("PK")) return has_zip_end(file) ? "" : "is truncated";
    if (const auto kind = known_file_kind(begin); !kind.empty()) return "is " + std::string(kind);
    if (path.extension() == ".safetensors") SafetensorsFile{path};
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

/// A file by its name in a folder or one level below it.
std::optional<fs::path> find_below(const fs::path& folder, const fs::path& name) {
  std::error_code error;
  if (fs::is_regular_file(folder / name, error)) return folder / name;
  for (const auto& item : fs::directory_iterator(folder, error))
    if (fs::is_regular_file(item.path() / name, error)) return item.path() / name;
  return std::nullopt;
}

void find_custom_files(const fs::path& folder, const KnownModel& like, MmaudioModel& model) {
  std::string problems;
  for (const KnownFile& file : like.files) {
    const fs::path name = fs::path(file.path).filename();
    auto place = find_below(folder, name);
    if (!place) place = find_below(folder, fs::path(name).replace_extension(".safetensors"));
    const std::string defect =
        place && file.role != "clip_vocabulary" ? defect_of_weights(*place) : "";
    if (!place) problems += "\n  missing    " + name.string();
    if (!defect.empty()) problems += "\n  wrong      " + printable(*place) + ": " + defect;
    model.files[std::string(file.role)] = place.value_or(fs::path());
  }
  require(problems.empty(), ErrorCode::kModelMissing,
          std::string(kCustom) + ": the model in " + printable(folder) +
              " is not complete:" + problems +
              "\nput the files there under these names (or ending in .safetensors) and run the "
              "command again");
}

/// What `mmaudio.json` says, if it is there.
std::optional<json> description_in(const fs::path& folder) {
  std::ifstream in(folder / kDescription, std::ios::binary);
  if (!in.is_open()) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  json root = json::parse(text);
  require(root.at("schema") == kSchema, ErrorCode::kBadCheckpoint,
          printable(folder / kDescription) + ": schema is not " + kSchema);
  return root;
}

MmaudioModel find_custom(const fs::path& folder) {
  require(!folder.empty(), ErrorCode::kUsage,
          "--engine mmaudio:custom needs --models FOLDER with a description mmaudio.json and the "
          "weights");
  try {
    const auto described = description_in(folder);
    require(described.has_value(), ErrorCode::kModelMissing,
            printable(folder / kDescription) +
                ": is not there; it has to describe the model, see docs/mmaudio.md");
    const json& root = *described;
    const std::string like = std::string(kPrefix) + root.at("like").get<std::string>();
    MmaudioModel model = sizes_of_mmaudio(like);
    take_sizes(root, model);
    model.name = kCustom;
    model.licences = {root.value("licence", "not stated")};
    auto broken = mmaudio::problems(model.sound);
    for (const auto& problem : problems(model.clip)) broken.push_back("clip: " + problem);
    for (const auto& problem : problems(model.synchformer))
      broken.push_back("synchformer: " + problem);
    std::string lines;
    for (const auto& problem : broken) lines += "\n  " + problem;
    require(lines.empty(), ErrorCode::kBadCheckpoint,
            printable(folder / kDescription) + ": sizes that cannot be:" + lines);
    find_custom_files(folder, known_model(like), model);
    return model;
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kBadCheckpoint,
                printable(folder / kDescription) + ": " + excerpt(error.what(), 160));
  }
}

/// The first of some names that is in a folder or one level below it; empty: none is.
fs::path first_below(const fs::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto place = find_below(folder, name)) return *std::move(place);
  return {};
}

}  // namespace

ClipModel find_clip(const fs::path& folder) {
  ClipModel model{
      clip_vit_h_14_378_quickgelu(),
      first_below(folder, {"open_clip_pytorch_model.safetensors", "open_clip_model.safetensors",
                           "open_clip_pytorch_model.bin"}),
      first_below(folder, {"merges.txt", "tokenizer.json", "bpe_simple_vocab_16e6.txt.gz"})};
  try {
    if (const auto root = description_in(folder)) take_clip_sizes(*root, model.config);
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kBadCheckpoint,
                printable(folder / kDescription) + ": " + excerpt(error.what(), 160));
  }
  std::string found;
  for (const auto& problem : problems(model.config)) found += "\n  " + problem;
  if (model.weights.empty()) found += "\n  missing    open_clip_pytorch_model.bin";
  if (model.vocabulary.empty()) found += "\n  missing    merges.txt";
  const std::string defect = model.weights.empty() ? "" : defect_of_weights(model.weights);
  if (!defect.empty()) found += "\n  wrong      " + printable(model.weights) + ": " + defect;
  require(found.empty(), ErrorCode::kModelMissing,
          "--clip: CLIP in " + printable(folder) + " is not complete:" + found +
              "\nput the files of apple/DFN5B-CLIP-ViT-H-14-384 there, or leave out --clip");
  return model;
}

std::optional<ClipModel> installed_clip() {
  const auto has_clip = [](const KnownModel& model) {
    return std::ranges::count(model.files, "clip", &KnownFile::role) > 0;
  };
  const auto known = std::ranges::find_if(known_models(), has_clip);
  if (known == known_models().end()) return std::nullopt;
  const ModelState state = ModelStore().look(*known);
  ClipModel model{clip_vit_h_14_378_quickgelu(), {}, {}};
  for (std::size_t i = 0; i < state.files.size(); ++i) {
    const KnownFile& file = known->files[i];
    const bool is_weights = file.role == "clip";
    if (!is_weights && file.role != "clip_vocabulary") continue;
    const Licence& terms = licence(file.licence);
    if (needs_acceptance(terms) && !LicenceBook().has_accepted(terms.id)) return std::nullopt;
    if (state.files[i].path.empty() || !state.files[i].problem.empty()) return std::nullopt;
    (is_weights ? model.weights : model.vocabulary) = state.files[i].path;
  }
  return model;
}

std::vector<std::string> mmaudio_names() {
  std::vector<std::string> names;
  for (const KnownModel& model : known_models())
    if (model.id.starts_with(kPrefix)) names.emplace_back(model.id);
  names.emplace_back(kCustom);
  return names;
}

MmaudioModel sizes_of_mmaudio(const std::string& name) {
  const auto variant =
      name.starts_with(kPrefix) ? mmaudio::variant_of(name.substr(kPrefix.size())) : std::nullopt;
  if (!variant) {
    std::string names;
    for (const auto& known : mmaudio_names()) names += (names.empty() ? "" : ", ") + known;
    throw Error(ErrorCode::kUsage,
                "no engine is known as " + excerpt(name) + "; known are bundled, " + names);
  }
  MmaudioModel model{.name = name,
                     .sound = mmaudio::model_of(*variant),
                     .clip = clip_vit_h_14_378_quickgelu(),
                     .synchformer = synchformer_published(),
                     .files = {},
                     .licences = {}};
  for (const Licence* terms : licences_of(known_model(name)))
    model.licences.emplace_back(terms->name);
  return model;
}

MmaudioModel find_mmaudio(const std::string& name, const fs::path& folder) {
  if (name == kCustom) return find_custom(folder);
  MmaudioModel model = sizes_of_mmaudio(name);
  model.files = ModelStore().files_of(known_model(name), folder);
  return model;
}

}  // namespace qingyin::cli
