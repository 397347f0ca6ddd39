// Makes one sound with the bundled engine and writes it as a WAV file.
//
//   make_sound bell out.wav
#include <iostream>

#include "audio_gen/audio_generator.h"
#include "core/dsp/audio_file.h"
#include "core/error.h"
#include "models/registry/model_registry.h"

int main(int argc, char** argv) {
  using namespace qingyin;
  if (argc != 3) {
    std::cerr << "usage: make_sound LABEL OUT.wav\n";
    return exit_code(ErrorCode::kUsage);
  }
  try {
    const auto engine = make_bundled_engine(find_models_folder());
    SoundEvent event;
    event.label = argv[1];
    event.offset = Seconds(1);
    event.intensity = 0.8;
    event.seed = 7;
    const EventSound sound = engine->render(event, {});
    AudioFileWriter file(argv[2], sound.audio.sample_rate_hz, sound.audio.channels,
                         SampleFormat::kPcm24, Overwrite::kNo);
    file.write(sound.audio.samples);
    file.finish();
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return exit_code(error.code());
  }
}
