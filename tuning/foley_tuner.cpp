#include "tuning/foley_tuner.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "audio_gen/bundled/class_list.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "core/sha256.h"
#include "models/checkpoint/load_weights.h"
#include "training/foley_trainer.h"
#include "training/sound_pool.h"
#include "tuning/low_rank_layers.h"

namespace qingyin::tuning {
namespace {

using training::FoleyBatch;
using training::FoleyItem;

constexpr const char* kFile = "foley.safetensors";
constexpr const char* kRows = "class_rows";

bool is_tuned(const std::string& layer) {
  return layer.starts_with("blocks.") || layer == "last_modulation" || layer == "latent_out";
}

SoundShape shape_of(const AdapterClass& c) {
  if (c.is_new) return bundled::sound_shape(c.shape).value_or(SoundShape::kOneShot);
  return sound_classes()[static_cast<std::size_t>(class_id(c.name).value())].shape;
}

/// As many tokens as windows are cut from: of what ends by itself two windows, of what lasts three.
std::int64_t tokens_of(SoundShape shape, std::size_t samples) {
  constexpr std::int64_t kStride = bundled::kWindowTokens - bundled::kContextTokens;
  if (shape == SoundShape::kOneShot) return bundled::kWindowTokens + kStride;
  if (shape == SoundShape::kSustained) return bundled::kWindowTokens + 2 * kStride;
  return static_cast<std::int64_t>(samples) / bundled::kTokenSamples;
}

/// The class's row in a table whose new rows follow `known` classes, less one.
int table_id(const std::vector<AdapterClass>& classes, std::size_t index, std::size_t known) {
  if (!classes[index].is_new) return class_id(classes[index].name).value();
  const auto before = std::count_if(classes.begin(), classes.begin() + std::ptrdiff_t(index),
                                    [](const auto& c) { return c.is_new; });
  return static_cast<int>(known) + static_cast<int>(before);
}

}  // namespace

std::vector<FoleyItem> latents_of(const std::filesystem::path& weights,
                                  const std::vector<AdapterClass>& classes,
                                  std::span<const OwnSound> sounds, int threads) {
  const bundled::LatentCodec codec(weights / "latent.safetensors");
  std::vector<FoleyItem> items(sounds.size());
  const auto known = sound_classes().size();
  training::in_parallel(std::ssize(sounds), threads, [&](std::int64_t i) {
    const OwnSound& own = sounds[static_cast<std::size_t>(i)];
    const SoundShape shape = shape_of(classes.at(own.class_index));
    std::vector<float> samples = own.samples;
    const double gain = bundled::amplitude_of(bundled::kNominalDbfs) /
                        std::max(bundled::loudest_rms(samples), 1e-9);
    for (float& x : samples) x = static_cast<float>(x * gain);
    const std::int64_t tokens = tokens_of(shape, samples.size());
    samples.resize(static_cast<std::size_t>(tokens * bundled::kTokenSamples));
    FoleyItem& item = items[static_cast<std::size_t>(i)];
    item.recipe = {.class_id = table_id(classes, own.class_index, known),
                   .material_id = own.material_id,
                   .size = own.size,
                   .intensity = own.intensity,
                   .duration_s = own.duration_s,
                   .level_curve = own.level_curve,
                   .seed = 0};
    item.is_texture = shape == SoundShape::kTexture;
    item.is_sustained = shape == SoundShape::kSustained;
    item.latents = at::tensor(codec.encode(bundled::clamped_log_mel(samples)))
                       .view({-1, bundled::kLatentSize})
                       .to(at::kHalf);
  });
  return items;
}

struct FoleyTuner::Work {
  TensorMap base;
  FlowTransformerConfig config;
  FlowTransformer flow{nullptr};
  std::unique_ptr<torch::nn::Module> parameters;
  std::unique_ptr<LowRankLayers> layers;
  at::Tensor table, places, rows;  // [R, D], [K] where the classes' rows lie, [K, D] learnt
};

FoleyTuner::FoleyTuner(const FoleyTuning& settings, std::span<const OwnSound> sounds,
                       const training::RunOptions& options)
    : settings_(settings), options_(options), work_(std::make_unique<Work>()) {
  require(!sounds.empty(), ErrorCode::kInvalidInput,
          "fine-tuning: there is no sound to learn from");
  at::set_num_threads(options.threads);
  const auto file = settings.weights / kFile;
  auto stored = read_safetensors(file);
  base_ = sha256_of_file(file);
  work_->config = flow_transformer_of(stored.metadata, file.string());
  require(work_->config.classes.size() == sound_classes().size(), ErrorCode::kBadCheckpoint,
          file.string() +
              ": these weights know fewer classes than the program; take those of this "
              "version");
  work_->base = with_float_type(std::move(stored.tensors), at::kFloat);
  items_ = latents_of(settings.weights, settings_.classes, sounds, options.threads);
  find_likeness();
  build();
}

FoleyTuner::~FoleyTuner() = default;

/// Of every new class without one: the bundled class with the least loss on its sounds.
void FoleyTuner::find_likeness() {
  constexpr std::size_t kListened = 12;
  FlowTransformer flow(work_->config);
  load_weights(*flow, work_->base, kFile);
  const at::NoGradGuard no_grad;
  for (std::size_t k = 0; k < settings_.classes.size(); ++k) {
    AdapterClass& own = settings_.classes[k];
    if (!own.is_new || !own.like.empty()) continue;
    const int id = table_id(settings_.classes, k, sound_classes().size());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t other = 0; other < work_->config.classes.size(); ++other) {
      std::vector<FoleyItem> heard;
      for (const FoleyItem& item : items_) {
        if (item.recipe.class_id == id && heard.size() < kListened) heard.push_back(item);
      }
      std::vector<const FoleyItem*> picked;
      for (FoleyItem& item : heard) {
        item.recipe.class_id = static_cast<int>(other);
        picked.push_back(&item);
      }
      if (picked.empty()) break;
      const FoleyBatch batch = foley_batch(picked, Philox(options_.seed, 1), 0);
      const double loss = flow_losses(flow, batch, options_, 0).total.item<double>();
      if (loss >= least) continue;
      least = loss;
      own.like = work_->config.classes[other];
    }
    if (own.like.empty()) own.like = work_->config.classes.front();
    if (own.lane.empty()) {
      own.lane = sound_classes()[static_cast<std::size_t>(class_id(own.like).value())].lane;
    }
  }
}

void FoleyTuner::build() {
  Work& w = *work_;
  FlowTransformerConfig grown = w.config;
  TensorMap weights = w.base;
  std::vector<at::Tensor> table{weights.at("class_table.weight")};
  std::vector<std::int64_t> places;
  for (std::size_t k = 0; k < settings_.classes.size(); ++k) {
    const AdapterClass& c = settings_.classes[k];
    places.push_back(table_id(settings_.classes, k, w.config.classes.size()) + 1);
    if (!c.is_new) continue;
    grown.classes.push_back(c.name);
    const auto like = std::find(w.config.classes.begin(), w.config.classes.end(), c.like);
    require(like != w.config.classes.end(), ErrorCode::kUsage,
            "fine-tuning: the class " + c.name + " cannot be like \"" + c.like +
                "\", which the weights do not know");
    table.push_back(table.front().narrow(0, like - w.config.classes.begin() + 1, 1));
  }
  w.table = weights["class_table.weight"] = at::cat(table);
  at::manual_seed(options_.seed);
  w.flow = FlowTransformer(grown);
  load_weights(*w.flow, std::move(weights), kFile);
  for (const auto& p : w.flow->parameters()) p.set_requires_grad(false);
  w.parameters = std::make_unique<torch::nn::Module>();
  w.layers = std::make_unique<LowRankLayers>(*w.parameters, *w.flow, settings_.rank, is_tuned);
  w.places = at::tensor(places);
  w.rows = w.parameters->register_parameter(kRows, at::zeros({w.places.size(0), w.table.size(1)}));
}

training::Losses FoleyTuner::losses(std::int64_t step) {
  work_->layers->apply();
  for (const auto& item : work_->flow->named_modules()) {
    if (item.key() != "class_table") continue;
    item.value()->as<torch::nn::EmbeddingImpl>()->weight =
        work_->table.index_add(0, work_->places, work_->rows);
  }
  const Philox random(derive_seed(options_.seed, "own windows"), static_cast<std::uint64_t>(step));
  const auto count = static_cast<float>(items_.size());
  std::vector<const FoleyItem*> picked;
  for (std::int64_t b = 0; b < settings_.batch; ++b) {
    const float u = random.uniform(static_cast<std::uint64_t>(4 * b));
    picked.push_back(&items_[std::min(static_cast<std::size_t>(u * count), items_.size() - 1)]);
  }
  return flow_losses(work_->flow, foley_batch(picked, random, settings_.drop_share), options_,
                     step);
}

double FoleyTuner::seconds_per_step() {
  using Clock = std::chrono::steady_clock;
  losses(0).total.backward();  // the first one warms up
  const auto began = Clock::now();
  for (std::int64_t step = 1; step <= 2; ++step) losses(step).total.backward();
  for (const auto& p : work_->parameters->parameters()) p.mutable_grad().reset();
  return Seconds(Clock::now() - began).count() / 2;
}

std::optional<TensorMap> FoleyTuner::run(std::int64_t steps, bool keeps_partial) {
  options_.steps = steps;
  training::Trainer trainer(*work_->parameters, options_, settings_.rates);
  const bool is_whole = trainer.run([this](std::int64_t step) { return losses(step); });
  if (!is_whole && !keeps_partial) return std::nullopt;
  return adapter_tensors(trainer.average(), "foley");
}

}  // namespace qingyin::tuning
