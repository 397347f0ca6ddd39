#include "video_gen/component_bench.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/load_weights.h"
#include "models/t5/t5_encoder.h"
#include "video_gen/job_work.h"
#include "video_gen/peak_memory.h"
#include "video_gen/transformer.h"
#include "video_gen/vae.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kFewWords =
    256;  // rows of the embedding that are made: only reading it costs

struct Variant {
  std::string_view model;
  CogTransformerConfig (*transformer)();
  CogVaeConfig (*vae)();
  std::int64_t width, height, frames;
};
constexpr std::array<Variant, 5> kVariants{{
    {"cogvideox:2b", cogvideox_2b, cogvideox_2b_vae, 720, 480, 49},
    {"cogvideox:5b", cogvideox_5b, cogvideox_5b_vae, 720, 480, 49},
    {"cogvideox:5b-i2v", cogvideox_5b_i2v, cogvideox_5b_vae, 720, 480, 49},
    {"cogvideox:1.5-5b", cogvideox_15_5b, cogvideox_15_vae, 1360, 768, 81},
    {"cogvideox:1.5-5b-i2v", cogvideox_15_5b_i2v, cogvideox_15_vae, 1360, 768, 81},
}};

const Variant& variant_of(const std::string& model) {
  std::string known;
  for (const Variant& variant : kVariants) {
    if (variant.model == model) return variant;
    known += (known.empty() ? "" : ", ") + std::string(variant.model);
  }
  throw Error(ErrorCode::kUsage, "bench: " + excerpt(model) + " is unknown; expected " + known);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double cpu_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double wall_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Gives a network weights under which its numbers neither vanish nor overflow.
void fill(torch::nn::Module& network, at::ScalarType type) {
  TensorMap weights;
  for (const auto& [name, shape] : weights_of(network)) {
    const at::Tensor tensor = at::empty(shape.sizes());
    const double inputs = static_cast<double>(tensor.numel() / tensor.size(0));
    tensor.dim() > 1 ? tensor.normal_(0, 1 / std::sqrt(inputs)) : tensor.fill_(0.5);
    weights.emplace(name, tensor.to(type));
  }
  adopt_weights(network, std::move(weights), type);
}

class Bench {
 public:
  Bench(const ComponentBenchRequest& request, const Progress& progress)
      : request_(request), progress_(progress), job_(job_of(request)) {}

  std::vector<ComponentFigures> run() {
    at::set_num_threads(request_.threads);
    at::manual_seed(kSeed);
    using enum VideoComponent;
    const auto wanted = [&](VideoComponent component) {
      return request_.components.empty() ||
             std::ranges::find(request_.components, component) != request_.components.end();
    };
    if (wanted(kText)) read_text();
    if (wanted(kTransformer)) denoise();
    if (wanted(kEncode)) encode();
    if (wanted(kDecode)) decode();
    return std::move(parts_);
  }

 private:
  static MemoryJob job_of(const ComponentBenchRequest& r) {
    const Variant& variant = variant_of(r.model);
    MemoryJob job{.text = t5_v1_1_xxl(),
                  .transformer = variant.transformer(),
                  .vae = variant.vae(),
                  .height = r.height > 0 ? r.height : variant.height,
                  .width = r.width > 0 ? r.width : variant.width,
                  .batch = r.clips,
                  .steps = 1,
                  .element_bytes = r.precision == VideoPrecision::kBfloat16 ? 2 : 4,
                  .has_int8_blocks = r.weights == VideoWeights::kInt8};
    const std::int64_t side = job.vae.spatial_compression() * job.transformer.patch_size;
    const std::int64_t frames = r.frames > 0 ? r.frames : variant.frames;
    require(job.height % side == 0 && job.width % side == 0 && frames % 4 == 1, ErrorCode::kUsage,
            "bench: expected sides that are multiples of " + std::to_string(side) +
                " and a multiple of 4 plus 1 frames");
    const std::int64_t token = job.transformer.frames_per_token();
    job.latent_frames = ((frames - 1) / 4 + token) / token * token;
    job.encoded_frames = frames;
    job.text_rows = job.transformer.max_text_seq_length;
    return job;
  }

  at::ScalarType type() const {
    return request_.precision == VideoPrecision::kBfloat16 ? at::kBFloat16 : at::kFloat;
  }

  std::int64_t layers_of(std::int64_t all) const {
    return std::clamp<std::int64_t>(request_.layers, 1, all);
  }

  const MemoryStage& planned(const MemoryPlan& plan, std::string_view name) const {
    return *std::ranges::find(plan.stages, name, &MemoryStage::name);
  }

  /// @param memory  from before the network was made
  void measure(ComponentFigures part, PeakMemory memory, const std::function<void()>& work) {
    memory.reset();
    for (std::int64_t i = 0; i < request_.repeats; ++i) {
      report(progress_, part.name, static_cast<double>(parts_.size()) / 4);
      const double wall = wall_now(), cpu = cpu_now();
      work();
      part.wall_seconds.push_back(wall_now() - wall);
      part.cpu_seconds.push_back(cpu_now() - cpu);
    }
    part.peak_bytes = memory.grown_bytes();
    parts_.push_back(std::move(part));
  }

  static std::string so_many(std::int64_t count, std::int64_t all, const char* what) {
    return std::to_string(count) + " of " + std::to_string(all) + " " + what;
  }

  void read_text() {
    MemoryJob job = job_;
    const std::int64_t all = job.text.num_layers, count = layers_of(all);
    job.text.num_layers = count;
    job.text.vocab_size = kFewWords;
    const PeakMemory before;
    T5Encoder encoder(job.text);
    fill(*encoder, type());
    const at::Tensor ids = at::randint(0, kFewWords, {1, job.text_rows}, at::kLong);
    measure({.name = "text",
             .giga_flop = 1e3 * text_tera_flop(job),
             .share = static_cast<double>(count) / static_cast<double>(all),
             .planned_bytes = planned(memory_of(job, {}), "text").bytes(),
             .measured = so_many(count, all, "layers")},
            before, [&] { encoder->forward(ids); });
  }

  /// As a run does it, when the modulations of all steps are made.
  static void round_blocks(CogTransformer& network, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      CogBlock block = network->block(static_cast<std::size_t>(i));
      block->let_go_modulations();
      block->to_int8();
    }
  }

  void denoise() {
    MemoryJob job = job_;
    const std::int64_t all = job.transformer.num_layers, count = layers_of(all);
    job.transformer.num_layers = count;
    const PeakMemory before;
    CogTransformer network(job.transformer);
    fill(*network, type());
    const LatentSize size{
        .frames = job.latent_frames, .height = job.height / 8, .width = job.width / 8};
    const CogClip clip =
        network->prepare(at::randn({job.batch, job.text_rows, job.transformer.text_embed_dim}),
                         size, StoredPositions::kIgnored);
    const CogStep step = network->step(at::full({1}, 500, at::kLong));
    if (job.has_int8_blocks) round_blocks(network, count);
    const at::Tensor latents =
        at::randn({job.batch, size.frames, job.transformer.in_channels, size.height, size.width});
    measure({.name = "transformer",
             .giga_flop = 1e3 * transformer_tera_flop(job) * static_cast<double>(job.batch),
             .share = static_cast<double>(count) / static_cast<double>(all),
             .planned_bytes = planned(memory_of(job, {}), "denoise").bytes(),
             .measured = so_many(count, all, "blocks") + ", " + std::to_string(job.batch) + " x " +
                         std::to_string(tokens_of(job)) + " tokens"},
            before, [&] { network->forward(latents, clip, step); });
  }

  /// Work of the batches of a clip's frames.
  template <class Work>
  static double work_of(std::int64_t frames, std::int64_t batch, const Work& work) {
    double sum = 0;
    for (const FrameBatch& part : frame_batches(frames, batch)) sum += work(part.count);
    return sum;
  }

  /// The share of a tiled picture's work that its overlaps add.
  static double overlap_of(const TileSide& side, std::int64_t length) {
    std::int64_t done = 0;
    for (std::int64_t at = 0; at < length; at += side.step)
      done += std::min(side.tile, length - at);
    return static_cast<double>(done) / static_cast<double>(length);
  }

  double overlap_of(const std::optional<TileGrid>& grid, std::int64_t height,
                    std::int64_t width) const {
    if (!grid || !grid->applies_to(height, width)) return 1;
    return overlap_of(grid->rows, height) * overlap_of(grid->columns, width);
  }

  void encode() {
    MemoryJob job = job_;
    const std::int64_t all = job.encoded_frames;
    if (!request_.is_whole_clip)
      job.encoded_frames = frame_batches(all, kEncoderFrames).front().count;
    const auto grid =
        request_.is_tiled ? std::optional(seamless_encoder_grid(job.vae)) : std::nullopt;
    const double overlap = overlap_of(grid, job.height, job.width);
    const auto work = [&](std::int64_t frames) {
      return overlap * encoder_tera_flop(job.vae, frames, job.height, job.width);
    };
    const double part = work_of(job.encoded_frames, kEncoderFrames, work);
    const PeakMemory before;
    CogVae vae(job.vae);
    fill(*vae->encoder, type());
    const at::Tensor pixels =
        at::randint(0, 256, {1, 3, job.encoded_frames, job.height, job.width}, at::kByte);
    measure({.name = "encode",
             .giga_flop = 1e3 * part,
             .share = part / work_of(all, kEncoderFrames, work),
             .planned_bytes =
                 planned(memory_of(job, {.tiles_vae = request_.is_tiled}), "encode").bytes(),
             .measured = so_many(job.encoded_frames, all, "frames")},
            before, [&] { vae->encode(pixels, grid); });
  }

  void decode() {
    MemoryJob job = job_;
    const std::int64_t all = job.latent_frames;
    if (!request_.is_whole_clip)
      job.latent_frames = frame_batches(all, kDecoderFrames).front().count;
    const std::int64_t height = job.height / 8, width = job.width / 8;
    const auto grid =
        request_.is_tiled ? std::optional(seamless_decoder_grid(job.vae)) : std::nullopt;
    const double overlap = overlap_of(grid, height, width);
    const auto work = [&](std::int64_t frames) {
      return overlap * decoder_tera_flop(job.vae, frames, height, width);
    };
    const double part = work_of(job.latent_frames, kDecoderFrames, work);
    const PeakMemory before;
    CogVae vae(job.vae);
    fill(*vae->decoder, type());
    const at::Tensor latents =
        at::randn({1, job.vae.latent_channels, job.latent_frames, height, width});
    measure({.name = "decode",
             .giga_flop = 1e3 * part,
             .share = part / work_of(all, kDecoderFrames, work),
             .planned_bytes =
                 planned(memory_of(job, {.tiles_vae = request_.is_tiled}), "decode").bytes(),
             .measured = so_many(job.latent_frames, all, "latent frames")},
            before,
            [&] { vae->decode_parts(latents, grid, [](const at::Tensor&, const VideoPlace&) {}); });
  }

  const ComponentBenchRequest& request_;
  const Progress& progress_;
  MemoryJob job_;
  std::vector<ComponentFigures> parts_;
};

}  // namespace

std::vector<ComponentFigures> bench_components(const ComponentBenchRequest& request,
                                               const Progress& progress) {
  const c10::InferenceMode inference;
  return Bench(request, progress).run();
}

}  // namespace qingyin
