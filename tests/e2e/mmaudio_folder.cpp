#include "tests/e2e/mmaudio_folder.h"

#include <ATen/ATen.h>

#include <fstream>
#include <string>

#include "audio_gen/mmaudio/bigvgan.h"
#include "audio_gen/mmaudio/flow_network.h"
#include "audio_gen/mmaudio/mel_vae.h"
#include "models/checkpoint/load_weights.h"
#include "tests/models/tokenizer/small_vocabulary.h"
#include "understanding/visual_networks.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = R"({
  "schema": "qingyin.mmaudio/1",
  "like": "small_16k",
  "licence": "made for a test",
  "flow": {"dim": 32, "heads": 2, "joint_blocks": 2, "fused_blocks": 1,
           "clip_size": 24, "sync_size": 24, "text_size": 16},
  "vae": {"hidden": 8},
  "vocoder": {"channels": 64},
  "clip": {"embed_dim": 24, "patch": 128, "grid": 3},
  "clip_vision": {"width": 32, "layers": 1, "heads": 2},
  "clip_text": {"width": 16, "layers": 1, "heads": 2},
  "synchformer": {"width": 24, "layers": 1, "heads": 2, "grid": 2, "patch": 112}
})";

TensorMap random_weights(const torch::nn::Module& network, double scale) {
  TensorMap weights;
  for (const auto& [name, tensor] : weights_of(network))
    weights.emplace(name, at::randn(tensor.sizes()) * scale);
  return weights;
}

void add(TensorMap& to, const TensorMap& from, const std::string& prefix) {
  for (const auto& [name, tensor] : from) to.emplace(prefix + name, tensor);
}

void write(const fs::path& path, const TensorMap& tensors) {
  fs::create_directories(path.parent_path());
  write_safetensors(path, tensors, {}, Overwrite::kYes);
}

void write_sound(const fs::path& folder) {
  mmaudio::FlowConfig flow = mmaudio::small_16k();
  flow.dim = 32, flow.heads = 2, flow.joint_blocks = 2, flow.fused_blocks = 1;
  flow.clip_size = 24, flow.sync_size = 24, flow.text_size = 16;
  write(folder / "weights" / "mmaudio_small_16k.safetensors",
        random_weights(*mmaudio::FlowNetwork(flow), 0.2));
  mmaudio::MelVaeConfig sizes = mmaudio::vae_16k();
  sizes.hidden = 8;
  TensorMap vae =
      random_weights(*mmaudio::MelVae(sizes, mmaudio::VaeParts{.has_encoder = true}), 0.2);
  for (const char* half : {"encoder", "decoder"})
    vae.emplace(std::string(half) + ".learnable_gain", at::scalar_tensor(0.3));
  write(folder / "ext_weights" / "v1-16.safetensors", vae);
  mmaudio::BigVganConfig generator = mmaudio::bigvgan_16k();
  generator.channels = 64;
  TensorMap vocoder;
  add(vocoder, random_weights(*mmaudio::BigVgan(generator), 0.1), "generator.");
  write(folder / "ext_weights" / "best_netG.safetensors", vocoder);
}

void write_eyes(const fs::path& folder) {
  ClipConfig clip = clip_vit_h_14_378_quickgelu();
  clip.embed_dim = 24, clip.patch = 128, clip.grid = 3;
  clip.vision.width = 32, clip.vision.layers = 1, clip.vision.heads = 2;
  clip.text.width = 16, clip.text.layers = 1, clip.text.heads = 2;
  TensorMap towers;
  add(towers, random_weights(*ClipVision(clip, at::kFloat), 0.2), "visual.");
  add(towers, random_weights(*ClipText(clip, at::kFloat), 0.2), "");
  towers.emplace("logit_scale", at::ones({}));
  write(folder / "open_clip_pytorch_model.safetensors", towers);
  SynchformerConfig sizes = synchformer_published();
  sizes.width = 24, sizes.layers = 1, sizes.heads = 2, sizes.grid = 2, sizes.patch = 112;
  TensorMap synchformer;
  add(synchformer, random_weights(*Synchformer(sizes, at::kFloat), 0.2), "vfeat_extractor.");
  write(folder / "ext_weights" / "synchformer_state_dict.safetensors", synchformer);
  std::ofstream(folder / "merges.txt") << merges_text(merges_with({}));
}

}  // namespace

void write_tiny_mmaudio(const fs::path& folder) {
  fs::create_directories(folder);
  at::manual_seed(5);
  write_sound(folder);
  write_eyes(folder);
  std::ofstream(folder / "mmaudio.json") << kDescription;
}

}  // namespace qingyin::test
