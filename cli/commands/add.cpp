#include "cli/commands.h"
#include "cli/input_flags.h"
#include "cli/sound_flags.h"

namespace qingyin::cli {
namespace {

struct AddOptions {
  std::filesystem::path clip;
  InputFlags input;
  SoundFlags flags;
  WishFlags words;

  void declare(CLI::App& app) {
    app.add_option("clip", clip, "video that gets its sound")->required()->type_name("FILE");
    input.declare(app);
    flags.declare_output(app,
                         "file or folder to write to (default: STEM.sound.EXT beside the clip)");
    words.declare(app);
    flags.declare_mix(app);
    flags.declare_engine(app);
    flags.declare_way(app);
    flags.stages.declare_detector(app);
  }
};

void add(const AddOptions& options, Context& context) {
  context.summary.item().input = options.clip.string();
  const SoundFlags& flags = options.flags;
  overwrite_of(flags.overwrite);
  const ClipInfo clip = probe(options.clip, options.input.limits());
  const auto beside = options.clip.parent_path();
  const std::string name = sound_name(clip);
  const auto target = free_name(output_file(flags.output, beside, name), flags.overwrite);
  if (flags.is_dry_run) {
    show_plan({options.clip,
               clip.duration,
               {target, flags.stems, flags.timeline, report_path(target)},
               flags.stages.engine,
               /*detects=*/true},
              flags, context);
    return;
  }
  const Pipeline pipeline = load_pipeline(flags.stages, Stages::kBoth);
  create_output_folder(flags.output);
  context.progress.begin(options.clip.filename().string());
  show_result(pipeline.add_sound(clip, options.words.wishes, flags.sound_options(RenderWay::kWhole),
                                 flags.output_request(target), context.progress.watcher()),
              context);
}

}  // namespace

Command add_command() {
  return make_command(
      "add", "Make the sound of a clip.",
      "  qingyin add clip.mp4                             writes clip.sound.mp4\n"
      "  qingyin add clip.mp4 -o out/ --prompt \"a hammer on metal, rain\"\n"
      "  qingyin add clip.mp4 --engine mmaudio:large_44k_v2 --prompt \"waves, gulls\"\n"
      "  qingyin add clip.mp4 -o named.mp4 --timeline named.events.json --stems named.stems",
      add);
}

}  // namespace qingyin::cli
