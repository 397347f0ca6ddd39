#include "pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/media/frame_reader.h"
#include "core/sha256.h"
#include "core/text.h"
#include "pipeline/job.h"
#include "pipeline/labeller.h"
#include "pipeline/result_key.h"
#include "pipeline/seeds.h"
#include "pipeline/sight.h"
#include "pipeline/sound_pass.h"
#include "pipeline/stage_progress.h"
#include "sync/mastering.h"

namespace qingyin {
namespace {

constexpr double kUnderstood = 0.5, kRendered = 0.95;  // of the whole work
constexpr double kLooked = 0.5;                        // of making sounds that follow the picture
constexpr double kDescribed = 0.4;                     // of understanding and naming
constexpr Seconds kTail(2);  // after the last event, where nothing else bounds the sound

std::string name_of(OriginalSound mode) {
  switch (mode) {
    case OriginalSound::kKeep:
      return "keep";
    case OriginalSound::kDuck:
      return "duck";
    case OriginalSound::kReplace:
      break;
  }
  return "replace";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += word + "\n";
  return text;
}

std::string text_of(const Wishes& wishes) {
  return wishes.label + "\n\n" + wishes.prompt + "\n\n" + joined(wishes.ambience);
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Makes the timeline fit what it is rendered onto.
void fit_to_clip(EventTimeline& timeline, const ClipInfo& clip, const std::string& sha256,
                 std::vector<std::string>& warnings) {
  std::string late;
  const auto check = [&](const auto& sound) {
    if (sound.offset <= clip.duration + Seconds(1e-6)) return;
    late += (late.empty() ? "" : ", ") + sound.id;
  };
  std::for_each(timeline.events.begin(), timeline.events.end(), check);
  std::for_each(timeline.ambience.begin(), timeline.ambience.end(), check);
  require(late.empty(), ErrorCode::kInvalidInput,
          "the timeline has events past the end of " + printable(clip.path) + " (" +
              std::to_string(clip.duration.count()) + " s): " + late +
              "; move or shorten them, or give the clip that it was made for");
  if (!timeline.clip.sha256.empty() && timeline.clip.sha256 != sha256) {
    warnings.push_back("the timeline was made for another clip than " + printable(clip.path));
  }
}

Seconds duration_of(const EventTimeline& timeline) {
  if (timeline.clip.duration > Seconds(0)) return timeline.clip.duration;
  Seconds last(0);
  for (const auto& event : timeline.events) last = std::max(last, event.offset);
  for (const auto& layer : timeline.ambience) last = std::max(last, layer.offset);
  return last + kTail;
}

TimelineClip clip_facts(const ClipInfo& clip, const std::string& sha256) {
  return {clip.path.filename().string(),
          sha256,
          clip.duration,
          clip.rate,
          clip.width,
          clip.height,
          clip.rotation_deg};
}

}  // namespace

Pipeline::Pipeline(std::unique_ptr<Understanding> understanding,
                   std::unique_ptr<AudioGenerator> engine, Choices choices,
                   std::shared_ptr<Sight> sight, std::shared_ptr<Labeller> labeller)
    : understanding_(std::move(understanding)),
      engine_(std::move(engine)),
      choices_(std::move(choices)),
      sight_(std::move(sight)),
      labeller_(std::move(labeller)) {}

const AudioGenerator& Pipeline::engine() const {
  require(engine_ != nullptr, ErrorCode::kInternal, "pipeline: this call needs an engine");
  return *engine_;
}

const Understanding& Pipeline::understanding() const {
  require(understanding_ != nullptr, ErrorCode::kInternal, "pipeline: this call needs a detector");
  return *understanding_;
}

Report Pipeline::begin_report(const std::string& command, const SoundOptions& options) const {
  Report report;
  report.command = command;
  report.engine = engine().info();
  report.settings = options.settings;
  report.seed = options.seed;
  report.options = choices_;
  report.options["original"] = name_of(options.original);
  report.options["reroll"] = joined(options.reroll);
  if (options.way == RenderWay::kWhole) {
    report.options["render"] = "whole";
    report.options["picture"] = options.sees ? "seen" : "not seen";
  } else if (labeller_ && command == "add") {
    report.options["labels"] = labeller_->identity();
  }
  if (options.way == RenderWay::kEvents && options.sees_events)
    report.options["event_picture"] = "masked";
  report.loudness_target = options.loudness;
  return report;
}

Understood Pipeline::describe(const ClipInfo& clip, const std::string& clip_sha256,
                              const Progress& progress) const {
  auto frames = open_frames(clip, understanding().request());
  Understood found;
  found.timeline = understanding().describe(*frames, progress);
  // A detector's seeds are its own; these follow from the run's seed.
  for (auto& event : found.timeline.events) event.seed = 0;
  found.timeline.clip = clip_facts(clip, clip_sha256);
  found.timeline.made_by.program = "qingyin";
  found.timeline.made_by.version = QINGYIN_VERSION;
  if (engine_) found.timeline.made_by.models.merge(engine_->info().models);
  found.warnings = clip.warnings;
  append(found.warnings, frames->warnings());
  return found;
}

Understood Pipeline::describe_and_name(const ClipInfo& clip, const std::string& clip_sha256,
                                       bool wants_ambience, const Progress& progress) const {
  if (!labeller_) return describe(clip, clip_sha256, stage_of(progress, "understand", 0, 1));
  Understood found = describe(clip, clip_sha256, stage_of(progress, "understand", 0, kDescribed));
  const auto named = labeller_->label(found.timeline, clip, clip_sha256, wants_ambience,
                                      stage_of(progress, "label", kDescribed, 1));
  append(found.warnings, named.warnings);
  found.features = named.facts.by_name();
  return found;
}

Understood Pipeline::understand(const ClipInfo& clip, const Wishes& wishes, std::uint64_t seed,
                                const Progress& progress) const {
  WishPlan plan;
  if (engine_) plan = plan_wishes(wishes, *engine_);
  Understood found =
      describe_and_name(clip, sha256_of_file(clip.path), plan.beds.empty(), progress);
  if (engine_) apply(plan, *engine_, found.timeline);
  assign_seeds(found.timeline, seed);
  append(found.warnings, plan.notes);
  return found;
}

void Pipeline::check_words(const Wishes& wishes, const SoundOptions& options) const {
  if (options.way == RenderWay::kWhole)
    whole_engine();
  else
    plan_wishes(wishes, engine());
}

Result Pipeline::add_sound(const ClipInfo& clip, const Wishes& wishes, const SoundOptions& options,
                           const OutputRequest& output, const Progress& progress) const {
  Job job{options, output, &clip, clip.duration, begin_report("add", options)};
  const bool is_whole = options.way == RenderWay::kWhole;
  if (is_whole) whole_engine();
  if (!is_whole && options.sees_events) engine_with_eyes();
  const WishPlan plan = is_whole ? WishPlan{} : plan_wishes(wishes, engine());
  job.stopwatch.begin("check");
  job.report.inputs = {{"clip", clip.path, sha256_of_file(clip.path)}};
  if (job.is_made(text_of(wishes))) return {std::move(job.report), job.report_file(), true};
  job.open_outputs();
  if (is_whole) {
    EventTimeline timeline;
    timeline.clip = clip_facts(clip, job.report.inputs.front().sha256);
    timeline.prompt = whole_prompt(wishes);
    timeline.negative_prompt = options.settings.negative_prompt;
    timeline.cuts = cuts_of(job, progress);
    append(job.report.warnings, clip.warnings);
    return make_whole(job, EventDocument(std::move(timeline)), progress);
  }
  job.stopwatch.begin("understand");
  Understood found = describe_and_name(clip, job.report.inputs.front().sha256, plan.beds.empty(),
                                       part_of(progress, 0, kUnderstood));
  job.report.features = found.features;
  apply(plan, engine(), found.timeline);
  job.report.warnings = std::move(found.warnings);
  append(job.report.warnings, plan.notes);
  return make(job, EventDocument(std::move(found.timeline)), part_of(progress, kUnderstood, 1));
}

std::string Pipeline::settings_key(const Wishes& wishes, const SoundOptions& options,
                                   const OutputRequest& output) const {
  return result_key(begin_report("add", options), output, text_of(wishes));
}

Result Pipeline::render(const EventDocument& document, const std::optional<ClipInfo>& clip,
                        const SoundOptions& options, const OutputRequest& output,
                        const Progress& progress) const {
  Job job{options, output, clip ? &*clip : nullptr, {}, begin_report("render", options)};
  job.duration = clip ? clip->duration : duration_of(document.timeline);
  job.stopwatch.begin("check");
  const std::string text = document.to_json();
  job.report.inputs = {{"timeline", {}, sha256_hex(text)}};
  EventDocument changed = document;
  if (clip) {
    job.report.inputs.push_back({"clip", clip->path, sha256_of_file(clip->path)});
    fit_to_clip(changed.timeline, *clip, job.report.inputs.back().sha256, job.report.warnings);
    append(job.report.warnings, clip->warnings);
  }
  append(job.report.warnings, reroll(changed.timeline, options.reroll, options.seed));
  const bool is_whole = options.way == RenderWay::kWhole;
  if (is_whole) whole_engine();
  if (!is_whole && options.sees_events) engine_with_eyes();
  if (!is_whole) require_known_sounds(engine(), changed.timeline);
  if (job.report.settings.negative_prompt.empty())
    job.report.settings.negative_prompt = changed.timeline.negative_prompt;
  if (job.is_made({})) return {std::move(job.report), job.report_file(), true};
  job.open_outputs();
  if (is_whole) return make_whole(job, std::move(changed), progress);
  return make(job, std::move(changed), progress);
}

Result Pipeline::make(Job& job, EventDocument document, const Progress& progress) const {
  assign_seeds(document.timeline, job.options.seed);
  require_known_sounds(engine(), document.timeline);
  std::unique_lock one_at_a_time(*whole_mutex_, std::defer_lock);
  std::unique_ptr<ClipSenses> senses;
  RenderSettings settings = job.report.settings;
  if (job.options.sees_events) {
    one_at_a_time.lock();
    senses = look_at_events(job, document.timeline, stage_of(progress, "look", 0, kLooked));
    settings.senses = senses.get();
  }
  const SoundPass pass{.engine = engine(),
                       .timeline = document.timeline,
                       .duration = job.duration,
                       .settings = settings,
                       .threads = job.options.threads,
                       .original_mode = job.options.original,
                       .original = job.original.get()};
  job.stopwatch.begin("render");
  return master(
      job, document, lanes_of(pass),
      [&](Mastering& mastering, const Progress& watch) { return run(pass, mastering, watch); },
      stage_of(progress, "render", senses ? kLooked : 0, kRendered));
}

Result Pipeline::master(Job& job, const EventDocument& document,
                        const std::vector<std::string>& lanes, const Render& render,
                        const Progress& progress) const {
  job.report.duration = job.duration;
  auto sinks = job.open_sinks(lanes);
  Mastering mastering(loudness_target(job.options.loudness), job.folder(),
                      [&](std::span<const float> mix, const StemBlock& stems) {
                        for (auto& sink : sinks) sink->write(mix, stems);
                      });
  PassFacts facts = render(mastering, progress);
  job.stopwatch.begin("finish");
  report(progress, "finish", 1);
  job.take(mastering.finish());
  report(progress, "finish", 1);
  job.close(sinks);
  job.write_timeline(document);
  job.report.events = std::move(facts.events);
  append(job.report.warnings, facts.warnings);
  return job.finish();
}

}  // namespace qingyin
