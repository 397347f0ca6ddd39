#include "understanding/visual_features.h"

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <utility>

#include "core/error.h"
#include "models/tokenizer/clip_tokenizer.h"
#include "understanding/frame_picking.h"
#include "understanding/visual_networks.h"

namespace qingyin {
namespace {

// A batch keeps every thread busy and its activations small: about 15 MB a picture and 20 MB a
// segment at full size in float32.
constexpr std::int64_t kPicturesAtOnce = 4, kSegmentsAtOnce = 2, kTextsAtOnce = 16;

at::TensorOptions tensor_options(const MmaudioVisualOptions& options) {
  try {
    const at::Device device(options.device);
    at::empty({1}, at::TensorOptions(device));
    return at::TensorOptions(device).dtype(
        options.precision == FeaturePrecision::kBFloat16 ? at::kBFloat16 : at::kFloat);
  } catch (const c10::Error&) {
    throw Error(ErrorCode::kDevice, "there is no device \"" + options.device +
                                        "\" for the visual encoders; use \"cpu\"");
  }
}

void check_sizes(const MmaudioVisualOptions& options) {
  auto found = problems(options.clip);
  for (const std::string& problem : problems(options.synchformer)) found.push_back(problem);
  require(found.empty(), ErrorCode::kUsage,
          "visual encoders: " + (found.empty() ? "" : found.front()));
}

FeatureTensor to_features(const at::Tensor& rows, Seconds hop) {
  const at::Tensor plain = rows.to(at::kCPU, at::kFloat).contiguous();
  const auto* data = plain.const_data_ptr<float>();
  return {.shape = plain.sizes().vec(), .values = {data, data + plain.numel()}, .hop = hop};
}

/// For each picture the number of pictures before it that differ from their neighbour: neighbours
/// with equal numbers are equal.
std::vector<std::int64_t> numbered(std::span<const PreparedPicture> pictures) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < pictures.size(); ++i)
    numbers.push_back(i == 0 ? 0 : numbers.back() + (pictures[i] == pictures[i - 1] ? 0 : 1));
  return numbers;
}

void check_pictures(std::span<const PreparedPicture> pictures, std::int64_t side) {
  for (const PreparedPicture& picture : pictures)
    require(picture.side == side && std::ssize(picture.planes) == 3 * side * side,
            ErrorCode::kInternal,
            "a prepared picture has " + std::to_string(picture.side) + " pixels a side, expected " +
                std::to_string(side));
}

/// Texts up to the longest one's end: no token sees those behind it. [B, T] -> [B, T' <= T]
at::Tensor without_padding(const at::Tensor& tokens) {
  const at::Tensor ends = tokens.eq(std::int64_t{ClipTokenizer::kEnd}).to(at::kInt).argmax(1);
  return tokens.narrow(1, 0, ends.max().item<std::int64_t>() + 1);
}

/// Rows of distinct inputs, computed a few at a time, and which of them each input takes.
/// @param distinct   indices of the inputs that are computed
/// @param row_of     for each input its place in `distinct`
/// @param encode     [first, last) of `distinct` to [last - first, ...]
template <typename Encode>
at::Tensor in_batches(std::int64_t count, std::int64_t at_once,
                      const std::vector<std::int64_t>& row_of, const Progress& progress,
                      std::string_view step, Encode encode) {
  std::vector<at::Tensor> batches;
  for (std::int64_t first = 0; first < count; first += at_once) {
    report(progress, step, static_cast<double>(first) / static_cast<double>(count));
    batches.push_back(encode(first, std::min(first + at_once, count)));
  }
  report(progress, step, 1);
  const at::Tensor rows = at::cat(batches);
  return rows.index_select(0, at::tensor(row_of, at::kLong).to(rows.device()));
}

}  // namespace

struct MmaudioVisualEncoder::Networks {
  at::TensorOptions tensors;
  MmaudioVisualOptions options;
  ClipVision vision{nullptr};
  ClipText text{nullptr};
  Synchformer synchformer{nullptr};
  std::optional<ClipTokenizer> tokenizer;
  std::string identity;
  double logit_scale = 1;

  explicit Networks(const MmaudioVisualOptions& wanted)
      : tensors(tensor_options(wanted)), options(wanted) {
    check_sizes(wanted);
    identity = wanted.precision == FeaturePrecision::kBFloat16 ? "mmaudio-visual/1 bfloat16"
                                                               : "mmaudio-visual/1 float32";
  }

  at::Tensor tokens_of(std::span<const std::string> texts) const {
    require(tokenizer.has_value(), ErrorCode::kInternal, "CLIP's text tower is not loaded");
    std::vector<at::Tensor> rows;
    for (const std::string& each : texts) rows.push_back(at::tensor((*tokenizer)(each), at::kInt));
    return at::stack(rows).to(tensors.device());
  }
};

MmaudioVisualEncoder::MmaudioVisualEncoder(std::unique_ptr<Networks> networks)
    : networks_(std::move(networks)) {}
MmaudioVisualEncoder::~MmaudioVisualEncoder() = default;
MmaudioVisualEncoder::MmaudioVisualEncoder(MmaudioVisualEncoder&&) noexcept = default;
MmaudioVisualEncoder& MmaudioVisualEncoder::operator=(MmaudioVisualEncoder&&) noexcept = default;

MmaudioVisualEncoder::MmaudioVisualEncoder(const MmaudioVisualFiles& files,
                                           MmaudioVisualParts parts,
                                           const MmaudioVisualOptions& options)
    : networks_(std::make_unique<Networks>(options)) {
  const c10::InferenceMode ordinary_weights(false);
  Networks& n = *networks_;
  if (parts.text) n.tokenizer.emplace(files.vocabulary);
  if (parts.pictures || parts.text) {
    n.logit_scale = load_clip(files.clip, options.clip, parts.pictures ? &n.vision : nullptr,
                              parts.text ? &n.text : nullptr, n.tensors);
    n.identity += " " + file_identity(files.clip);
  }
  if (parts.motion) {
    n.synchformer = load_synchformer(files.synchformer, options.synchformer, n.tensors);
    n.identity += " " + file_identity(files.synchformer);
  }
}

MmaudioVisualEncoder MmaudioVisualEncoder::with_random_weights(
    const std::filesystem::path& vocabulary, MmaudioVisualParts parts,
    const MmaudioVisualOptions& options, std::uint64_t seed) {
  const c10::InferenceMode ordinary_weights(false);
  auto n = std::make_unique<Networks>(options);
  n->identity += " random:" + std::to_string(seed);
  if (parts.text) {
    n->tokenizer.emplace(vocabulary);
    n->text = ClipText(options.clip, at::kFloat);
    randomise(*n->text, seed, n->tensors);
  }
  if (parts.pictures) {
    n->vision = ClipVision(options.clip, at::kFloat);
    randomise(*n->vision, seed + 1, n->tensors);
  }
  if (parts.motion) {
    n->synchformer = Synchformer(options.synchformer, at::kFloat);
    randomise(*n->synchformer, seed + 2, n->tensors);
  }
  return MmaudioVisualEncoder(std::move(n));
}

FeatureTensor MmaudioVisualEncoder::of_pictures(std::span<const PreparedPicture> pictures,
                                                const Progress& progress) const {
  Networks& n = *networks_;
  require(!n.vision.is_empty(), ErrorCode::kInternal, "CLIP's image tower is not loaded");
  check_pictures(pictures, kClipPictureSide);
  const Seconds hop(1 / kClipPicturesHz);
  if (pictures.empty()) return {.shape = {0, n.options.clip.embed_dim}, .values = {}, .hop = hop};
  const c10::InferenceMode no_autograd;
  const auto row_of = numbered(pictures);
  std::vector<PreparedPicture> distinct;
  for (std::size_t i = 0; i < pictures.size(); ++i)
    if (row_of[i] == std::ssize(distinct)) distinct.push_back(pictures[i]);
  const auto encode = [&](std::int64_t first, std::int64_t last) {
    const auto batch = std::span(distinct).subspan(static_cast<std::size_t>(first),
                                                   static_cast<std::size_t>(last - first));
    return n.vision->forward(clip_input(batch).to(n.tensors.device()));
  };
  return to_features(in_batches(std::ssize(distinct), kPicturesAtOnce, row_of, progress,
                                "looking at pictures", encode),
                     hop);
}

FeatureTensor MmaudioVisualEncoder::of_frames(std::span<const PreparedPicture> frames,
                                              const Progress& progress) const {
  Networks& n = *networks_;
  require(!n.synchformer.is_empty(), ErrorCode::kInternal, "Synchformer is not loaded");
  check_pictures(frames, kSyncPictureSide);
  const Seconds hop(1 / kSyncFramesHz);
  const std::int64_t width = n.options.synchformer.width;
  const std::int64_t segments = sync_tokens(std::ssize(frames)) / kSyncSegmentTokens;
  if (segments == 0) return {.shape = {0, width}, .values = {}, .hop = hop};
  const c10::InferenceMode no_autograd;
  const auto numbers = numbered(frames);
  std::map<std::vector<std::int64_t>, std::int64_t> row_of_segment;
  std::vector<std::int64_t> row_of, begins;
  for (std::int64_t s = 0; s < segments; ++s) {
    const auto begin = numbers.begin() + s * kSyncSegmentStep;
    const auto [found, is_new] =
        row_of_segment.try_emplace({begin, begin + kSyncSegmentFrames}, std::ssize(begins));
    if (is_new) begins.push_back(s * kSyncSegmentStep);
    row_of.push_back(found->second);
  }
  const auto encode = [&](std::int64_t first, std::int64_t last) {
    std::vector<at::Tensor> batch;
    for (std::int64_t i = first; i < last; ++i)
      batch.push_back(
          sync_input(frames.subspan(static_cast<std::size_t>(begins[static_cast<std::size_t>(i)]),
                                    kSyncSegmentFrames))
              .transpose(0, 1));  // [3, F, S, S]
    return n.synchformer->forward(at::stack(batch).to(n.tensors.device()));
  };
  const auto rows = in_batches(std::ssize(begins), kSegmentsAtOnce, row_of, progress,
                               "following motion", encode);  // [S, 8, D]
  return to_features(rows.flatten(0, 1), hop);
}

FeatureTensor MmaudioVisualEncoder::of_prompt(std::string_view prompt) const {
  const std::string text(prompt);
  const at::Tensor tokens = networks_->tokens_of({&text, 1});
  const c10::InferenceMode no_autograd;
  return to_features(networks_->text->forward(tokens).squeeze(0), Seconds(0));
}

FeatureTensor MmaudioVisualEncoder::in_picture_space(std::span<const std::string> texts,
                                                     const Progress& progress) const {
  Networks& n = *networks_;
  if (texts.empty())
    return {.shape = {0, n.options.clip.embed_dim}, .values = {}, .hop = Seconds(0)};
  const c10::InferenceMode no_autograd;
  std::vector<at::Tensor> rows;
  for (std::size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
    report(progress, "reading labels",
           static_cast<double>(first) / static_cast<double>(texts.size()));
    const auto batch =
        texts.subspan(first, std::min<std::size_t>(kTextsAtOnce, texts.size() - first));
    rows.push_back(n.text->pooled(without_padding(n.tokens_of(batch))));
  }
  return to_features(at::cat(rows), Seconds(0));
}

double MmaudioVisualEncoder::logit_scale() const { return networks_->logit_scale; }

const std::string& MmaudioVisualEncoder::identity() const { return networks_->identity; }

}  // namespace qingyin
