#include <algorithm>
#include <cctype>
#include <optional>

#include "cli/commands.h"
#include "cli/sound_flags.h"

namespace qingyin::cli {
namespace {

constexpr double kLongest = 3600;

struct SfxOptions {
  EffectRequest effect;
  double duration_s = 0;
  double size = -1;
  SoundFlags flags;

  void declare(CLI::App& app) {
    app.add_option("words", effect.words, "what it is: \"glass bottle breaks\"")
        ->required()
        ->type_name("TEXT");
    flags.declare_output(app, "file (.wav or .flac) or folder to write to (default: WORDS.wav)");
    app.add_option("--duration", duration_s, "length in seconds (default: the sound's own)")
        ->check(number_in(0.05, kLongest))
        ->type_name("SECONDS")
        ->group("Sound");
    app.add_option("--intensity", effect.intensity, "0 soft to 1 hard")
        ->check(number_in(0, 1))
        ->type_name("NUMBER")
        ->group("Sound")
        ->capture_default_str();
    app.add_option("--material", effect.material, "what it is made of: metal, wood, glass")
        ->type_name("TEXT")
        ->group("Sound");
    app.add_option("--size", size, "0 small to 1 large (default: the engine's choice)")
        ->check(number_in(0, 1))
        ->type_name("NUMBER")
        ->group("Sound");
    flags.declare_engine(app);
  }
};

// The words as a file name: letters, digits and what is not ASCII; short.
std::string name_of_words(const std::string& words) {
  constexpr std::size_t kMostBytes = 60;
  std::string name;
  for (const char c : words) {
    const bool is_kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
    if (is_kept) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  if (name.size() > kMostBytes) {
    std::size_t end = kMostBytes;
    while (end > 0 && (name[end] & 0xC0) == 0x80) --end;  // not inside a character
    name.resize(end);
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name.empty() ? "effect" : name;
}

void sfx(const SfxOptions& options, Context& context) {
  const SoundFlags& flags = options.flags;
  context.summary.item().input = options.effect.words;
  overwrite_of(flags.overwrite);
  EffectRequest effect = options.effect;
  if (options.duration_s > 0) effect.duration = Seconds(options.duration_s);
  if (options.size >= 0) effect.size = options.size;
  const auto name = name_of_words(effect.words) + ".wav";
  const auto target = free_name(output_file(flags.output, {}, name), flags.overwrite);
  if (flags.is_dry_run) {
    show_plan({effect.words,
               effect.duration.value_or(Seconds(2)),
               {target, report_path(target)},
               flags.stages.engine,
               /*detects=*/false,
               /*events=*/1},
              flags, context);
    return;
  }
  const Pipeline pipeline = load_pipeline(flags.stages, Stages::kEngine);
  create_output_folder(flags.output);
  context.progress.begin(effect.words);
  show_result(pipeline.make_effect(effect, flags.sound_options(), flags.output_request(target),
                                   context.progress.watcher()),
              context);
}

}  // namespace

Command sfx_command() {
  return make_command("sfx", "Make one sound effect from words.",
                      "  qingyin sfx \"a bell\" -o bell.wav\n"
                      "  qingyin sfx rain --duration 30 -o rain.flac\n"
                      "  qingyin sfx 脚步 --material wood --intensity 0.3 --seed 7",
                      sfx);
}

}  // namespace qingyin::cli
