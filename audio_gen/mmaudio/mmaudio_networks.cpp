#include "audio_gen/mmaudio/mmaudio_networks.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "audio_gen/mmaudio/bigvgan.h"
#include "audio_gen/mmaudio/flow_network.h"
#include "audio_gen/mmaudio/mel_vae.h"
#include "audio_gen/mmaudio/sampler.h"
#include "audio_gen/mmaudio/tile_conv_layer.h"
#include "core/error.h"
#include "core/memory.h"
#include "models/checkpoint/load_weights.h"
#include "models/checkpoint/partial_tensors.h"

namespace qingyin::mmaudio {
namespace {

struct Published {
  Variant variant;
  std::string_view name;
  FlowConfig (*flow)();
  bool is_16k;
};

constexpr std::array<Published, 5> kPublished{{
    {Variant::kSmall16k, "small_16k", small_16k, true},
    {Variant::kSmall44k, "small_44k", small_44k, false},
    {Variant::kMedium44k, "medium_44k", medium_44k, false},
    {Variant::kLarge44k, "large_44k", large_44k, false},
    {Variant::kLarge44kV2, "large_44k_v2", large_44k_v2, false},
}};

const Published& published(Variant variant) {
  return kPublished[static_cast<std::size_t>(variant)];
}

/// The wrapper that both published vocoder files have around their tensors.
constexpr char kVocoderWrapper[] = "generator.";

/// For the calling thread: no autograd, and the wanted number of libtorch's threads.
class Inference {
 public:
  explicit Inference(int threads) {
    if (at::get_num_threads() != threads) at::set_num_threads(threads);
  }

 private:
  c10::InferenceMode mode_;
};

/// [1, rows, columns] of plain values.
at::Tensor to_tensor(std::span<const float> values, std::int64_t columns, const char* what) {
  const auto size = static_cast<std::int64_t>(values.size());
  require(size > 0 && size % columns == 0, ErrorCode::kInvalidInput,
          std::string("MMAudio: ") + what + " has " + std::to_string(size) +
              " values, expected one or more rows of " + std::to_string(columns));
  return at::tensor(at::ArrayRef<float>(values.data(), values.size())).view({1, -1, columns});
}

/// Which of `rows` rows are seen, as a tensor; undefined: all.
at::Tensor seen_tensor(std::span<const std::uint8_t> seen, std::int64_t rows, const char* what) {
  if (seen.empty()) return {};
  require(std::ssize(seen) == rows, ErrorCode::kInvalidInput,
          std::string("MMAudio: ") + what + " has " + std::to_string(rows) + " rows, and " +
              std::to_string(seen.size()) + " words on which are seen");
  return at::tensor(at::ArrayRef<std::uint8_t>(seen.data(), seen.size())).ne(0);
}

/// [1, 77, columns] of a text tower's states.
at::Tensor text_tensor(std::span<const float> values, const FlowConfig& config, const char* what) {
  const at::Tensor text = to_tensor(values, config.text_size, what);
  require(text.size(1) == config.text_tokens, ErrorCode::kInvalidInput,
          std::string("MMAudio: ") + what + " has " + std::to_string(text.size(1)) +
              " tokens, expected " + std::to_string(config.text_tokens));
  return text;
}

std::vector<float> to_vector(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.to(at::kCPU, at::kFloat).contiguous();
  const auto* data = whole.const_data_ptr<float>();
  return {data, data + whole.numel()};
}

/// Tables of the file that are computed here instead are left aside.
std::optional<std::string> name_in_flow(std::string_view name) {
  if (std::ranges::count(ignored_flow_keys(), name) > 0) return std::nullopt;
  return std::string(name);
}

TensorMap without_wrapper(TensorMap tensors) {
  TensorMap bare;
  for (auto& [name, tensor] : tensors) {
    if (!name.starts_with(kVocoderWrapper)) return tensors;
    bare.emplace(name.substr(sizeof(kVocoderWrapper) - 1), tensor);
  }
  return bare;
}

/// The decoder's tensors of a file; of the others nothing is read.
TensorMap vae_weights(const std::filesystem::path& file) {
  return weights_of_parts(
      read_tensors(file, [](std::string_view name) { return !name.starts_with("encoder."); }),
      VaeParts{});
}

/// Values that keep the networks' signals in the range of trained ones; up to their rounding the
/// same in every type.
/// @param on_made  told of each weight
void randomise(torch::nn::Module& network,
               const std::function<void(const std::string& name)>& on_made = {}) {
  at::manual_seed(1);
  for (auto& [name, tensor] : weights_of(network)) {
    if (tensor.dim() < 2 || name.ends_with("_mean") || name.ends_with("_std")) {
      tensor.fill_(name.ends_with("norm.weight") || name.ends_with("_std") ? 1 : 0);
    } else {
      const double limit =
          std::sqrt(3 * static_cast<double>(tensor.size(0)) / static_cast<double>(tensor.numel()));
      tensor.copy_(at::empty(tensor.sizes(), at::kFloat).uniform_(-limit, limit));
    }
    if (on_made) on_made(name);
  }
}

void require_files(const WeightFiles& files) {
  std::string missing;
  for (const auto& path : {files.flow, files.vae, files.vocoder})
    if (!std::filesystem::exists(path)) missing += "\n  " + path.string();
  require(missing.empty(), ErrorCode::kModelMissing, "MMAudio: weights are not there:" + missing);
}

}  // namespace

std::string_view name_of(Variant variant) { return published(variant).name; }

std::optional<Variant> variant_of(std::string_view name) {
  for (const Published& p : kPublished)
    if (p.name == name) return p.variant;
  return std::nullopt;
}

ModelConfig model_of(Variant variant) {
  const Published& p = published(variant);
  if (p.is_16k) return {sound_16k(), p.flow(), vae_16k(), bigvgan_16k()};
  return {sound_44k(), p.flow(), vae_44k(), bigvgan_44k()};
}

std::vector<std::string> problems(const ModelConfig& c) {
  std::vector<std::string> found = problems(c.flow);
  for (const auto& more : {problems(c.vae), problems(c.vocoder)})
    found.insert(found.end(), more.begin(), more.end());
  if (c.flow.latents != c.sound.latents || c.vae.latents != c.sound.latents)
    found.emplace_back("flow and vae must have the sound's latents");
  if (c.vae.bands != c.sound.bands || c.vocoder.bands != c.sound.bands)
    found.emplace_back("vae and vocoder must have the sound's bands");
  if (hop_of(c.vocoder) != c.sound.hop)
    found.emplace_back("the vocoder's upsample_rates must multiply to the sound's hop");
  return found;
}

struct WindowConditions::State {
  FlowConditions wish, empty;
};

WindowConditions::WindowConditions() = default;
WindowConditions::~WindowConditions() = default;
WindowConditions::WindowConditions(const WindowConditions&) = default;
WindowConditions& WindowConditions::operator=(const WindowConditions&) = default;

struct Networks::Modules {
  ModelConfig config;
  std::optional<WeightFiles> files;
  NetworkSettings settings;
  at::Device device = at::kCPU;
  FlowNetwork flow{nullptr};
  MelVae vae{nullptr};
  BigVgan vocoder{nullptr};

  at::TensorOptions options(at::ScalarType type) const {
    return at::TensorOptions(type).device(device);
  }

  void load_flow() {
    const bool is_half = settings.precision == FlowPrecision::kBfloat16;
    FlowNetwork network(config.flow, options(is_half ? at::kBFloat16 : at::kFloat));
    // In 8 bits each weight is made small before the next one takes memory.
    std::function<void(const std::string&)> shrink;
    if (settings.weights == FlowWeights::kInt8) shrink = network->int8_converter();
    if (files)
      stream_weights(*network, files->flow, name_in_flow, shrink);
    else
      randomise(*network, shrink);
    flow = network;
  }

  void load_vae() {
    MelVae network(config.vae, VaeParts{}, options(at::kFloat));
    if (files)
      load_weights(*network, normalised_vae_weights(vae_weights(files->vae)), files->vae.string());
    else
      randomise(*network);
    prepare_tiles(*network);
    vae = network;
  }

  void load_vocoder() {
    BigVgan network(config.vocoder, options(at::kFloat));
    if (files)
      load_weights(*network, folded_bigvgan_weights(without_wrapper(read_tensors(files->vocoder))),
                   files->vocoder.string());
    else
      randomise(*network);
    prepare_tiles(*network);
    vocoder = network;
  }
};

Networks::Networks(const ModelConfig& config, const NetworkSettings& settings)
    : config_(config), modules_(std::make_unique<Modules>()) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal, "MMAudio: " + (found.empty() ? "" : found.front()));
  require(!settings.uses_cuda || at::hasCUDA(), ErrorCode::kDevice,
          "MMAudio: CUDA is wanted, and this libtorch or this machine has none; run on the CPU "
          "instead");
  modules_->config = config;
  modules_->settings = settings;
  if (settings.uses_cuda) modules_->device = at::kCUDA;
}

Networks::Networks(const ModelConfig& config, WeightFiles files, const NetworkSettings& settings)
    : Networks(config, settings) {
  require_files(files);
  modules_->files = std::move(files);
}

Networks::~Networks() = default;

void Networks::load(Stage stage) {
  if (is_loaded(stage)) return;
  const Inference inference(modules_->settings.threads);
  if (stage == Stage::kFlow) modules_->load_flow();
  if (stage == Stage::kVae) modules_->load_vae();
  if (stage == Stage::kVocoder) modules_->load_vocoder();
  give_back_freed_memory();  // what the weights were read and converted through
}

void Networks::release(Stage stage) {
  if (!is_loaded(stage)) return;
  if (stage == Stage::kFlow) modules_->flow = nullptr;
  if (stage == Stage::kVae) modules_->vae = nullptr;
  if (stage == Stage::kVocoder) modules_->vocoder = nullptr;
  give_back_freed_memory();
}

bool Networks::is_loaded(Stage stage) const {
  if (stage == Stage::kFlow) return !modules_->flow.is_empty();
  if (stage == Stage::kVae) return !modules_->vae.is_empty();
  return !modules_->vocoder.is_empty();
}

WindowConditions Networks::prepare(const WindowFeatures& features, std::int64_t latents) {
  load(Stage::kFlow);
  const Inference inference(modules_->settings.threads);
  const FlowConfig& c = config_.flow;
  require(latents >= 1, ErrorCode::kInvalidInput, "MMAudio: a window must have a latent");
  at::Tensor clip = to_tensor(features.clip, c.clip_size, "the picture features");
  at::Tensor sync = to_tensor(features.sync, c.sync_size * kSegmentTokens, "the sync features")
                        .view({1, -1, c.sync_size});
  const auto clip_seen = seen_tensor(features.clip_seen, clip.size(1), "the picture features");
  const auto sync_seen = seen_tensor(features.sync_seen, sync.size(1), "the sync features");
  if (clip_seen.defined()) clip = modules_->flow->clip_where(clip_seen, clip);
  if (sync_seen.defined()) sync = modules_->flow->sync_where(sync_seen, sync);
  const at::Tensor text = text_tensor(features.text, c, "the text");
  at::Tensor negative;
  if (!features.negative_text.empty())
    negative = text_tensor(features.negative_text, c, "the negative text").to(modules_->device);
  const FlowLengths lengths{latents, clip.size(1), sync.size(1)};
  auto state = std::make_shared<WindowConditions::State>();
  state->wish = modules_->flow->prepare(clip, sync, text, latents);
  state->empty = modules_->flow->prepare_empty(lengths, 1, negative);
  WindowConditions conditions;
  conditions.state_ = std::move(state);
  return conditions;
}

WindowConditions Networks::prepare_unseen(std::span<const float> text,
                                          std::span<const float> negative_text,
                                          const SequenceLengths& lengths) {
  load(Stage::kFlow);
  const Inference inference(modules_->settings.threads);
  const FlowLengths unseen{lengths.latents, lengths.clip, lengths.sync};
  const auto words_alone = [&](std::span<const float> values, const char* what) {
    const at::Tensor words = values.empty()
                                 ? at::Tensor()
                                 : text_tensor(values, config_.flow, what).to(modules_->device);
    return modules_->flow->prepare_empty(unseen, 1, words);
  };
  auto state = std::make_shared<WindowConditions::State>();
  state->wish = words_alone(text, "the text");
  state->empty = words_alone(negative_text, "the negative text");
  WindowConditions conditions;
  conditions.state_ = std::move(state);
  return conditions;
}

std::vector<float> Networks::sample(std::span<const float> noise,
                                    const WindowConditions& conditions,
                                    const SampleSettings& settings, const AfterStep& after_step) {
  load(Stage::kFlow);
  const Inference inference(modules_->settings.threads);
  require(conditions.state_ != nullptr, ErrorCode::kInternal, "MMAudio: conditions not prepared");
  const auto watch = [&](std::int64_t done, at::Tensor& x) {
    if (!after_step) return true;
    at::Tensor values = x.cpu().contiguous();
    const std::span<float> span(values.mutable_data_ptr<float>(),
                                static_cast<std::size_t>(values.numel()));
    const bool goes_on = after_step(done, span);
    x.copy_(values);
    return goes_on;
  };
  const at::Tensor start =
      to_tensor(noise, config_.sound.latents, "the noise").to(modules_->device);
  const at::Tensor raw =
      mmaudio::sample(*modules_->flow, start, conditions.state_->wish, conditions.state_->empty,
                      {.steps = settings.steps, .guidance = settings.guidance}, watch);
  return to_vector(modules_->flow->denormalised(raw));
}

std::vector<float> Networks::velocity(std::span<const float> latents,
                                      const WindowConditions& conditions, double time,
                                      double guidance) {
  load(Stage::kFlow);
  const Inference inference(modules_->settings.threads);
  require(conditions.state_ != nullptr, ErrorCode::kInternal, "MMAudio: conditions not prepared");
  const at::Tensor x = to_tensor(latents, config_.sound.latents, "a window's latents");
  return to_vector(
      guided_velocity(*modules_->flow, x.to(modules_->device), at::scalar_tensor(time, at::kFloat),
                      guidance_of(conditions.state_->wish, conditions.state_->empty, guidance)));
}

std::vector<float> Networks::denormalised(std::span<const float> latents) {
  load(Stage::kFlow);
  const Inference inference(modules_->settings.threads);
  const at::Tensor x = to_tensor(latents, config_.sound.latents, "a window's latents");
  return to_vector(modules_->flow->denormalised(x.to(modules_->device)));
}

std::vector<float> Networks::to_mel(std::span<const float> latents) {
  load(Stage::kVae);
  const Inference inference(modules_->settings.threads);
  const at::Tensor x = to_tensor(latents, config_.sound.latents, "a window's latents");
  return to_vector(modules_->vae->decode(x.to(modules_->device)));
}

std::vector<float> Networks::to_samples(std::span<const float> log_mel) {
  load(Stage::kVocoder);
  const Inference inference(modules_->settings.threads);
  const at::Tensor x = to_tensor(log_mel, config_.sound.bands, "the spectrogram");
  return to_vector(modules_->vocoder(x.to(modules_->device)));
}

}  // namespace qingyin::mmaudio
