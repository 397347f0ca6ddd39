#include <utility>

#include "core/error.h"
#include "core/sha256.h"
#include "pipeline/job.h"
#include "pipeline/sight.h"
#include "pipeline/sound_pass.h"
#include "pipeline/stage_progress.h"
#include "pipeline/whole_pass.h"

namespace qingyin {
namespace {

// Of the whole work. Pictures cost most, but only once.
constexpr double kUnderstood = 0.1, kSeen = 0.5, kSampled = 0.85, kDecoded = 0.98;
constexpr Seconds kOneWindow(8);  // longer clips are made in pieces, which like to meet at cuts

void add_words(std::string& text, const std::string& words) {
  if (!words.empty()) text += (text.empty() ? "" : ", ") + words;
}

}  // namespace

std::string whole_prompt(const Wishes& wishes) {
  std::string text;
  add_words(text, wishes.prompt);
  add_words(text, wishes.label);
  for (const auto& bed : wishes.ambience) add_words(text, bed);
  return text;
}

const WholeSoundEngine& Pipeline::whole_engine() const {
  const WholeSoundEngine* const whole = engine().whole();
  require(whole != nullptr, ErrorCode::kUsage,
          "the engine '" + engine().info().name +
              "' makes single sounds only; leave out --render whole, or name an engine with eyes "
              "of its own, for instance --engine mmaudio:large_44k_v2");
  return *whole;
}

const WholeSoundEngine& Pipeline::engine_with_eyes() const {
  const WholeSoundEngine* const whole = engine().whole();
  require(whole != nullptr && sight_ != nullptr, ErrorCode::kUsage,
          "the engine '" + engine().info().name +
              "' does not see; leave out --event-picture masked, or name an engine with eyes of "
              "its own, for instance --engine mmaudio:large_44k_v2");
  return *whole;
}

std::unique_ptr<ClipSenses> Pipeline::look_at_events(Job& job, const EventTimeline& timeline,
                                                     const Progress& progress) const {
  require(job.clip != nullptr, ErrorCode::kUsage,
          "--event-picture masked needs the clip; name it after the timeline");
  job.stopwatch.begin("look");
  const SightFacts before = sight_->facts();
  auto senses = sight_->look_at(*job.clip, job.report.inputs.back().sha256,
                                engine_with_eyes().sight_need(timeline.events), progress);
  job.report.features.merge(sight_->facts().since(before));
  if (sight_->facts().is_cache_broken)
    job.report.warnings.push_back("what was seen of the clip could not be kept for the next time");
  return senses;
}

std::vector<Seconds> Pipeline::cuts_of(Job& job, const Progress& progress) const {
  if (!understanding_ || job.duration <= kOneWindow) return {};
  job.stopwatch.begin("understand");
  Understood found = describe(*job.clip, job.report.inputs.back().sha256,
                              stage_of(progress, "understand", 0, kUnderstood));
  for (auto& warning : found.warnings) job.report.warnings.push_back(std::move(warning));
  return std::move(found.timeline.cuts);
}

Result Pipeline::make_whole(Job& job, EventDocument document, const Progress& progress) const {
  const WholeSoundEngine& whole = whole_engine();
  const std::lock_guard one_at_a_time(*whole_mutex_);
  EventTimeline& timeline = document.timeline;
  const SightFacts before = sight_ ? sight_->facts() : SightFacts{};
  std::unique_ptr<ClipSenses> senses;
  if (job.options.sees) {
    require(job.clip != nullptr && sight_ != nullptr, ErrorCode::kUsage,
            "the sound of a whole clip needs the clip; name it, or add --no-picture to go by the "
            "words alone");
    job.stopwatch.begin("look");
    senses = sight_->look_at(*job.clip, job.report.inputs.back().sha256,
                             whole.sight_need(job.duration, timeline.cuts),
                             stage_of(progress, "look", kUnderstood, kSeen));
  }
  job.stopwatch.begin("sample");
  const WholePass pass{.lane = "mmaudio",
                       .duration = job.duration,
                       .original_mode = job.options.original,
                       .original = job.original.get()};
  auto sound = whole.render_whole({.duration = job.duration,
                                   .prompt = timeline.prompt,
                                   .seed = job.options.seed,
                                   .settings = job.report.settings,
                                   .cuts = timeline.cuts,
                                   .senses = senses.get()},
                                  stage_of(progress, "sample", kSeen, kSampled));
  if (sight_) {
    job.report.features = sight_->facts().since(before);
    if (sight_->facts().is_cache_broken)
      job.report.warnings.push_back(
          "what was seen of the clip could not be kept for the next time");
  }
  return master(
      job, document, pass.lanes(),
      [&](Mastering& mastering, const Progress& watch) {
        job.stopwatch.begin("decode");
        pass.run(std::move(sound), mastering, watch);
        PassFacts facts;
        facts.events.push_back({.id = "whole",
                                .kind = "whole",
                                .label = timeline.prompt,
                                .material = {},
                                .is_exact = true,
                                .lane = pass.lane,
                                .seed = job.options.seed,
                                .wanted_onset = Seconds(0),
                                .produced_onset = {}});
        return facts;
      },
      stage_of(progress, "decode", kSampled, kDecoded));
}

}  // namespace qingyin
