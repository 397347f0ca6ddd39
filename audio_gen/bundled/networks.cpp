#include "audio_gen/bundled/networks.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "audio_gen/bundled/adapted_flow.h"
#include "audio_gen/bundled/flow_transformer.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/bundled/vocoder.h"
#include "core/error.h"
#include "core/philox.h"
#include "core/sha256.h"
#include "models/checkpoint/load_weights.h"

namespace qingyin::bundled {
namespace {

/// Streams of a sound's random numbers; windows of the flow follow the last.
constexpr std::uint64_t kDetailStream = 1, kWhiteStream = 2, kFlowStream = 16;
/// Frames before a sound's first have positions, too.
constexpr std::int64_t kFramesBefore = 4096;

/// For the calling thread: no autograd, and one thread.
class Inference {
 public:
  Inference() {
    if (at::get_num_threads() != 1) at::set_num_threads(1);
  }

 private:
  c10::InferenceMode mode_;
};

at::Tensor noise(std::uint64_t seed, std::uint64_t stream, std::int64_t first,
                 at::IntArrayRef shape) {
  at::Tensor result = at::empty(shape, at::kFloat);
  Philox(seed, stream)
      .normal({result.mutable_data_ptr<float>(), static_cast<std::size_t>(result.numel())},
              static_cast<std::uint64_t>(first));
  return result;
}

at::Tensor to_tensor(std::span<const float> values, at::IntArrayRef shape) {
  return at::tensor(at::ArrayRef<float>(values.data(), values.size())).view(shape);
}

std::vector<float> to_vector(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  const auto* data = whole.const_data_ptr<float>();
  return {data, data + whole.numel()};
}

/// Two rows: the wish, and the same with class, material, size and intensity withheld; the first
/// alone where there is no guidance.
FlowCondition condition_of(const WindowRequest& r, std::int64_t class_in_table, std::int64_t rows) {
  at::Tensor context = at::zeros({1, kWindowTokens, kLatentSize});
  at::Tensor is_context = at::zeros({1, kWindowTokens, 1});
  if (!r.context.empty()) {
    context.narrow(1, 0, kContextTokens)
        .copy_(to_tensor(r.context, {1, kContextTokens, kLatentSize}));
    is_context.narrow(1, 0, kContextTokens).fill_(1);
  }
  const float texture = r.is_texture ? 1 : 0;
  const std::vector<float> traits{
      static_cast<float>(r.size), static_cast<float>(r.intensity), texture, 1, 0, 0, texture, 0};
  const std::vector<std::int64_t> class_row{class_in_table, 0}, material_row{r.material_id + 1, 0};
  const at::Tensor control = to_tensor(r.control, {1, kWindowTokens, -1});
  return {at::tensor(class_row).narrow(0, 0, rows),
          at::tensor(material_row).narrow(0, 0, rows),
          at::tensor(traits).view({2, 4}).narrow(0, 0, rows),
          control.expand({rows, -1, -1}),
          context.expand({rows, -1, -1}),
          is_context.expand({rows, -1, -1})};
}

std::filesystem::path need(const std::filesystem::path& folder, const char* name) {
  const auto path = folder / name;
  require(std::filesystem::exists(path), ErrorCode::kModelMissing,
          "bundled weights: " + path.string() +
              " is not there; expected latent.safetensors, foley.safetensors and "
              "vocoder.safetensors in that folder. They come with the source under models/bundled "
              "(git checkout -- models/bundled), or train them: ./dev train --help");
  return path;
}

}  // namespace

struct Networks::Modules {
  FlowTransformer flow;
  Vocoder vocoder;
  AdaptedFlow adapted;
};

Networks::Networks(const std::filesystem::path& folder, const std::vector<AdapterChoice>& adapters)
    : codec_(need(folder, "latent.safetensors")) {
  const Inference inference;
  const auto flow = need(folder, "foley.safetensors"),
             vocoder = need(folder, "vocoder.safetensors");
  const auto foley = read_safetensors(flow), voice = read_safetensors(vocoder);
  const auto config = flow_transformer_of(foley.metadata, flow.string());
  const auto voice_config = vocoder_of(voice.metadata, vocoder.string());
  classes_ = static_cast<int>(config.classes.size());
  materials_ = static_cast<int>(config.materials.size());
  noise_channels_ = voice_config.noise_channels;
  hashes_ = {{"latent", sha256_of_file(folder / "latent.safetensors")},
             {"foley", sha256_of_file(flow)},
             {"vocoder", sha256_of_file(vocoder)}};
  std::vector<LoadedAdapter> loaded;
  for (const AdapterChoice& choice : adapters) {
    loaded.push_back(load_adapter(choice));
    const AdapterFacts& facts = loaded.back().facts;
    hashes_[name_of(choice)] = facts.sha256;
    if (!facts.licence.empty()) licences_.push_back(facts.licence);
  }
  modules_ = std::make_unique<Modules>(
      Modules{FlowTransformer(config), Vocoder(voice_config),
              AdaptedFlow(foley.tensors, config, hashes_.at("foley"), loaded)});
  load_weights(*modules_->flow, foley.tensors, flow.string());
  load_weights(*modules_->vocoder, voice.tensors, vocoder.string());
}

Networks::~Networks() = default;

const std::vector<AdapterClass>& Networks::new_classes() const {
  return modules_->adapted.new_classes();
}

std::vector<float> Networks::generate(const WindowRequest& r) const {
  const Inference inference;
  const bool is_guided = r.guidance != 1;
  const std::int64_t rows = is_guided ? 2 : 1;
  const AdaptedFlow::Choice* own = modules_->adapted.find(r.class_id);
  require(own || (r.class_id >= 0 && r.class_id < classes_), ErrorCode::kInternal,
          "flow transformer: a class that the weights do not know");
  FlowTransformer flow = own ? own->flow : modules_->flow;
  WindowRequest known = r;
  if (r.material_id >= materials_) known.material_id = 0;
  const FlowCondition condition = condition_of(known, own ? own->row : r.class_id + 1, rows);
  const at::Tensor context = condition.context.narrow(0, 0, 1);
  const at::Tensor given = condition.is_context.narrow(0, 0, 1);
  const at::Tensor start =
      noise(r.seed, kFlowStream + r.window, 0, {1, kWindowTokens, kLatentSize});
  at::Tensor x = start, before;
  for (int step = 0; step < r.steps; ++step) {
    const double time = static_cast<double>(step) / r.steps;
    at::Tensor velocity =
        flow(x.expand({rows, -1, -1}), at::full({rows}, time, at::kFloat), condition);
    if (is_guided) velocity = at::lerp(velocity[1], velocity[0], r.guidance).unsqueeze(0);
    // Two steps' velocities make the method one of second order (Adams & Bashforth): Euler's steps
    // fall short of the noise that a sound has, by a quarter in rain.
    const at::Tensor course = before.defined() ? 1.5 * velocity - 0.5 * before : velocity;
    x = x + course / r.steps;
    before = velocity;
    // What is given stays on its own straight way, as in training.
    x = at::where(given > 0, at::lerp(start, context, time + 1.0 / r.steps), x);
  }
  return to_vector(x);
}

std::int64_t Networks::context_frames() const {
  // The spectrum's own context, and the neighbours whose windows overlap.
  return modules_->vocoder->context_frames() + 2;
}

std::vector<float> Networks::vocode(std::span<const float> log_mel, std::int64_t first,
                                    std::uint64_t seed) const {
  const Inference inference;
  const auto frames = static_cast<std::int64_t>(log_mel.size()) / kMelBands;
  const std::int64_t side = context_frames(), kept = frames - 2 * side;
  require(kept > 0 && first + kFramesBefore >= 2, ErrorCode::kInternal,
          "vocoder: too few frames for their context");
  const std::int64_t channels = noise_channels_;
  const std::int64_t place = first + kFramesBefore;
  const at::Tensor detail = noise(seed, kDetailStream, place * channels, {1, frames, channels});
  const at::Tensor white = noise(seed, kWhiteStream, (place - 2) * kHop, {1, (frames + 3) * kHop});
  const at::Tensor y = modules_->vocoder(to_tensor(log_mel, {1, frames, kMelBands}), detail, white);
  return to_vector(y.narrow(1, (2 + side) * kHop, kept * kHop));
}

}  // namespace qingyin::bundled
