#include "pipeline/batch/process_item.h"

#include <exception>
#include <system_error>
#include <utility>

#include "core/media/muxer.h"
#include "pipeline/batch/file_mark.h"
#include "pipeline/outputs.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

bool are_names_free(OutputRequest request) {
  request.overwrite = Overwrite::kNo;
  try {
    check_outputs(request);
    return true;
  } catch (const Error& error) {
    if (error.reason() != "exists") throw;
    return false;
  }
}

Result add_sound(const Pipeline& pipeline, const ClipInfo& clip, const ItemWork& work,
                 OutputRequest request, const Progress& progress) {
  const ItemOptions& options = work.planned.item.options;
  SoundOptions sound = options.sound;
  sound.threads = work.threads;
  try {
    return pipeline.add_sound(clip, options.wishes, sound, request, progress);
  } catch (const Error& error) {
    if (error.reason() != "exists" || !work.may_replace) throw;
  }
  request.overwrite = Overwrite::kYes;
  return pipeline.add_sound(clip, options.wishes, sound, request, progress);
}

std::vector<fs::path> files_of(const Result& result, const OutputRequest& request) {
  std::vector<fs::path> files;
  if (!result.was_already_made) {
    for (const auto& file : result.report.outputs) files.push_back(file.path);
  } else {
    files.push_back(request.mix);
    if (!request.timeline.empty()) files.push_back(request.timeline);
    std::error_code error;
    if (!request.stems.empty()) {
      for (const auto& entry : fs::directory_iterator(request.stems, error)) {
        files.push_back(entry.path());
      }
    }
  }
  files.push_back(result.report_file);
  return files;
}

ItemOutcome make(const Pipeline& pipeline, const ItemWork& work, const Progress& progress) {
  report(progress, "check: opening", 0);
  const ClipInfo clip = probe(work.planned.item.input, {.isolated = !work.output.trusts_inputs});
  if (work.on_opened) work.on_opened(clip);
  const auto request = request_for(work.planned, extension_for(work.planned, clip), work.output);
  if (are_names_free(request) && work.before_writing) work.before_writing();
  create_stored_folders(request.mix.parent_path());
  if (!request.stems.empty()) create_stored_folders(request.stems);
  Result made = add_sound(pipeline, clip, work, request, progress);
  ItemOutcome outcome{.was_already_made = made.was_already_made,
                      .key = made.report.key,
                      .warnings = made.report.warnings,
                      .timings = made.report.timings};
  for (const auto& file : files_of(made, request)) {
    outcome.outputs.push_back(file.lexically_relative(work.output.folder));
  }
  return outcome;
}

}  // namespace

OutputRequest request_for(const PlannedItem& planned, const std::string& extension,
                          const OutputChoice& output) {
  const fs::path base = output.folder / planned.slot;
  OutputRequest request;
  request.mix = base.native() + extension;
  if (output.wants_stems) request.stems = base.native() + ".stems";
  if (output.wants_timeline) request.timeline = base.native() + ".events.json";
  return request;
}

std::string extension_for(const PlannedItem& planned, const ClipInfo& clip) {
  if (!planned.extension.empty()) return planned.extension;
  return target_for(clip, {}).extension().string();
}

ItemOutcome process_item(const Pipeline& pipeline, const ItemWork& work, const Progress& progress) {
  try {
    return make(pipeline, work, progress);
  } catch (const std::exception& exception) {
    return {.fault = fault_of(exception)};
  }
}

}  // namespace qingyin::batch
