#include "cli/sound_flags.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "audio_gen/mmaudio/mmaudio_engine.h"
#include "cli/mmaudio_cost.h"
#include "core/text.h"
#include "pipeline/estimate.h"
#include "sync/mastering.h"

namespace qingyin::cli {
namespace {

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

// How far the produced onsets lie from the wanted ones, in words.
std::string onset_words(const Report& report) {
  int count = 0;
  double worst_ms = 0;
  for (const auto& event : report.events) {
    if (!event.produced_onset) continue;
    ++count;
    worst_ms =
        std::max(worst_ms, 1000 * std::abs((*event.produced_onset - event.wanted_onset).count()));
  }
  if (count == 0) return {};
  return format(", onsets within %.1f ms", worst_ms);
}

}  // namespace

void SoundFlags::declare_output(CLI::App& app, const std::string& output_help) {
  app.add_option("-o,--output", output, output_help)->type_name("PATH")->group("Output");
  app.add_flag("--overwrite", overwrite.overwrite, "replace existing outputs")->group("Output");
  app.add_flag("--keep-both", overwrite.keep_both, "write under the next free name instead")
      ->group("Output");
  app.add_flag("--dry-run", is_dry_run, "say what would be done, do nothing")->group("Output");
}

void SoundFlags::declare_bundled(CLI::App& app) {
  app.add_option("--seed", sound.seed, "seed of what has none of its own; same seed, same bytes")
      ->check(whole_number())
      ->type_name("N")
      ->group("Engine")
      ->capture_default_str();
  std::vector<std::pair<std::string, std::string>> targets;
  for (const auto& target : loudness_targets()) targets.emplace_back(target.name, target.name);
  add_choice(app, "--loudness", sound.loudness, std::move(targets),
             "loudness target of the result; none: levels as the events say")
      ->group("Sound");
  stages.declare_engine(app);
  stages.declare_adapters(app);
}

void SoundFlags::declare_engine(CLI::App& app) {
  declare_bundled(app);
  app.add_option("--steps", steps, "sampler steps (default: bundled 10, mmaudio 25)")
      ->check(CLI::Range(1, 200))
      ->type_name("N")
      ->group("Engine");
  app.add_option("--guidance", guidance,
                 "how strictly words and picture are kept to; 1: off (default: bundled 1.2, "
                 "mmaudio 4.5)")
      ->check(number_in(1, 10))
      ->type_name("NUMBER")
      ->group("Engine");
  app.add_option("--negative", sound.settings.negative_prompt,
                 "what must not be heard: \"music, speech\"; mmaudio only")
      ->type_name("TEXT")
      ->group("Sound");
  stages.declare_published(app);
}

void SoundFlags::declare_way(CLI::App& app) {
  const std::map<std::string, RenderWay> ways = {{"whole", RenderWay::kWhole},
                                                 {"events", RenderWay::kEvents}};
  app.add_option_function<std::string>(
         "--render",
         [this, ways](const std::string& word) {
           const auto found = ways.find(word);
           if (found == ways.end())
             throw CLI::ValidationError("--render", "'" + word + "' is none of whole|events");
           way = found->second;
         },
         "the whole clip by the engine's own eyes, or single sounds placed on events "
         "(default: what the engine does best)")
      ->type_name("whole|events")
      ->group("Engine");
  app.add_flag("--no-picture", ignores_picture, "whole: go by the words alone")->group("Engine");
  add_choice<std::string>(app, "--event-picture", event_picture,
                          {{"none", "none"}, {"masked", "masked"}},
                          "events: each sound by its words alone, or by the picture too while it "
                          "lasts; mmaudio only")
      ->group("Engine");
  app.add_option("--noise", stages.noise,
                 "whole: initial noise from a safetensors file instead of the seed")
      ->type_name("FILE")
      ->group("Engine");
}

void SoundFlags::declare_original(CLI::App& app) {
  add_choice<OriginalSound>(app, "--original", sound.original,
                            {{"keep", OriginalSound::kKeep},
                             {"duck", OriginalSound::kDuck},
                             {"replace", OriginalSound::kReplace}},
                            "the clip's own sound: under the effects, lowered by them, or left out")
      ->group("Sound");
}

void SoundFlags::declare_mix(CLI::App& app) {
  declare_original(app);
  app.add_option("--stems", stems, "folder for one WAV file for each lane, and the mix")
      ->type_name("DIR")
      ->group("Output");
  app.add_option("--timeline", timeline, "also write the events that were rendered, to edit them")
      ->type_name("FILE")
      ->group("Output");
}

SoundOptions SoundFlags::sound_options(RenderWay preset) const {
  SoundOptions options = sound;
  if (!stages.is_bundled()) {
    const RenderSettings usual = mmaudio::default_settings();
    options.settings.steps = usual.steps;
    options.settings.guidance = usual.guidance;
    options.way = preset;
  }
  if (steps) options.settings.steps = *steps;
  if (guidance) options.settings.guidance = *guidance;
  if (way) options.way = *way;
  options.sees = !ignores_picture;
  options.sees_events = event_picture == "masked";
  options.threads = stages.thread_count();
  return options;
}

OutputRequest SoundFlags::output_request(const std::filesystem::path& mix) const {
  return {mix, stems, timeline, overwrite_of(overwrite)};
}

void WishFlags::declare(CLI::App& app) {
  app.add_option("--label", wishes.label, "what every detected event is: \"hammer on metal\"")
      ->type_name("TEXT")
      ->group("Sound");
  app.add_option("--prompt", wishes.prompt,
                 "what is heard, in words: \"footsteps on gravel, rain\"; English or Chinese")
      ->type_name("TEXT")
      ->group("Sound");
  app.add_option("--ambience", wishes.ambience, "a bed under the whole clip: \"rain\"; repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group("Sound");
}

void show_result(const Result& result, Context& context) {
  const Report& report = result.report;
  auto& item = context.summary.item();
  item.status = result.was_already_made ? "skipped" : "ok";
  item.reason = result.was_already_made ? "already_made" : "";
  item.warnings = report.warnings;
  for (const auto& file : report.outputs) item.outputs.push_back(file.path.string());
  item.outputs.push_back(result.report_file.string());
  for (const auto& [stage, time] : report.timings) item.timings_s[stage] = time.count();
  context.progress.end();
  for (const auto& warning : report.warnings) context.console.warning(warning);
  std::string text;
  for (const auto& file : report.outputs) {
    if (file.role == "mix") text += file.path.string() + "\n";
  }
  if (text.empty()) text = result.report_file.string() + "\n";
  if (!context.wants_json) context.console.result(text);
  if (result.was_already_made) {
    context.console.note("Already made from the same input and settings: nothing to do.");
    return;
  }
  const std::size_t count = report.events.size();
  context.console.note(std::to_string(count) + (count == 1 ? " sound" : " sounds") +
                       " by the engine '" + report.engine.name + "'" + onset_words(report) +
                       "; report: " + printable(result.report_file));
  if (count == 0) {
    context.console.note(
        "Nothing was taken for a sound. Say what is heard with --prompt or --ambience, or write "
        "the "
        "events yourself: qingyin understand CLIP -o FILE, edit it, qingyin render FILE CLIP.");
  } else if (report.engine.name == "bundled") {
    context.console.note("'bundled' is the basic engine that ships with qingyin.");
  }
  for (const auto& [stage, time] : report.timings) {
    context.console.detail("  " + stage + format(" %.2f s", time.count()));
  }
}

Seconds estimated_time(const RunPlan& plan, const SoundFlags& flags) {
  if (!plan.engine.starts_with("mmaudio:"))
    return estimate_run(plan.duration, plan.detects, flags.sound_options().threads).time;
  const bool is_whole = flags.way.value_or(plan.detects ? RenderWay::kWhole : RenderWay::kEvents) ==
                        RenderWay::kWhole;
  const StageOptions& stages = flags.stages;
  const MmaudioModel model = stages.engine.ends_with(":custom")
                                 ? find_mmaudio(stages.engine, stages.models)
                                 : sizes_of_mmaudio(stages.engine);
  return estimate_mmaudio(model, {.duration = is_whole ? plan.duration : Seconds(0),
                                  .sees = !flags.ignores_picture,
                                  .events = is_whole ? 0 : static_cast<std::int64_t>(plan.events),
                                  .steps = flags.steps.value_or(mmaudio::default_settings().steps),
                                  .is_half = stages.dtype == "bfloat16",
                                  .threads = stages.thread_count()});
}

void show_plan(const RunPlan& plan, const SoundFlags& flags, Context& context) {
  Estimate estimate = estimate_run(plan.duration, plan.detects, flags.sound_options().threads);
  estimate.time = estimated_time(plan, flags);
  auto& item = context.summary.item();
  item.status = "planned";
  nlohmann::ordered_json facts = {{"duration_s", plan.duration.count()},
                                  {"windows", estimate.windows},
                                  {"engine", plan.engine},
                                  {"estimated_time_s", estimate.time.count()},
                                  {"estimated_disk_bytes", estimate.disk_bytes}};
  facts["planned_outputs"] = nlohmann::ordered_json::array();
  std::string text = "would read     " + printable(plan.input) + "\n";
  text += format("duration       %.3f s", plan.duration.count());
  text += " in " + std::to_string(estimate.windows) + " windows, engine '" + plan.engine + "'\n";
  text += format("estimated      %.0f s", std::ceil(estimate.time.count()));
  text += format(", %.0f MB of disk\n", std::ceil(static_cast<double>(estimate.disk_bytes) / 1e6));
  for (const auto& output : plan.outputs) {
    if (output.empty()) continue;
    facts["planned_outputs"].push_back(output.string());
    text += "would write    " + printable(output) + "\n";
  }
  item.facts_json = facts.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  if (!context.wants_json) context.console.result(text);
}

}  // namespace qingyin::cli
