#include "tests/parity/mmaudio_audio_build.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "models/checkpoint/load_weights.h"

namespace qingyin::test::mmaudio {

using nlohmann::json;
using namespace qingyin::mmaudio;

FlowNetwork flow_network(const json& c, const TensorMap& weights, const std::string& source) {
  const std::int64_t fused = c.at("fused_depth"), all = c.at("depth");
  const FlowConfig config{.latents = c.at("latent_dim"),
                          .clip_size = c.at("clip_dim"),
                          .sync_size = c.at("sync_dim"),
                          .text_size = c.at("text_dim"),
                          .text_tokens = c.at("text_seq_len"),
                          .dim = c.at("hidden_dim"),
                          .heads = c.at("num_heads"),
                          .joint_blocks = all - fused,
                          .fused_blocks = fused,
                          .is_v2 = c.at("v2")};
  EXPECT_EQ(mlp_hidden(config), c.at("mlp_hidden"));
  FlowNetwork network(config);
  load_weights(*network, weights, source);
  return network;
}

MelVae mel_vae(const json& c, const VaeParts& parts, const TensorMap& weights,
               const std::string& source) {
  MelVaeConfig config{
      .bands = c.at("data_dim"), .latents = c.at("embed_dim"), .hidden = c.at("hidden_dim")};
  if (c.contains("ch_mult")) config.multiples = c.at("ch_mult").get<std::vector<std::int64_t>>();
  config.blocks = c.value("num_res_blocks", config.blocks);
  MelVae network(config, parts);
  load_weights(*network, normalised_vae_weights(weights), source);
  return network;
}

BigVgan bigvgan(const json& c, const TensorMap& weights, const std::string& source) {
  const bool has_bias = c.at("use_bias_at_final"), has_tanh = c.at("use_tanh_at_final");
  const BigVganConfig config{.bands = c.at("num_mels"),
                             .channels = c.at("upsample_initial_channel"),
                             .upsample_rates = c.at("upsample_rates"),
                             .upsample_kernels = c.at("upsample_kernel_sizes"),
                             .block_kernels = c.at("resblock_kernel_sizes"),
                             .block_dilations = c.at("resblock_dilation_sizes"),
                             .has_final_bias = has_bias,
                             .has_tanh = has_tanh};
  BigVgan network(config);
  load_weights(*network, folded_bigvgan_weights(weights), source);
  return network;
}

FlowConfig published_flow(const std::string& stem) {
  const std::map<std::string, FlowConfig> kByName{{"flow_small_16k", small_16k()},
                                                  {"flow_small_44k", small_44k()},
                                                  {"flow_medium_44k", medium_44k()},
                                                  {"flow_large_44k", large_44k()},
                                                  {"flow_large_44k_v2", large_44k_v2()}};
  return kByName.at(stem);
}

TensorMap read_key_manifest(const std::filesystem::path& path) {
  std::ifstream in(path);
  TensorMap tensors;
  for (std::string line; std::getline(in, line);) {
    std::istringstream cells(line);
    std::string name, type, shape;
    if (!(cells >> name >> type >> shape) || type != "float32")
      throw std::runtime_error(path.string() + ": not a name, float32 and a shape: " + line);
    const auto sizes = json::parse(shape).get<std::vector<std::int64_t>>();
    tensors.emplace(name, at::empty(sizes, at::TensorOptions(at::kMeta).dtype(at::kFloat)));
  }
  EXPECT_FALSE(tensors.empty()) << path;
  return tensors;
}

void expect_keys(const torch::nn::Module& network, const TensorMap& manifest) {
  EXPECT_EQ(weight_problems(network, manifest), std::vector<std::string>{});
  for (const auto& [name, tensor] : weights_of(network))
    EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
}

}  // namespace qingyin::test::mmaudio
