#include "cli/load_labeller.h"

#include <system_error>
#include <utility>

#include "cli/load_mmaudio.h"
#include "cli/mmaudio_folder.h"
#include "core/error.h"
#include "core/text.h"
#include "models/hub/file_digests.h"
#include "pipeline/labeller.h"

namespace qingyin::cli {
namespace {

/// CLIP where the options say: a folder of its own, the engine's, or what was pulled.
std::optional<ClipModel> wanted_clip(const StageOptions& options) {
  if (!options.clip.empty()) return find_clip(options.clip);
  if (options.is_bundled()) return installed_clip();
  MmaudioModel engine = find_mmaudio(options.engine, options.models);
  return ClipModel{engine.clip, std::move(engine.files.at("clip")),
                   std::move(engine.files.at("clip_vocabulary"))};
}

/// One of the towers is loaded at a time, and the file is mapped: its size is more than enough.
bool fits_memory(const ClipModel& clip, const StageOptions& options) {
  const std::uint64_t limit = parse_memory(options.memory);
  std::error_code error;
  const auto bytes = std::filesystem::file_size(clip.weights, error);
  return limit == 0 || error || bytes <= limit;
}

}  // namespace

std::shared_ptr<Labeller> load_labeller(const StageOptions& options) {
  const bool is_own_wish = options.labels != "auto";
  if (options.labels == "none") {
    require(options.clip.empty(), ErrorCode::kUsage,
            "--clip is for naming what sounds, and --labels none wants no names; leave out one");
    return nullptr;
  }
  LabelSet set = is_own_wish
                     ? read_labels(options.labels, label_vocabulary())
                     : parse_labels(built_in_labels(), "built-in labels", label_vocabulary());
  const auto clip = wanted_clip(options);
  require(clip || !is_own_wish, ErrorCode::kModelMissing,
          "--labels " + printable(options.labels) +
              " needs CLIP's weights; get them with: qingyin models pull mmaudio:small_16k, or "
              "name their folder with --clip");
  if (!clip) return nullptr;
  if (!fits_memory(*clip, options)) {
    require(!is_own_wish && options.clip.empty(), ErrorCode::kDevice,
            "CLIP, which --labels needs, does not fit into --memory " + options.memory +
                "; allow more, or add --labels none",
            "memory");
    return nullptr;
  }
  const bool is_half = options.dtype == "bfloat16";
  auto encoder = make_mmaudio_encoder(
      {clip->weights, {}, clip->vocabulary},
      {.precision = is_half ? FeaturePrecision::kBFloat16 : FeaturePrecision::kFloat32,
       .clip = clip->config},
      options.thread_count());
  return std::make_shared<Labeller>(
      std::move(encoder), FeatureCache(), std::move(set),
      std::map<std::string, std::string>{{"clip", remembered_sha256(clip->weights)}},
      static_cast<std::size_t>(options.label_pictures));
}

}  // namespace qingyin::cli
