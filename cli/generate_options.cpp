#include "cli/generate_options.h"

#include <cmath>
#include <cstdlib>

#include "cli/input_flags.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin::cli {
namespace {

std::int64_t bytes_of(const std::string& text) {
  if (text.empty()) return 0;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit(end);
  const double scale = unit == "G" || unit == "GB" ? 1e9 : unit == "M" || unit == "MB" ? 1e6 : 0;
  require(value > 0 && value < 1e6 && scale > 0, ErrorCode::kUsage,
          "--memory " + excerpt(text) + " is no amount; expected such as 8G or 900M");
  return std::llround(value * scale);
}

LoraWish lora_of(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || std::filesystem::exists(text)) return {text, 1};
  char* end = nullptr;
  const double factor = std::strtod(text.c_str() + colon + 1, &end);
  require(*end == '\0' && end != text.c_str() + colon + 1 && std::isfinite(factor),
          ErrorCode::kUsage, "--lora " + excerpt(text) + ": expected FILE or FILE:SCALE");
  return {text.substr(0, colon), factor};
}

}  // namespace

void GenerateOptions::declare(CLI::App& app) {
  app.add_option("prompt", prompt, "what is to be seen, in English or Chinese");
  flags.declare_output(app, "file or folder to write to (default: WORDS.mp4 here)");
  declare_prompt(app);
  declare_clip(app);
  declare_steps(app);
  declare_memory(app);
  declare_compatible(app);
  flags.declare_bundled(app);
}

void GenerateOptions::declare_prompt(CLI::App& app) {
  constexpr char kGroup[] = "Prompt";
  app.add_option("--image", picture, "picture that the clip begins with")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--video", clip, "clip to change")
      ->type_name("FILE")
      ->excludes("--image")
      ->group(kGroup);
  app.add_option("--negative", negative, "what is not to be seen")->group(kGroup);
  app.add_option("--style", style, "look, such as film, anime, ink-painting")->group(kGroup);
  app.add_option("--mood", mood, "atmosphere, such as calm, tense, epic")->group(kGroup);
  app.add_option("--camera", camera, "shot or move, such as push-in, tracking, close-up")
      ->group(kGroup);
  app.add_option("--light", light, "light, such as golden-hour, neon, moonlight")->group(kGroup);
  app.add_flag("--suggest", suggests, "print three prompts in different styles, make no clip")
      ->group(kGroup);
  app.add_option("--round", round, "with --suggest: 1, 2, ... give three others each")
      ->check(whole_number())
      ->type_name("N")
      ->group(kGroup);
  add_choice<prompt::Formula>(
      app, "--formula", formula,
      {{"full", prompt::Formula::kFull}, {"simple", prompt::Formula::kSimple}},
      "how much the assistant says")
      ->group(kGroup);
}

void GenerateOptions::declare_clip(CLI::App& app) {
  constexpr char kGroup[] = "Clip";
  app.add_option("--model", model, "cogvideox:2b, ... or the folder of a checkpoint")
      ->type_name("NAME|DIR")
      ->group(kGroup);
  app.add_flag("--accept-licence", accepts_licence, "you have read the weights' licence and agree")
      ->group(kGroup);
  app.add_option("--sound", sound, "auto, none, or words for the sound")
      ->group(kGroup)
      ->capture_default_str();
  app.add_option("--size", size, "WIDTHxHEIGHT (default: the model's)")->group(kGroup);
  app.add_option("--frames", settings_.frames, "length in frames")
      ->check(whole_number())
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--seconds", seconds, "length in seconds, rounded to what the model can make")
      ->check(number_in(0.1, 60))
      ->type_name("NUMBER")
      ->excludes("--frames")
      ->group(kGroup);
  app.add_option("--fps", fps, "frames per second of the file (default: the model's)")
      ->group(kGroup);
  app.add_option("--count", count, "clips to make, each with its own seed")
      ->check(CLI::Range(1, 100))
      ->type_name("N")
      ->group(kGroup);
  add_choice<PictureFit>(
      app, "--fit", settings_.picture_fit,
      {{"stretch", PictureFit::kStretch}, {"crop", PictureFit::kCrop}, {"pad", PictureFit::kPad}},
      "how a picture of another shape is taken")
      ->group(kGroup);
  app.add_option("--preview", settings_.preview_every,
                 "every N steps show the clip so far in OUTPUT.preview.png, until it is done")
      ->check(whole_number())
      ->type_name("N")
      ->group(kGroup);
}

void GenerateOptions::declare_steps(CLI::App& app) {
  constexpr char kGroup[] = "Steps";
  app.add_option("--steps", settings_.steps, "of the sampler (default: 50)")
      ->check(whole_number())
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--guidance", guidance, "strength of the prompt (default: 6; up to 1: none)")
      ->check(number_in(0, 100))
      ->type_name("NUMBER")
      ->group(kGroup);
  app.add_option("--strength", settings_.strength, "with --video: how much is changed")
      ->check(number_in(0.01, 1))
      ->type_name("NUMBER")
      ->group(kGroup)
      ->capture_default_str();
  app.add_option("--lora", loras, "FILE or FILE:SCALE, several times for several")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option("--skip", settings_.skip_threshold,
                 "reuse steps that change less than this (TeaCache, 0.1 to 0.3; 0: none)")
      ->check(number_in(0, 1))
      ->type_name("NUMBER")
      ->group(kGroup);
  using enum VideoSampler;
  add_choice<VideoSampler>(
      app, "--sampler", settings_.sampler,
      {{"model", kOfModel}, {"ddim", kDdim}, {"dpm", kDpm}, {"distilled", kDistilled}},
      "model: the checkpoint's own; distilled: four steps without guidance, for a LoRA made for it")
      ->group(kGroup);
}

void GenerateOptions::declare_memory(CLI::App& app) {
  constexpr char kGroup[] = "Memory";
  app.add_option("--memory", memory, "what a run may take, such as 8G (default: no limit)")
      ->type_name("SIZE")
      ->group(kGroup);
  add_choice<VideoPrecision>(
      app, "--dtype", settings_.precision,
      {{"float32", VideoPrecision::kFloat32}, {"bfloat16", VideoPrecision::kBfloat16}},
      "number format of the networks")
      ->group(kGroup);
  add_choice<VideoWeights>(app, "--weights", settings_.weights,
                           {{"full", VideoWeights::kFull}, {"int8", VideoWeights::kInt8}},
                           "how the transformer's are kept: as --dtype says, or in 8 bits")
      ->group(kGroup);
}

void GenerateOptions::declare_compatible(CLI::App& app) {
  constexpr char kGroup[] = "Oddities of the reference";
  add_choice<VideoGuidance>(app, "--guidance-curve", settings_.guidance_curve,
                            {{"model", VideoGuidance::kOfModel},
                             {"constant", VideoGuidance::kConstant},
                             {"wave", VideoGuidance::kWave},
                             {"smooth", VideoGuidance::kSmooth}},
                            "how guidance goes over the steps; model: a wave with dpm")
      ->group(kGroup);
  add_choice<StepEnds>(app, "--step-ends", settings_.step_ends,
                       {{"exact", StepEnds::kExact}, {"reference", StepEnds::kReference}},
                       "where a step ends if the steps do not divide 1000")
      ->group(kGroup);
  add_choice<PictureLatents>(app, "--picture-latents", settings_.picture_latents,
                             {{"model", PictureLatents::kOfModel},
                              {"unscaled", PictureLatents::kUnscaled},
                              {"multiplied", PictureLatents::kMultiplied}},
                             "how a picture's latents are scaled")
      ->group(kGroup);
  add_choice<StoredTable>(app, "--positions", settings_.stored_table,
                          {{"stored", StoredTable::kUsed}, {"ignored", StoredTable::kIgnored}},
                          "ignored: 5b-i2v makes other sizes, without its table of positions")
      ->group(kGroup);
  app.add_option("--text-tokens", settings_.text_tokens,
                 "rows of text (default: the model's; 1.5 was trained with 224)")
      ->check(whole_number())
      ->type_name("N")
      ->group(kGroup);
}

prompt::Wish GenerateOptions::wish() const {
  return {.line = prompt,
          .formula = formula,
          .style = style,
          .mood = mood,
          .camera = camera,
          .light = light,
          .has_picture = !picture.empty() || !clip.empty()};
}

VideoSettings GenerateOptions::video_settings() const {
  VideoSettings settings = settings_;
  settings.seed = flags.sound.seed;
  settings.threads = flags.stages.thread_count();
  settings.memory_bytes = bytes_of(memory);
  const PictureSize pixels = picture_size(size);
  settings.width = pixels.width;
  settings.height = pixels.height;
  for (const std::string& lora : loras) settings.loras.push_back(lora_of(lora));
  // A distilled model has learned what guidance does.
  if (settings.sampler == VideoSampler::kDistilled) settings.guidance = 1;
  if (guidance) settings.guidance = *guidance;
  return settings;
}

}  // namespace qingyin::cli
