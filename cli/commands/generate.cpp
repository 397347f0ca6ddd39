#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <utility>

#include "cli/commands.h"
#include "cli/generate_options.h"
#include "core/error.h"
#include "core/media/frame_reader.h"
#include "core/media/picture_file.h"
#include "core/text.h"
#include "models/hub/model_store.h"
#include "pipeline/clip_maker.h"
#include "video_gen/prompt/composer.h"

namespace qingyin::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view kAuto = "auto: ";  // before words that the assistant proposed

/// The folder of a model: given, or that of a known one in the cache.
fs::path folder_of(const GenerateOptions& options) {
  const std::string name = options.model.empty() ? "cogvideox:2b" : options.model;
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) return name;
  const KnownModel& model = known_model(name);
  if (options.accepts_licence) {
    LicenceBook book;
    for (const Licence* terms : licences_of(model)) book.accept(*terms);
  }
  LicenceBook().require_accepted(model);
  return ModelStore().folder_of(model);
}

void suggest(const GenerateOptions& options, Context& context) {
  ordered_json facts{{"prompts", ordered_json::array()}};
  std::string text;
  for (const prompt::Composed& one : prompt::compose(options.wish(), options.round)) {
    facts["prompts"].push_back({{"text", one.text},
                                {"style", one.style},
                                {"mood", one.mood},
                                {"camera", one.camera},
                                {"light", one.light},
                                {"sound", one.sound}});
    text += one.style + ": " + one.text + "\n";
    if (!one.sound.empty()) text += "  sound: " + one.sound + "\n";
    for (const std::string& part : one.unknown)
      context.summary.item().warnings.push_back("left out, for it is in no word list: " + part);
  }
  for (const std::string& warning : context.summary.item().warnings)
    context.console.warning(warning);
  context.summary.item().facts_json = facts.dump();
  if (!context.wants_json) context.console.result(text);
}

/// English words go to the model as they are, unless a preset or Chinese asks for the assistant.
prompt::Composed composed(const GenerateOptions& options) {
  const bool is_plain = options.style.empty() && options.mood.empty() && options.camera.empty() &&
                        options.light.empty();
  const bool is_ascii = std::ranges::all_of(
      options.prompt, [](char c) { return static_cast<unsigned char>(c) < 128; });
  const bool has_picture = !options.picture.empty() || !options.clip.empty();
  if (options.prompt.empty() && is_plain && has_picture) return {};
  prompt::Composed words = prompt::compose_plain(options.wish());
  if (is_plain && is_ascii) words.text = options.prompt;
  return words;
}

RgbPicture rgb_of(Frame frame) { return {frame.height, frame.width, std::move(frame.pixels)}; }

VideoPrompt prompt_of(const ClipRecipe& recipe, FrameRate rate) {
  VideoPrompt prompt{.text = recipe.text, .negative = recipe.negative, .picture = {}, .clip = {}};
  if (!recipe.picture.empty()) prompt.picture = rgb_of(read_picture(recipe.picture));
  if (!recipe.clip.empty()) {
    std::shared_ptr<FrameReader> frames = open_frames(recipe.clip, {.rate = rate});
    prompt.clip = [frames]() -> std::optional<RgbPicture> {
      auto frame = frames->next();
      if (!frame) return std::nullopt;
      return rgb_of(std::move(*frame));
    };
  }
  return prompt;
}

std::string file_name_of(const std::string& words) {
  std::string name;
  for (const char c : words.substr(0, 48)) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_plain)
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return (name.empty() ? "clip" : name) + ".mp4";
}

/// A folder for the silent clip, gone afterwards.
class WorkFolder {
 public:
  WorkFolder() {
    std::string pattern = (fs::temp_directory_path() / "qingyin.XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, ErrorCode::kIo,
            pattern + ": no temporary folder can be made; set TMPDIR");
    path_ = pattern;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The same place from any working folder; none stays none.
fs::path from_anywhere(const fs::path& path) { return path.empty() ? path : fs::absolute(path); }

fs::path beside(const fs::path& target, const char* ending) {
  fs::path path = target;
  return path.replace_extension(ending);
}

void add_sound(const fs::path& silent, const fs::path& target, const ClipRecipe& recipe,
               const SoundFlags& flags, Context& context) {
  const ClipInfo clip = probe(silent);
  const Pipeline pipeline = load_pipeline(flags.stages, Stages::kBoth);
  const auto run = [&](const std::string& words) {
    Wishes wishes;
    wishes.prompt = words;
    return pipeline.add_sound(clip, wishes, flags.sound_options(), flags.output_request(target),
                              context.progress.watcher());
  };
  const bool is_proposal = recipe.sound.starts_with(kAuto);
  const Result result = [&] {
    try {
      return run(is_proposal ? recipe.sound.substr(kAuto.size()) : recipe.sound);
    } catch (const Error& e) {
      // The assistant proposes words that the engine may have no sound for.
      if (!is_proposal || e.code() != ErrorCode::kUsage) throw;
      return run({});
    }
  }();
  for (const std::string& warning : result.report.warnings) context.console.warning(warning);
}

/// The pictures took hours: a sound that fails does not take them along.
[[noreturn]] void keep_silent(const fs::path& silent, const fs::path& target, Overwrite overwrite,
                              const Error& error) {
  write_file_atomically(target, content_of(silent), overwrite);
  throw Error(error.code(),
              std::string(error.what()) + "\n" + printable(target) +
                  " is there without sound; qingyin add gives it one",
              error.reason());
}

/// One clip: picture, cover, sound, recipe.
void make_one(const VideoGenerator& generator, const ClipRecipe& recipe, const fs::path& target,
              const SoundFlags& flags, Context& context) {
  const Overwrite overwrite = overwrite_of(flags.overwrite);
  const fs::path cover = beside(target, ".png"), recipe_file = beside(target, ".clip.json");
  const fs::path preview =
      recipe.settings.preview_every > 0 ? beside(target, ".preview.png") : fs::path();
  std::error_code ignored;
  for (const fs::path& file : {target, cover, recipe_file, preview})
    require(
        overwrite == Overwrite::kYes || !fs::exists(file, ignored), ErrorCode::kIo,
        printable(file) + ": is there already; --overwrite replaces it, or name another output");
  const bool has_sound = recipe.sound != "none";
  const WorkFolder work;
  const fs::path silent = has_sound ? work.path() / target.filename() : target;
  context.progress.begin(target.filename().string());
  const VideoReport made =
      make_clip(generator, prompt_of(recipe, generator.info().native.rate), recipe.settings,
                {.video = silent,
                 .cover = work.path() / "cover.png",
                 .preview = preview,
                 .rate = recipe.rate,
                 .overwrite = overwrite},
                context.progress.watcher());
  if (has_sound) {
    try {
      add_sound(silent, target, recipe, flags, context);
    } catch (const Error& e) {
      if (e.code() == ErrorCode::kCancelled) throw;
      keep_silent(silent, target, overwrite, e);
    }
  }
  // Only a whole clip gets its cover and its recipe.
  write_file_atomically(cover, content_of(work.path() / "cover.png"), overwrite);
  write_file_atomically(recipe_file, recipe_json(recipe, made), overwrite);
  context.progress.end();
  auto& item = context.summary.item();
  for (const fs::path& file : {target, cover, recipe_file}) item.outputs.push_back(file.string());
  for (const std::string& warning : made.warnings) {
    item.warnings.push_back(warning);
    context.console.warning(warning);
  }
  if (!context.wants_json) context.console.result(target.string() + "\n");
}

/// " (2 reused: 3, 5)", counted as the progress does; nothing where none are.
std::string reused_words(const std::vector<std::int64_t>& steps) {
  if (steps.empty()) return {};
  std::string list;
  for (const std::int64_t step : steps)
    list += (list.empty() ? "" : ", ") + std::to_string(step + 1);
  return " (" + std::to_string(steps.size()) + " reused: " + list + ")";
}

void show_estimate(const VideoGenerator& generator, const ClipRecipe& recipe, Context& context) {
  const VideoPrompt prompt = prompt_of(recipe, generator.info().native.rate);
  const VideoSettings settings = generator.completed(prompt, recipe.settings);
  const VideoEstimate estimate = generator.estimate(prompt, settings);
  char work[64];
  std::snprintf(work, sizeof work, "%.1f TFLOP", estimate.tera_flop);
  const ordered_json facts{{"model", generator.info().name},
                           {"prompt", recipe.text},
                           {"width", settings.width},
                           {"height", settings.height},
                           {"frames", settings.frames},
                           {"steps", estimate.steps},
                           {"tokens", estimate.tokens},
                           {"tera_flop", estimate.tera_flop},
                           {"skipped_steps", estimate.skipped_steps},
                           {"peak_bytes", estimate.memory.peak_bytes()},
                           {"memory", estimate.memory.text()}};
  context.summary.item().status = "planned";
  context.summary.item().facts_json =
      facts.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  if (context.wants_json) return;
  context.console.result(generator.info().name + ": " + std::to_string(settings.frames) +
                         " frames of " + std::to_string(settings.width) + " x " +
                         std::to_string(settings.height) + ", " + std::to_string(estimate.steps) +
                         " steps" + reused_words(estimate.skipped_steps) + ", " + work +
                         "\nprompt: " + recipe.text + "\nmemory: " + estimate.memory.text() + "\n");
}

ClipRecipe recipe_of(const GenerateOptions& options, const fs::path& folder, Context& context) {
  const prompt::Composed words = composed(options);
  for (const std::string& part : words.unknown)
    context.console.warning("left out, for it is in no word list: " + part);
  std::error_code ignored;
  const bool is_folder = options.model.empty() || fs::is_directory(options.model, ignored);
  ClipRecipe recipe{.model = is_folder ? from_anywhere(folder).string() : options.model,
                    .text = words.text,
                    .negative = options.negative,
                    .sound = options.sound,
                    .picture = from_anywhere(options.picture),
                    .clip = from_anywhere(options.clip),
                    .settings = options.video_settings()};
  if (recipe.sound == "auto") recipe.sound = std::string(kAuto) + words.sound;
  if (!words.sound.empty()) context.console.detail("words for the sound: " + words.sound);
  if (!options.fps.empty()) recipe.rate = parse_frame_rate(options.fps);
  return recipe;
}

/// Weights of the sound that are not there, and words that the engine does not know, end the run
/// before hours of pictures.
void require_sound(const ClipRecipe& recipe, const SoundFlags& flags) {
  if (recipe.sound == "none") return;
  const Pipeline pipeline = load_pipeline(flags.stages, Stages::kBoth);
  if (recipe.sound.starts_with(kAuto)) return;
  Wishes wishes;
  wishes.prompt = recipe.sound;
  pipeline.check_words(wishes, flags.sound_options());
}

std::int64_t frames_for(double seconds, const VideoModelInfo& model) {
  const double wanted = seconds * model.native.rate.per_second();
  const auto units = std::llround((wanted - 1) / static_cast<double>(model.frame_grid));
  return std::max<std::int64_t>(units, 1) * model.frame_grid + 1;
}

void generate(const GenerateOptions& options, Context& context) {
  context.summary.item().input = options.prompt;
  if (options.suggests) return suggest(options, context);
  const fs::path folder = folder_of(options);
  const auto generator = open_video_generator(folder);
  ClipRecipe recipe = recipe_of(options, folder, context);
  require_sound(recipe, options.flags);
  if (options.seconds > 0) recipe.settings.frames = frames_for(options.seconds, generator->info());
  if (options.flags.is_dry_run) return show_estimate(*generator, recipe, context);
  create_output_folder(options.flags.output);
  const fs::path wanted =
      output_file(options.flags.output, ".", file_name_of(options.prompt)).lexically_normal();
  for (int i = 0; i < options.count; ++i) {
    fs::path target = wanted;
    if (options.count > 1)
      target.replace_filename(wanted.stem().string() + "." + std::to_string(i + 1) +
                              wanted.extension().string());
    make_one(*generator, recipe, free_name(target, options.flags.overwrite), options.flags,
             context);
    ++recipe.settings.seed;
  }
}

struct RerunOptions {
  fs::path recipe;
  std::string model;
  SoundFlags flags;

  void declare(CLI::App& app) {
    app.add_option("recipe", recipe, "CLIP.clip.json that generate wrote")
        ->required()
        ->type_name("FILE");
    app.add_option("--model", model, "folder of the checkpoint, where it has moved");
    flags.declare_output(app, "file to write to (default: STEM.again.mp4 beside the recipe)");
    flags.declare_bundled(app);
  }
};

void rerun(const RerunOptions& options, Context& context) {
  context.summary.item().input = options.recipe.string();
  ClipRecipe recipe = read_recipe(options.recipe);
  recipe.settings.threads = options.flags.stages.thread_count();
  require_sound(recipe, options.flags);
  GenerateOptions places;
  places.model = options.model.empty() ? recipe.model : options.model;
  const auto generator = open_video_generator(folder_of(places));
  if (options.flags.is_dry_run) return show_estimate(*generator, recipe, context);
  const std::string stem = options.recipe.stem().stem().string();
  const fs::path target = free_name(
      output_file(options.flags.output, options.recipe.parent_path(), stem + ".again.mp4"),
      options.flags.overwrite);
  SoundFlags flags = options.flags;
  flags.sound.seed = recipe.settings.seed;
  make_one(*generator, recipe, target, flags, context);
}

}  // namespace

Command generate_command() {
  return make_command(
      "generate", "Make a clip from words or a picture, with its sound.",
      "  qingyin generate \"a dog running on a beach\" -o dog.mp4 --model cogvideox:2b\n"
      "  qingyin generate \"一只猫在雨中奔跑\" --style film --camera tracking -o cat.mp4\n"
      "  qingyin generate --image photo.png -o moving.mp4 --model cogvideox:5b-i2v\n"
      "  qingyin generate \"a dog on a beach\" --suggest --round 1\n"
      "  qingyin generate \"a dog\" --model ./CogVideoX-2b --memory 8G --dry-run",
      generate);
}

Command rerun_command() {
  return make_command("rerun", "Make a generated clip again from its recipe.",
                      "  qingyin rerun dog.clip.json -o dog2.mp4", rerun);
}

}  // namespace qingyin::cli
