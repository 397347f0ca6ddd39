#include "audio_gen/mmaudio/flow_network.h"

#include <ATen/ATen.h>

#include <map>

#include "audio_gen/mmaudio/sequence.h"
#include "core/error.h"

namespace qingyin::mmaudio {
namespace {

constexpr std::int64_t kBlockKernel = 3;

const FlowConfig& checked(const FlowConfig& config) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal,
          "MMAudio flow network: " + (found.empty() ? "" : found.front()));
  return config;
}

/// Of convolutions and of linear layers; the first layout used two kinds.
Activation conv_activation(const FlowConfig& c) {
  return c.is_v2 ? Activation::kSilu : Activation::kSelu;
}

Activation linear_activation(const FlowConfig& c) {
  return c.is_v2 ? Activation::kSilu : Activation::kNone;
}

/// Whether a layer of this name is one of those that most of the weights belong to: the blocks',
/// and every gated MLP's.
bool is_large(const std::string& layer) {
  const bool is_gated = layer.ends_with(".w1") || layer.ends_with(".w2") || layer.ends_with(".w3");
  return is_gated || layer.starts_with("joint_blocks.") || layer.starts_with("fused_blocks.");
}

at::Tensor stretched(const at::Tensor& x, std::int64_t latents) {
  const auto picks = nearest_exact(x.size(1), latents);
  return x.index_select(1, at::tensor(picks, x.options().dtype(at::kLong)));
}

}  // namespace

const std::vector<std::string>& ignored_flow_keys() {
  static const std::vector<std::string> kKeys{"t_embed.freqs", "latent_rot", "clip_rot"};
  return kKeys;
}

FlowConditions joined(const FlowConditions& a, const FlowConditions& b) {
  return {at::cat({a.clip, b.clip}),
          at::cat({a.sync, b.sync}),
          at::cat({a.text, b.text}),
          at::cat({a.clip_global, b.clip_global}),
          at::cat({a.text_global, b.text_global}),
          a.latent_rotation,
          a.clip_rotation};
}

FlowNetworkImpl::FlowNetworkImpl(const FlowConfig& c, const at::TensorOptions& options)
    : config_(checked(c)),
      options_(options),
      audio_input_proj(register_module(
          "audio_input_proj", InputProjection(c.latents, c, InputProjectionImpl::Kernels{7, 7},
                                              conv_activation(c), options))),
      clip_input_proj(register_module(
          "clip_input_proj", InputProjection(c.clip_size, c, InputProjectionImpl::Kernels{0, 3},
                                             linear_activation(c), options))),
      sync_input_proj(register_module(
          "sync_input_proj", InputProjection(c.sync_size, c, InputProjectionImpl::Kernels{7, 3},
                                             conv_activation(c), options))),
      text_input_proj(register_module(
          "text_input_proj", InputProjection(c.text_size, c, InputProjectionImpl::Kernels{0, 0},
                                             linear_activation(c), options))),
      clip_cond_proj(register_module("clip_cond_proj", TimeConv(c.dim, c.dim, 0, true, options))),
      text_cond_proj(register_module("text_cond_proj", TimeConv(c.dim, c.dim, 0, true, options))),
      global_cond_mlp(
          register_module("global_cond_mlp", GatedMlp(c.dim, mlp_hidden(c), 0, options))),
      t_embed(register_module("t_embed", TimeEmbedding(c, options.device()))),
      joint_blocks(register_module("joint_blocks", torch::nn::ModuleList())),
      fused_blocks(register_module("fused_blocks", torch::nn::ModuleList())),
      final_layer(register_module("final_layer", FinalLayer(c, options))) {
  const auto own = [&](const char* name, at::IntArrayRef shape, at::ScalarType type) {
    return register_parameter(name, at::empty(shape, options.dtype(type)), false);
  };
  const auto type = c10::typeMetaToScalarType(options.dtype());
  sync_pos_emb = own("sync_pos_emb", {1, 1, kSegmentTokens, c.sync_size}, type);
  latent_mean = own("latent_mean", {1, 1, c.latents}, at::kFloat);
  latent_std = own("latent_std", {1, 1, c.latents}, at::kFloat);
  empty_string_feat = own("empty_string_feat", {c.text_tokens, c.text_size}, type);
  empty_clip_feat = own("empty_clip_feat", {1, c.clip_size}, type);
  empty_sync_feat = own("empty_sync_feat", {1, c.sync_size}, type);
  for (std::int64_t i = 1; i <= c.joint_blocks; ++i)
    joint_blocks->push_back(JointBlock(c, i == c.joint_blocks, options));
  for (std::int64_t i = 0; i < c.fused_blocks; ++i)
    fused_blocks->push_back(StreamBlock(c, kBlockKernel, true, options));
}

at::Tensor FlowNetworkImpl::typed(const at::Tensor& x) const {
  return x.to(options_.device(), c10::typeMetaToScalarType(options_.dtype()));
}

FlowConditions FlowNetworkImpl::prepare(const at::Tensor& clip, const at::Tensor& sync,
                                        const at::Tensor& text, std::int64_t latents) {
  const at::Tensor segments = typed(sync).unflatten(1, {-1, kSegmentTokens});
  FlowConditions c;
  c.sync = stretched(sync_input_proj((segments + sync_pos_emb).flatten(1, 2)), latents);
  c.clip = clip_input_proj(typed(clip));
  c.text = text_input_proj(typed(text));
  c.clip_global = clip_cond_proj(c.clip.mean(1));
  c.text_global = text_cond_proj(c.text.mean(1));
  const std::int64_t head_width = config_.dim / config_.heads;
  const double latents_per_picture =
      static_cast<double>(latents) / static_cast<double>(clip.size(1));
  c.latent_rotation = rotation_of(latents, head_width, 1, options_.device());
  c.clip_rotation = rotation_of(clip.size(1), head_width, latents_per_picture, options_.device());
  return c;
}

FlowConditions FlowNetworkImpl::prepare_empty(const FlowLengths& lengths, std::int64_t batch,
                                              const at::Tensor& negative_text) {
  const at::Tensor text = negative_text.defined() ? negative_text : empty_string_feat.unsqueeze(0);
  return prepare(empty_clip_feat.expand({batch, lengths.clip, -1}),
                 empty_sync_feat.expand({batch, lengths.sync, -1}), text.expand({batch, -1, -1}),
                 lengths.latents);
}

at::Tensor FlowNetworkImpl::clip_where(const at::Tensor& seen, const at::Tensor& rows) const {
  return at::where(seen.to(options_.device()).unsqueeze(1), typed(rows), empty_clip_feat);
}

at::Tensor FlowNetworkImpl::sync_where(const at::Tensor& seen, const at::Tensor& rows) const {
  return at::where(seen.to(options_.device()).unsqueeze(1), typed(rows), empty_sync_feat);
}

std::function<void(const std::string&)> FlowNetworkImpl::int8_converter() {
  std::map<std::string, TimeConvImpl*> layers;
  for (const auto& item : named_modules("", /*include_self=*/false)) {
    auto* const layer = item.value()->as<TimeConvImpl>();
    if (layer != nullptr && is_large(item.key())) layers.emplace(item.key() + ".weight", layer);
  }
  return [layers](const std::string& name) {
    if (const auto found = layers.find(name); found != layers.end()) found->second->to_int8();
  };
}

at::Tensor FlowNetworkImpl::forward(const at::Tensor& x, const at::Tensor& time,
                                    const FlowConditions& c) {
  const at::Tensor whole =
      (typed(t_embed(time.to(options_.device()))) + global_cond_mlp(c.clip_global + c.text_global))
          .unsqueeze(1);  // [B, 1, D]
  const at::Tensor global = at::silu(whole), per_token = at::silu(whole + c.sync);
  Streams streams{audio_input_proj(typed(x)), c.clip, c.text};
  for (const auto& block : *joint_blocks)
    streams = block->as<JointBlockImpl>()->forward(streams, global, per_token, c.latent_rotation,
                                                   c.clip_rotation);
  at::Tensor latents = streams[0], modulation;
  for (const auto& module : *fused_blocks) {
    auto* block = module->as<StreamBlockImpl>();
    const Attended a = block->before_attention(latents, per_token, &c.latent_rotation, modulation);
    latents = block->after_attention(latents, attend(a.q, a.k, a.v), modulation);
  }
  return final_layer(latents, global).to(at::kFloat);
}

at::Tensor FlowNetworkImpl::denormalised(const at::Tensor& x) const {
  return x * latent_std + latent_mean;
}

}  // namespace qingyin::mmaudio
