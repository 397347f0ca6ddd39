#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <optional>

#include "cli/batch_plan_view.h"
#include "cli/batch_view.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/sound_flags.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"
#include "pipeline/batch/expand.h"
#include "pipeline/batch/manifest.h"
#include "pipeline/batch/runner.h"
#include "pipeline/batch/sweep.h"

namespace qingyin::cli {
namespace fs = std::filesystem;

namespace {

constexpr int kMostJobs = 64;
constexpr int kSomeFailed = 1;

struct BatchOptions {
  std::vector<std::string> sources;
  fs::path output;
  std::string names;
  bool is_recursive = false, stops_at_first = false, retries_failed = false;
  bool wants_stems = false, wants_timeline = false, trusts_inputs = false;
  int jobs = 2, max_failures = 0;
  SoundFlags flags;
  WishFlags words;

  void declare(CLI::App& app);
  void declare_output(CLI::App& app);
  batch::OutputChoice choice() const {
    return {output, wants_stems, wants_timeline, trusts_inputs};
  }
};

void BatchOptions::declare_output(CLI::App& app) {
  app.add_option("-o,--output", output, "folder for the results, with the journal of the batch")
      ->required()
      ->type_name("DIR")
      ->group("Output");
  app.add_option("--name-template", names,
                 "names of the results: {name} {folder} {parent} {index} {seed}, ending in .{ext}, "
                 ".wav or .flac (default: " +
                     batch::standard_template() + ")")
      ->type_name("TEXT")
      ->group("Output");
  app.add_flag("--overwrite", flags.overwrite.overwrite,
               "also replace files that this batch did not make")
      ->group("Output");
  app.add_flag("--stems", wants_stems, "also a folder NAME.stems for each result")->group("Output");
  app.add_flag("--timeline", wants_timeline, "also the events of each result, NAME.events.json")
      ->group("Output");
  app.add_flag("--dry-run", flags.is_dry_run, "say what would be done, do nothing")
      ->group("Output");
}

void BatchOptions::declare(CLI::App& app) {
  app.add_option("sources", sources,
                 "folders, clips, patterns (in quotes), manifests (.jsonl, .csv, .txt), or - for a "
                 "manifest on standard input")
      ->required()
      ->type_name("FOLDER|GLOB|MANIFEST|-");
  declare_output(app);
  app.add_flag("-r,--recursive", is_recursive, "search folders in folders too")->group("Batch");
  app.add_option("--jobs", jobs, "clips at a time; never changes a result")
      ->check(CLI::Range(1, kMostJobs))
      ->type_name("N")
      ->group("Batch")
      ->capture_default_str();
  app.add_flag("--trusted", trusts_inputs,
               "read the clips in this process: faster, for clips of your own making")
      ->group("Batch");
  app.add_flag("--fail-fast", stops_at_first, "stop at the first failure (exit 1)")->group("Batch");
  app.add_option("--max-failures", max_failures, "stop after so many failures (exit 7); 0: never")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N")
      ->group("Batch");
  app.add_flag("--retry-failed", retries_failed, "also try again what failed before")
      ->group("Batch");
  words.declare(app);
  flags.declare_original(app);
  flags.declare_engine(app);
  flags.declare_way(app);
  flags.stages.declare_detector(app);
}

// Every clip that is asked for, named.
std::vector<batch::PlannedItem> plan(const BatchOptions& options, Context& context) {
  const batch::ItemOptions defaults{options.words.wishes,
                                    options.flags.sound_options(RenderWay::kWhole)};
  std::vector<batch::Item> items;
  std::size_t left_out = 0;
  for (const auto& source : options.sources) {
    std::vector<batch::Item> found;
    if (source == "-") {
      const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
      found =
          batch::read_manifest(text, batch::ManifestForm::kAuto, {}, "standard input", defaults);
    } else {
      auto expansion = batch::expand({source, options.is_recursive, options.output}, defaults);
      found = std::move(expansion.items);
      left_out += expansion.left_out.size();
      for (const auto& path : expansion.left_out) {
        context.console.detail("left out, by its name no clip: " + printable(path));
      }
    }
    std::move(found.begin(), found.end(), std::back_inserter(items));
  }
  if (left_out > 0) {
    context.console.note(std::to_string(left_out) +
                         " files are no clips by their names and are left out (-v lists them)");
  }
  if (items.empty()) {
    throw Error(ErrorCode::kInvalidInput,
                "there is no clip in " + excerpt(options.sources.front(), 200) +
                    "; check the name, or search deeper with -r",
                "no_items");
  }
  return batch::plan_names(std::move(items), options.names, options.output);
}

std::string word_for(batch::ItemStatus status) {
  switch (status) {
    case batch::ItemStatus::kDone:
      return "ok";
    case batch::ItemStatus::kSkipped:
      return "skipped";
    case batch::ItemStatus::kFailed:
      return "failed";
    case batch::ItemStatus::kNotRun:
      break;
  }
  return "not_run";
}

Summary::Item summary_of(const batch::PlannedItem& planned, const batch::ItemResult& result,
                         const fs::path& folder) {
  Summary::Item item;
  item.input = planned.item.input.string();
  item.status = word_for(result.status);
  item.reason = result.note;
  if (result.fault) {
    item.exit_code = exit_code(result.fault->code);
    item.reason = result.fault->reason;
    item.message = result.fault->message;
  }
  for (const auto& path : result.outputs) item.outputs.push_back((folder / path).string());
  item.warnings = result.warnings;
  for (const auto& [stage, time] : result.timings) item.timings_s[stage] = time.count();
  return item;
}

int code_of(const batch::BatchResult& result) {
  if (const auto signal = stop_signal()) return 128 + *signal;
  if (result.stop && result.stop->reason != "fail_fast") return exit_code(result.stop->code);
  const bool has_failed = std::any_of(
      result.items.begin(), result.items.end(),
      [](const batch::ItemResult& item) { return item.status == batch::ItemStatus::kFailed; });
  return has_failed ? kSomeFailed : 0;
}

void show(const std::vector<batch::PlannedItem>& planned, const batch::BatchResult& result,
          const fs::path& folder, Context& context) {
  context.console.status_line("");
  BatchTotals totals;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    context.summary.items.push_back(summary_of(planned[i], result.items[i], folder));
    totals.add(context.summary.items.back());
  }
  context.exit_code = code_of(result);
  context.summary.status = status_word(context.exit_code);
  context.summary.facts_json = totals.json();
  if (!context.wants_json) context.console.result(totals.text(context.summary.items));
  if (result.stop) context.console.error(result.stop->message);
}

// A stop that takes too long: everything is given back, and nothing half-written stays.
void leave(Context& context) {
  remove_live_temporaries();
  context.console.error("stopped by request; what was under way is given back");
  const int code = 128 + stop_signal().value_or(15);
  if (context.wants_json) {
    context.summary.status = status_word(code);
    context.console.result(context.summary.to_json(code));
  }
  ::_exit(code);
}

void run(const BatchOptions& options, Context& context) {
  const auto planned = plan(options, context);
  const Pipeline pipeline = load_pipeline(options.flags.stages, Stages::kBoth);
  if (options.flags.is_dry_run) {
    const auto time = [&](Seconds duration) {
      return estimated_time({.input = {},
                             .duration = duration,
                             .outputs = {},
                             .engine = options.flags.stages.engine,
                             .detects = true},
                            options.flags);
    };
    show_batch_plan(pipeline, planned,
                    {options.choice(), options.jobs, options.flags.stages.thread_count(), time},
                    context);
    return;
  }
  batch::create_stored_folders(options.output);
  batch::Journal journal(options.output);
  if (journal.damaged()) {
    context.console.warning("the journal was damaged and lies now at " +
                            printable(*journal.damaged()) + "; what is done is found again");
  }
  if (!journal.has_unseen_workers()) {
    for (const auto& path : batch::sweep_leftovers(options.output)) {
      context.console.detail("removed a leftover: " + printable(path));
    }
  }
  BatchView view(context.console, context.progress_style, planned);
  const batch::RunOptions wanted{
      .output = options.choice(),
      .jobs = options.jobs,
      .threads = std::max(1, options.flags.stages.thread_count() / options.jobs),
      .retries_failed = options.retries_failed,
      .overwrites = options.flags.overwrite.overwrite,
      .stops_at_first = options.stops_at_first,
      .max_failures =
          options.max_failures > 0 ? std::optional(options.max_failures) : std::optional<int>(),
      .on_stuck = [&context] { leave(context); }};
  show(planned, batch::run_batch(pipeline, planned, wanted, journal, view), options.output,
       context);
}

}  // namespace

Command batch_command() {
  return make_command(
      "batch", "Make the sound of many clips; run it again to go on where it ended.",
      "  qingyin batch archive/ -r -o out/                  every clip below archive/\n"
      "  qingyin batch \"takes/*.mov\" -o out/ --dry-run      what would be done\n"
      "  qingyin batch list.csv -o out/ --retry-failed      per-item options: "
      "input,prompt,seed,...\n"
      "  find . -name '*.mp4' -print0 | qingyin batch - -o out/ --name-template "
      "\"{folder}/{name}.{ext}\"",
      run);
}

}  // namespace qingyin::cli
