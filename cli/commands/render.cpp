#include <optional>

#include "cli/commands.h"
#include "cli/sound_flags.h"
#include "core/error.h"
#include "core/event_io.h"
#include "core/text.h"
#include "pipeline/outputs.h"

namespace qingyin::cli {
namespace fs = std::filesystem;

namespace {

struct RenderCommandOptions {
  fs::path first, clip;
  SoundFlags flags;

  void declare(CLI::App& app) {
    app.add_option(
           "events", first,
           "timeline (.json, .csv, .txt labels, .srt, .vtt), or a clip with STEM.events.json "
           "beside it")
        ->required()
        ->type_name("FILE");
    app.add_option("clip", clip, "clip that the sound goes onto (default: sound only)")
        ->type_name("FILE");
    flags.declare_output(app, "file or folder to write to; .wav and .flac hold the sound only");
    app.add_option("--reroll", flags.sound.reroll,
                   "ids of events that get a new seed: e3,e5; locked ones keep theirs")
        ->delimiter(',')
        ->type_name("IDS")
        ->allow_extra_args(false)
        ->group("Sound");
    flags.declare_mix(app);
    flags.declare_engine(app);
    flags.declare_way(app);
  }
};

// What is rendered, and onto what.
struct Sources {
  fs::path events;
  std::optional<fs::path> clip;
};

bool is_timeline_file(const fs::path& path) {
  for (const char* extension : {".json", ".csv", ".txt", ".srt", ".vtt"}) {
    if (path.extension() == extension) return true;
  }
  return false;
}

Sources sources_of(const RenderCommandOptions& options) {
  if (is_timeline_file(options.first) || !options.clip.empty()) {
    Sources sources{options.first, {}};
    if (!options.clip.empty()) sources.clip = options.clip;
    return sources;
  }
  fs::path events = options.first;
  events.replace_extension(".events.json");
  if (!fs::exists(options.first) || fs::exists(events)) return {events, options.first};
  throw Error(ErrorCode::kInvalidInput,
              "there is no timeline " + printable(events) + " beside " + printable(options.first) +
                  "; make one with: qingyin understand " + printable(options.first) + " -o " +
                  printable(events),
              "no_timeline");
}

// A video as output needs a picture: the clip that the timeline names, beside the timeline.
void find_clip(const EventDocument& document, const fs::path& output, Sources& sources) {
  if (sources.clip || output.empty() || is_folder_name(output) || is_sound_file(output)) return;
  const fs::path named = document.timeline.clip.path;
  const fs::path beside = sources.events.parent_path() / named;
  std::error_code error;
  if (!named.empty() && fs::is_regular_file(beside, error)) {
    sources.clip = beside;
    return;
  }
  throw Error(ErrorCode::kUsage,
              printable(output) +
                  " needs a picture: give the clip after the timeline, or an output "
                  "that ends in .wav or .flac",
              "no_clip");
}

fs::path target_of(const SoundFlags& flags, const Sources& sources,
                   const std::optional<ClipInfo>& clip) {
  const auto beside = (sources.clip ? *sources.clip : sources.events).parent_path();
  if (clip) return output_file(flags.output, beside, sound_name(*clip));
  // Stems alone are a result too.
  if (flags.output.empty() && !flags.stems.empty()) return {};
  fs::path name = sources.events.filename();
  name.replace_extension();
  if (name.extension() == ".events") name.replace_extension();
  return output_file(flags.output, beside, name.string() + ".wav");
}

void render(const RenderCommandOptions& options, Context& context) {
  const SoundFlags& flags = options.flags;
  context.summary.item().input = options.first.string();
  overwrite_of(flags.overwrite);
  Sources sources = sources_of(options);
  std::optional<ClipInfo> clip;
  if (sources.clip) clip = probe(*sources.clip);
  const auto document =
      clip ? read_events(sources.events, clip->duration) : read_events(sources.events);
  find_clip(document, flags.output, sources);
  if (sources.clip && !clip) clip = probe(*sources.clip);
  auto target = target_of(flags, sources, clip);
  if (!target.empty()) target = free_name(target, flags.overwrite);
  if (flags.is_dry_run) {
    const auto report = report_path(target.empty() ? flags.stems : target);
    show_plan({sources.events,
               document.timeline.clip.duration,
               {target, flags.stems, flags.timeline, report},
               flags.stages.engine,
               /*detects=*/false,
               document.timeline.events.size()},
              flags, context);
    return;
  }
  const Pipeline pipeline = load_pipeline(flags.stages, Stages::kEngine);
  create_output_folder(flags.output);
  context.progress.begin(options.first.filename().string());
  show_result(pipeline.render(document, clip, flags.sound_options(), flags.output_request(target),
                              context.progress.watcher()),
              context);
}

}  // namespace

Command render_command() {
  return make_command("render", "Make the sound of an event timeline, onto a clip or alone.",
                      "  qingyin render clip.events.json clip.mp4 -o again.mp4\n"
                      "  qingyin render clip.events.json --stems stems -o mix.wav     sound only\n"
                      "  qingyin render clip.events.json clip.mp4 --reroll e3,e5 --timeline "
                      "new.events.json -o b.mp4",
                      render);
}

}  // namespace qingyin::cli
