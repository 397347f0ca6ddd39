#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "audio_gen/mmaudio/bigvgan.h"
#include "audio_gen/mmaudio/flow_network.h"
#include "audio_gen/mmaudio/mel_vae.h"
#include "models/checkpoint/tensor_io.h"

// Networks from the configs of fixtures, and key manifests.
namespace qingyin::test::mmaudio {

/// @param weights  of the fixture, in any float type
/// @param source   for messages
qingyin::mmaudio::FlowNetwork flow_network(const nlohmann::json& config, const TensorMap& weights,
                                           const std::string& source);
qingyin::mmaudio::MelVae mel_vae(const nlohmann::json& config,
                                 const qingyin::mmaudio::VaeParts& parts, const TensorMap& weights,
                                 const std::string& source);
qingyin::mmaudio::BigVgan bigvgan(const nlohmann::json& config, const TensorMap& weights,
                                  const std::string& source);

/// The published flow network of a manifest's name, "flow_small_16k".
qingyin::mmaudio::FlowConfig published_flow(const std::string& stem);

/// A manifest (lines of name, type, shape) as tensors without memory.
TensorMap read_key_manifest(const std::filesystem::path& path);

/// Fails for every difference of names, shapes and types, in both directions.
void expect_keys(const torch::nn::Module& network, const TensorMap& manifest);

}  // namespace qingyin::test::mmaudio
