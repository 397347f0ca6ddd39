// Renders a few draws of every class of the sound bank, one WAV file per class, for listening.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>

#include "audio_gen/vocabulary.h"
#include "core/dsp/audio_file.h"
#include "training/sound_bank.h"

namespace {

constexpr double kLead = 0.04, kLength = 2.0;

void render_class(int id, int draws, const std::filesystem::path& folder) {
  using namespace qingyin;
  const std::string name(sound_classes()[static_cast<std::size_t>(id)].name);
  AudioFileWriter file(folder / (name + ".wav"), 48000, 1, SampleFormat::kPcm24, Overwrite::kYes);
  for (int draw = 0; draw < draws; ++draw) {
    const auto recipe = training::draw_recipe(id, static_cast<std::uint64_t>(draw));
    file.write(training::synthesise(recipe, kLead, kLength).samples);
  }
  file.finish();
}

}  // namespace

int main(int argc, char** argv) {
  const int draws = argc > 2 ? std::atoi(argv[2]) : 8;
  if (argc < 2 || argc > 3 || draws < 1 || draws > 1000) {
    std::fputs("usage: qingyin_render_bank FOLDER [DRAWS, 1 to 1000]\n", stderr);
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[1]);
    for (int id = 0; id < static_cast<int>(qingyin::sound_classes().size()); ++id) {
      render_class(id, draws, argv[1]);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qingyin_render_bank: %s\n", error.what());
    return 1;
  }
  return 0;
}
