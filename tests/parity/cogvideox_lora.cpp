// LoRA files, merged into the transformer of a tiny checkpoint.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "models/checkpoint/load_weights.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "video_gen/checkpoint_folder.h"
#include "video_gen/lora.h"
#include "video_gen/transformer.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "pytorch_lora_weights.safetensors";
constexpr char kScaled[] = "lora_scale_";

CogTransformer base_network(const fs::path& family, const Fixture& expected) {
  const fs::path component = family / expected.config().at("checkpoint").get<std::string>();
  const CheckpointFolder folder(component.parent_path());
  const std::string name = component.filename().string();
  CogTransformer network(read_transformer_config(folder.config(name)));
  adopt_weights(*network, folder.tensors(name), at::kFloat, component.string());
  return network;
}

at::Tensor run(const CogTransformer& network, const Fixture& f) {
  const at::Tensor latents = f.in("hidden_states");
  const CogClip clip = network->prepare(
      f.in("encoder_hidden_states"),
      {.frames = latents.size(1), .height = latents.size(3), .width = latents.size(4)});
  return network->forward(latents, clip, network->step(f.in("timestep")));
}

/// @param output  "base", "lora", "lora_scale_0.7"
void check_output(const fs::path& family, const fs::path& file, const std::string& output) {
  const Fixture expected(family / file);
  const at::NoGradGuard no_gradient;
  CogTransformer network = base_network(family, expected);
  if (output != "base") {
    const Lora lora = read_lora((family / file).parent_path() / kFile);
    const std::string prefix = kScaled;
    const double factor =
        output.starts_with(prefix) ? std::stod(output.substr(prefix.size())) : 1.0;
    const LoraReport report = merge_lora(*network, lora, factor);
    EXPECT_TRUE(report.unmatched.empty());
    const nlohmann::json scales = expected.metadata("effective_scaling_per_module");
    EXPECT_EQ(report.matched.size(), scales.size());
    for (const auto& [module, scale] : scales.items())
      EXPECT_NEAR(lora.pairs.at(module).scale, scale.get<double>(), 1e-9) << module;
  }
  EXPECT_TRUE(near(run(network, expected), expected.out(output), kCogvideoxFloat32Cpu));
}

bool claims(const fs::path& relative) { return *relative.begin() == "lora"; }

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    if (file.filename() == kFile) continue;
    const Fixture fixture(folder / file);
    for (const auto& [output, unused] : fixture.group("out"))
      register_case("cogvideox", "lora_" + file.parent_path().filename().string() + "_" + output,
                    [folder, file, output = output] { check_output(folder, file, output); });
  }
}

}  // namespace

FamilyPart cogvideox_lora() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
