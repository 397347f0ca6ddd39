#include "pipeline/job.h"

#include <utility>

#include "core/dsp/sound_libraries.h"
#include "core/error.h"
#include "core/media/media_libraries.h"
#include "core/sha256.h"
#include "pipeline/result_key.h"

namespace qingyin {

std::filesystem::path Pipeline::Job::report_file() const {
  return report_path(main_output(output));
}

std::filesystem::path Pipeline::Job::folder() const {
  const auto folder = report_file().parent_path();
  return folder.empty() ? "." : folder;
}

bool Pipeline::Job::is_made(const std::string& said) {
  report.key = result_key(report, output, said);
  if (output.overwrite == Overwrite::kYes || !is_already_made(main_output(output), report.key)) {
    check_outputs(output);
    return false;
  }
  if (!output.mix.empty()) report.outputs.push_back({"mix", output.mix, {}});
  return true;
}

void Pipeline::Job::open_outputs() {
  const std::int64_t picture = clip ? clip->bytes : 0;
  const std::int64_t sound =
      samples_for(duration, kOutputRateHz) * 2 * static_cast<std::int64_t>(sizeof(float));
  require_disk(folder(), picture + sound);
  open_original();
  if (output.mix.empty()) return;
  const bool is_original_lost =
      clip && clip->audio_stream && !original && options.original != OriginalSound::kReplace;
  mix = open_mix({.target = output.mix,
                  .clip = clip,
                  .channels = channels,
                  .keeps_own_tracks = is_original_lost,
                  .overwrite = output.overwrite});
}

void Pipeline::Job::open_original() {
  if (!clip || !clip->audio_stream || options.original == OriginalSound::kReplace) return;
  try {
    original = open_audio(*clip);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kInvalidInput) throw;
    report.warnings.push_back(std::string("the clip's own sound is not in the mix, its track is "
                                          "copied behind the new one: ") +
                              e.what());
  }
}

Pipeline::Job::Sinks Pipeline::Job::open_sinks(const std::vector<std::string>& lanes) {
  Sinks sinks;
  if (!output.stems.empty()) sinks.push_back(open_stems(output.stems, lanes, output.overwrite));
  if (mix) sinks.push_back(std::move(mix));
  return sinks;
}

void Pipeline::Job::close(Sinks& sinks) {
  for (auto& sink : sinks) sink->finish();
  for (auto& sink : sinks) {
    for (auto& file : sink->files()) report.outputs.push_back(std::move(file));
  }
}

void Pipeline::Job::write_timeline(const EventDocument& document) {
  if (output.timeline.empty()) return;
  const std::string text = document.to_json();
  write_file_atomically(output.timeline, text, output.overwrite);
  report.outputs.push_back({"timeline", output.timeline, sha256_hex(text)});
}

void Pipeline::Job::take(const MasteringReport& mastered) {
  report.before = mastered.before;
  report.after = mastered.after;
  report.gain_db = mastered.gain_db;
  report.limiter_reduction_db = mastered.limiter_db;
  if (!mastered.note.empty()) report.warnings.push_back(mastered.note);
}

Result Pipeline::Job::finish() {
  stopwatch.end();
  report.timings = stopwatch.timings();
  report.libraries = media_libraries();
  report.libraries.merge(sound_libraries());
  report.peak_memory_bytes = peak_memory_bytes();
  write_file_atomically(report_file(), to_json(report), output.overwrite);
  return {std::move(report), report_file(), false};
}

}  // namespace qingyin
