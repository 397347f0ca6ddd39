// Renders a simulated scene into a silent video, with the truth about its sounds beside it.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "core/error.h"
#include "core/event_io.h"
#include "core/media/video_writer.h"
#include "training/scenes/scene.h"

namespace {

struct Options {
  std::filesystem::path target;
  std::filesystem::path truth;
  std::uint64_t seed = 0;
  int height = 720;
  double seconds = 8;
  bool overwrite = false;
};

void render(const Options& options) {
  using namespace qingyin;
  const training::Scene scene({.seed = options.seed,
                               .width = options.height * 16 / 9,
                               .height = options.height,
                               .rate = {30, 1},
                               .duration = Seconds(options.seconds)});
  const Overwrite overwrite = options.overwrite ? Overwrite::kYes : Overwrite::kNo;
  const auto writer = open_video_writer({.target = options.target,
                                         .width = scene.config().width,
                                         .height = scene.config().height,
                                         .rate = scene.config().rate,
                                         .overwrite = overwrite});
  for (std::int64_t frame = 0; frame < scene.frames(); ++frame) writer->write(scene.render(frame));
  writer->finish();
  if (options.truth.empty()) return;
  EventTimeline truth = scene.truth();
  truth.clip.path = options.target.filename().string();
  write_file_atomically(options.truth, EventDocument(truth).to_json(), overwrite);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Renders a simulated scene (things that fall, strike and roll) without sound."};
  Options options;
  app.add_option("target", options.target, "video to write (.mp4, .mov, .mkv)")->required();
  app.add_option("--truth", options.truth, "also write what sounds when, as qingyin.events/1 JSON");
  app.add_option("--seed", options.seed, "which scene")->capture_default_str();
  app.add_option("--height", options.height, "lines of the picture (16:9)")
      ->check(CLI::IsMember({144, 288, 360, 720, 1080}))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "duration")
      ->check(CLI::Range(0.5, 600.0))
      ->capture_default_str();
  app.add_flag("--overwrite", options.overwrite, "replace existing files");
  try {
    app.parse(argc, argv);
    render(options);
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : qingyin::exit_code(qingyin::ErrorCode::kUsage);
  } catch (const qingyin::Error& e) {
    std::cerr << "qingyin_scene: " << e.what() << '\n';
    return qingyin::exit_code(e.code());
  }
}
