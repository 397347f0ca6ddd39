#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "audio_gen/whole_sound.h"

namespace qingyin::mmaudio {

/// How an MMAudio engine is set up.
struct EngineOptions {
  std::string name;  // "mmaudio:small_16k"
  ModelConfig model;
  WeightFiles files;
  NetworkSettings networks = {};
  bool keeps_loaded = true;  // false: the flow network is never in memory together with the others
  std::map<std::string, std::string> models = {};  // for EngineInfo, as are the licences
  std::vector<std::string> licences = {};
  std::filesystem::path noise = {};  // initial noise of a whole clip instead of the seed's
};

/// Steps and guidance that the published program has as default.
RenderSettings default_settings();

/// MMAudio as an engine (Cheng et al., "MMAudio: Taming Multimodal Joint Training for High-Quality
/// Video-to-Audio Synthesis", CVPR 2025), in both ways of rendering.
///
/// *whole*: pictures, motion and prompt drive the sound of the whole clip, in windows of 8 s.
/// *events*: every event is rendered for itself from its caption, or its label where it has none,
/// with the picture unseen, or seen while the event lasts (`RenderSettings::senses`); the strongest
/// attack of the 8 s that come out, or the one near the picture's event, is cut out (of something
/// that lasts: the stretch from its begin on). A sound that goes on is a row of joined windows.
///
/// The same arguments give the same samples on the same machine with the same number of threads.
/// Networks are loaded when they are first needed. Calls may overlap; one waits for the other.
/// @param words  outlives the engine's calls
/// @throws Error  kModelMissing, kBadCheckpoint, kDevice, also later, when a stage is first loaded
std::unique_ptr<AudioGenerator> make_engine(EngineOptions options,
                                            std::shared_ptr<WordReader> words);

}  // namespace qingyin::mmaudio
