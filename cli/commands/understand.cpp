#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/input_flags.h"
#include "cli/load_pipeline.h"
#include "cli/output_names.h"
#include "cli/sound_flags.h"
#include "core/event_io.h"
#include "core/text.h"

namespace qingyin::cli {
namespace {

struct UnderstandOptions {
  std::filesystem::path clip, output;
  InputFlags input;
  std::optional<EventFormat> format;
  OverwriteOptions overwrite;
  StageOptions stages;
  WishFlags words;
  std::uint64_t seed = 0;

  void declare(CLI::App& app) {
    app.add_option("clip", clip, "video to look at")->required()->type_name("FILE");
    input.declare(app);
    app.add_option("-o,--output", output, "file or folder to write to (default: standard output)")
        ->type_name("PATH")
        ->group("Output");
    add_choice<std::optional<EventFormat>>(
        app, "--format", format,
        {{"json", EventFormat::kJson},
         {"csv", EventFormat::kCsv},
         {"labels", EventFormat::kAudacityLabels},
         {"srt", EventFormat::kSrt},
         {"vtt", EventFormat::kVtt}},
        "form of the events (default: as the file's extension, or json)")
        ->group("Output");
    app.add_flag("--overwrite", overwrite.overwrite, "replace an existing output")->group("Output");
    app.add_flag("--keep-both", overwrite.keep_both, "write under the next free name instead")
        ->group("Output");
    app.add_option("--seed", seed, "seed that the events' own seeds follow from")
        ->check(whole_number())
        ->type_name("N")
        ->group("Engine")
        ->capture_default_str();
    words.declare(app);
    stages.declare_engine(app);
    stages.declare_adapters(app);
    stages.declare_detector(app);
  }
};

std::string extension_of(EventFormat format) {
  switch (format) {
    case EventFormat::kCsv:
      return ".csv";
    case EventFormat::kAudacityLabels:
      return ".txt";
    case EventFormat::kSrt:
      return ".srt";
    case EventFormat::kVtt:
      return ".vtt";
    case EventFormat::kJson:
      break;
  }
  return ".json";
}

EventFormat chosen_format(const UnderstandOptions& options) {
  if (options.format) return *options.format;
  for (const auto format :
       {EventFormat::kCsv, EventFormat::kAudacityLabels, EventFormat::kSrt, EventFormat::kVtt}) {
    if (options.output.extension() == extension_of(format)) return format;
  }
  return EventFormat::kJson;
}

void deliver(const UnderstandOptions& options, EventFormat format, const std::string& text,
             Context& context) {
  if (options.output.empty()) {
    if (!context.wants_json) context.console.result(text);
    return;
  }
  const std::string name = options.clip.stem().string() + ".events" + extension_of(format);
  create_output_folder(options.output);
  const auto target = free_name(output_file(options.output, {}, name), options.overwrite);
  write_file_atomically(target, text, overwrite_of(options.overwrite));
  context.summary.item().outputs.push_back(target.string());
  if (!context.wants_json) context.console.result(target.string() + "\n");
}

void understand(const UnderstandOptions& options, Context& context) {
  auto& item = context.summary.item();
  item.input = options.clip.string();
  overwrite_of(options.overwrite);
  const ClipInfo clip = probe(options.clip, options.input.limits());
  const EventFormat format = chosen_format(options);
  const Wishes& wishes = options.words.wishes;
  const bool has_wishes =
      !wishes.label.empty() || !wishes.prompt.empty() || !wishes.ambience.empty();
  const Pipeline pipeline =
      load_pipeline(options.stages, has_wishes ? Stages::kBoth : Stages::kDetector);
  context.progress.begin(options.clip.filename().string());
  const Understood found =
      pipeline.understand(clip, wishes, options.seed, context.progress.watcher());
  context.progress.end();
  for (const auto& warning : found.warnings) context.console.warning(warning);
  item.warnings = found.warnings;
  const EventDocument document(found.timeline);
  const std::string json_text = document.to_json();
  item.facts_json =
      "{\"timeline\":" + json_text + ",\"features\":" + nlohmann::json(found.features).dump() + "}";
  deliver(options, format,
          format == EventFormat::kJson ? json_text : to_text(found.timeline, format), context);
  context.console.note(std::to_string(found.timeline.events.size()) + " events found in " +
                       printable(options.clip));
}

}  // namespace

Command understand_command() {
  return make_command("understand", "Find what should be heard in a clip, and when; make no sound.",
                      "  qingyin understand clip.mp4 > clip.events.json\n"
                      "  qingyin understand clip.mp4 -o labels.txt        Audacity labels\n"
                      "  qingyin understand clip.mp4 --format srt --sensitivity 0.8",
                      understand);
}

}  // namespace qingyin::cli
