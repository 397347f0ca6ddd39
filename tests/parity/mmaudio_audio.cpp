#include "tests/parity/mmaudio_audio.h"

#include <map>
#include <string>

#include "tests/parity/mmaudio_audio_cases.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using Register = void (*)(const fs::path& folder, const fs::path& file);

/// What registers the tests of a fixture; null if it is not of this part. Files are told by the
/// beginning of their name.
Register register_of(const fs::path& file) {
  static const std::map<std::string, Register> kByPrefix{
      {"flow_", mmaudio::register_flow},
      {"sampler_", mmaudio::register_sampler},
      {"sequence_cases", mmaudio::register_sequences},
      {"vae_", mmaudio::register_vae},
      {"bigvgan_", mmaudio::register_bigvgan},
      {"mel_frontend", mmaudio::register_mel_frontend},
      {"pipeline_", mmaudio::register_pipeline},
      {"keys/flow_", mmaudio::register_flow_keys},
      {"keys/vae_", mmaudio::register_vae_keys},
      {"keys/bigvgan_", mmaudio::register_bigvgan_keys},
  };
  for (const auto& [prefix, function] : kByPrefix)
    if (file.generic_string().starts_with(prefix)) return function;
  return nullptr;
}

bool claims(const fs::path& relative) { return register_of(relative) != nullptr; }

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) register_of(file)(folder, file);
}

}  // namespace

FamilyPart mmaudio_audio_part() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
