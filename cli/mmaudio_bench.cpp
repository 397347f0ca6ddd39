#include "cli/mmaudio_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <string>

#include "audio_gen/mmaudio/cost.h"
#include "audio_gen/mmaudio/latent_track.h"
#include "audio_gen/mmaudio/window_plan.h"
#include "cli/mmaudio_cost.h"
#include "core/memory.h"
#include "core/philox.h"
#include "understanding/frame_picking.h"
#include "understanding/visual_encoder.h"

namespace qingyin::cli {
namespace {

constexpr std::int64_t kFewPictures = 4, kFewSegments = 2, kFewSteps = 2;
constexpr std::uint64_t kSeed = 1;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Of all threads of the process.
double cpu_now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Lets the kernel forget the largest resident memory so far.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::int64_t peak_bytes() {
  std::ifstream facts("/proc/self/status");
  for (std::string word; facts >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "VmHWM:" && facts >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

std::vector<PreparedPicture> noise_pictures(std::int64_t side, std::int64_t count) {
  std::vector<PreparedPicture> pictures;
  std::vector<float> values(static_cast<std::size_t>(3 * side * side));
  for (std::int64_t i = 0; i < count; ++i) {
    Philox(kSeed, static_cast<std::uint64_t>(i)).normal(values);
    PreparedPicture picture{.side = side, .planes = {}};
    for (const float v : values)
      picture.planes.push_back(static_cast<std::uint8_t>(std::clamp(128 + 40 * v, 0.0F, 255.0F)));
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

class Bench {
 public:
  Bench(const BenchRequest& request, const MmaudioModel& model, const Progress& progress)
      : request_(request),
        model_(model),
        progress_(progress),
        window_(
            mmaudio::plan_windows(model_.sound.sound, Seconds(std::min(8.0, request.seconds)), {})
                .windows.front()) {}

  std::vector<BenchStage> run() {
    use_threads(request_.threads);
    if (is_wanted("clip")) see_pictures();
    if (is_wanted("synchformer")) see_motion();
    if (is_wanted("text") && (!model_.files.empty() || !request_.vocabulary.empty())) read_words();
    make_sound();
    return std::move(stages_);
  }

 private:
  bool is_wanted(const std::string& stage) const {
    return request_.stages.empty() ||
           std::ranges::find(request_.stages, stage) != request_.stages.end();
  }

  MmaudioVisualEncoder encoder(MmaudioVisualParts parts) const {
    return bench_encoder(request_, model_, parts, request_.dtype);
  }

  /// Runs a part of a stage and enters it scaled to the whole.
  template <class Work>
  void measure(const std::string& name, const std::string& unit, std::int64_t few, std::int64_t all,
               double gflop_each, Work work) {
    const std::int64_t count = request_.is_full ? all : std::min(few, all);
    report(progress_, name, static_cast<double>(stages_.size()) / 6);
    give_back_freed_memory();
    reset_peak();
    const double begin = now(), cpu_begin = cpu_now();
    work(count);
    const double scale = static_cast<double>(all) / static_cast<double>(count);
    stages_.push_back(
        {.name = name,
         .seconds = (now() - begin) * scale,
         .cpu_seconds = (cpu_now() - cpu_begin) * scale,
         .gflop = gflop_each * static_cast<double>(all),
         .peak_bytes = peak_bytes(),
         .measured = std::to_string(count) + " of " + std::to_string(all) + " " + unit});
  }

  void see_pictures() {
    const auto eyes = encoder({.pictures = true});
    measure("clip", "pictures", kFewPictures, window_.pictures, gflop_of_picture(model_.clip),
            [&](std::int64_t count) { eyes.of_pictures(noise_pictures(kClipPictureSide, count)); });
  }

  void see_motion() {
    const auto eyes = encoder({.motion = true});
    measure("synchformer", "segments", kFewSegments, window_.segments,
            gflop_of_segment(model_.synchformer), [&](std::int64_t count) {
              eyes.of_frames(noise_pictures(kSyncPictureSide,
                                            kSyncSegmentFrames + kSyncSegmentStep * (count - 1)));
            });
  }

  void read_words() {
    const auto eyes = encoder({.text = true});
    measure("text", "prompts", 1, 1, gflop_of_text(model_.clip),
            [&](std::int64_t) { eyes.of_prompt("waves on a stony beach, gulls"); });
  }

  void make_sound() {
    const auto networks = bench_networks(request_, model_, request_.dtype);
    const mmaudio::ModelConfig& sizes = model_.sound;
    const auto lengths = mmaudio::sequence_lengths_of(sizes.sound, window_.segments);
    // Where a stage is left out, noise stands for what it makes.
    std::vector<float> latents =
        mmaudio::noise_of_seed(kSeed, sizes.sound.latents)(0, lengths.latents);
    if (is_wanted("flow")) latents = sample(*networks, lengths, latents);
    networks->release(mmaudio::Stage::kFlow);
    const std::int64_t frames = lengths.latents * mmaudio::kMelFramesPerLatent;
    std::vector<float> mel = mmaudio::noise_of_seed(kSeed, sizes.sound.bands)(0, frames);
    if (is_wanted("mel decoder")) {
      networks->load(mmaudio::Stage::kVae);
      measure("mel decoder", "windows", 1, 1, mmaudio::gflop_of_decoder(sizes.vae, lengths.latents),
              [&](std::int64_t) { mel = networks->to_mel(latents); });
      networks->release(mmaudio::Stage::kVae);
    }
    if (!is_wanted("vocoder")) return;
    networks->load(mmaudio::Stage::kVocoder);
    measure("vocoder", "windows", 1, 1, mmaudio::gflop_of_vocoder(sizes.vocoder, frames),
            [&](std::int64_t) { networks->to_samples(mel); });
  }

  std::vector<float> sample(mmaudio::Networks& networks, const mmaudio::SequenceLengths& lengths,
                            const std::vector<float>& noise) {
    const mmaudio::FlowConfig& flow = model_.sound.flow;
    const std::vector<float> text(static_cast<std::size_t>(flow.text_tokens * flow.text_size),
                                  0.01F);
    const auto conditions = networks.prepare_unseen(text, {}, lengths);
    std::vector<float> latents;
    measure("flow", "steps", kFewSteps, request_.steps,
            2 * mmaudio::gflop_of_evaluation(flow, lengths), [&](std::int64_t count) {
              latents = networks.sample(noise, conditions, {.steps = count});
            });
    return latents;
  }

  const BenchRequest& request_;
  const MmaudioModel& model_;
  const Progress& progress_;
  mmaudio::Window window_;
  std::vector<BenchStage> stages_;
};

}  // namespace

MmaudioVisualEncoder bench_encoder(const BenchRequest& request, const MmaudioModel& model,
                                   MmaudioVisualParts parts, const std::string& dtype) {
  const MmaudioVisualOptions options{
      .precision = dtype == "bfloat16" ? FeaturePrecision::kBFloat16 : FeaturePrecision::kFloat32,
      .clip = model.clip,
      .synchformer = model.synchformer};
  if (model.files.empty())
    return MmaudioVisualEncoder::with_random_weights(request.vocabulary, parts, options, kSeed);
  return {
      {model.files.at("clip"), model.files.at("synchformer"), model.files.at("clip_vocabulary")},
      parts,
      options};
}

std::unique_ptr<mmaudio::Networks> bench_networks(const BenchRequest& request,
                                                  const MmaudioModel& model,
                                                  const std::string& dtype) {
  const mmaudio::NetworkSettings settings{
      .precision = dtype == "bfloat16" ? mmaudio::FlowPrecision::kBfloat16
                                       : mmaudio::FlowPrecision::kFloat32,
      .threads = request.threads,
      .weights =
          request.weights == "int8" ? mmaudio::FlowWeights::kInt8 : mmaudio::FlowWeights::kFull};
  if (model.files.empty()) return std::make_unique<mmaudio::Networks>(model.sound, settings);
  return std::make_unique<mmaudio::Networks>(
      model.sound,
      mmaudio::WeightFiles{model.files.at("flow"), model.files.at("vae"),
                           model.files.at("vocoder")},
      settings);
}

std::vector<BenchStage> bench_mmaudio(const BenchRequest& request, const MmaudioModel& model,
                                      const Progress& progress) {
  return Bench(request, model, progress).run();
}

}  // namespace qingyin::cli
