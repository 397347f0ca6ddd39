#include "cli/batch_plan_view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "pipeline/batch/journal.h"
#include "pipeline/batch/runner.h"
#include "pipeline/estimate.h"
#include "pipeline/resources.h"

namespace qingyin::cli {
namespace {

using json = nlohmann::ordered_json;

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

struct PlanTotals {
  std::size_t to_do = 0, done = 0, failed = 0;
  Seconds duration{0}, time{0};
  std::int64_t windows = 0, disk_bytes = 0;
};

// One item of the plan; adds to the totals.
Summary::Item planned_item(const batch::PlannedItem& planned, const PlanFacts& facts,
                           PlanTotals& totals) {
  Summary::Item item;
  item.input = planned.item.input.string();
  item.status = "planned";
  try {
    if (planned.item.fault) {
      throw Error(planned.item.fault->code, planned.item.fault->message,
                  planned.item.fault->reason);
    }
    const ClipInfo clip = probe(planned.item.input, {.isolated = !facts.output.trusts_inputs});
    Estimate estimate = estimate_run(clip.duration, /*detects=*/true, facts.threads);
    estimate.time = facts.time(clip.duration);
    const auto request =
        batch::request_for(planned, batch::extension_for(planned, clip), facts.output);
    ++totals.to_do;
    totals.duration += clip.duration;
    totals.time += estimate.time;
    totals.windows += estimate.windows;
    totals.disk_bytes += estimate.disk_bytes + clip.bytes;
    json own = {{"duration_s", clip.duration.count()},
                {"windows", estimate.windows},
                {"estimated_time_s", estimate.time.count()},
                {"estimated_disk_bytes", estimate.disk_bytes + clip.bytes}};
    own["planned_outputs"] = json::array();
    for (const auto& path :
         {request.mix, request.stems, request.timeline, report_path(request.mix)}) {
      if (!path.empty()) own["planned_outputs"].push_back(path.string());
    }
    item.facts_json = own.dump(-1, ' ', false, json::error_handler_t::replace);
  } catch (const std::exception& exception) {
    const batch::Fault fault = batch::fault_of(exception);
    item.status = "failed";
    item.exit_code = exit_code(fault.code);
    item.reason = fault.reason;
    item.message = fault.message;
    ++totals.failed;
  }
  return item;
}

std::string text_of(const std::vector<Summary::Item>& items, const PlanTotals& totals,
                    std::int64_t free_bytes) {
  std::string text;
  for (const auto& item : items) {
    text += item.status + std::string(10 - std::min<std::size_t>(9, item.status.size()), ' ') +
            printable(item.input);
    if (item.status == "failed") text += ": " + item.message;
    if (item.status == "planned") {
      const json facts = json::parse(item.facts_json);
      text += format("  %.3f s", facts.at("duration_s").get<double>()) + "  -> " +
              printable(facts.at("planned_outputs").at(0).get<std::string>());
    }
    text += "\n";
  }
  text += std::to_string(totals.to_do) + " to do, " + std::to_string(totals.done) + " done, " +
          std::to_string(totals.failed) + " cannot be made\n";
  text += format("%.0f s of picture", totals.duration.count());
  text += " in " + std::to_string(totals.windows) + " windows";
  text += format(", estimated %.0f s", std::ceil(totals.time.count()));
  text += format(" and %.0f MB of disk", std::ceil(static_cast<double>(totals.disk_bytes) / 1e6));
  text += format(" (%.0f MB are free)\n", std::floor(static_cast<double>(free_bytes) / 1e6));
  return text;
}

}  // namespace

std::string status_word(int exit_code) {
  if (exit_code == 0) return "ok";
  return exit_code == 7 || exit_code > 128 ? "cancelled" : "failed";
}

void BatchTotals::add(const Summary::Item& item) {
  ++(item.status == "ok"        ? ok_
     : item.status == "skipped" ? skipped_
     : item.status == "failed"  ? failed_
                                : not_run_);
}

std::string BatchTotals::json() const {
  return nlohmann::ordered_json{{"totals",
                                 {{"items", ok_ + skipped_ + failed_ + not_run_},
                                  {"ok", ok_},
                                  {"skipped", skipped_},
                                  {"failed", failed_},
                                  {"not_run", not_run_}}}}
      .dump();
}

std::string BatchTotals::text(const std::vector<Summary::Item>& items) const {
  std::string text;
  for (const auto& item : items) {
    if (item.status != "failed") continue;
    text += "failed  " + printable(item.input) + "  exit " + std::to_string(item.exit_code) + " (" +
            item.reason + "): " + item.message + "\n";
  }
  return text + std::to_string(ok_) + " made, " + std::to_string(skipped_) + " done before, " +
         std::to_string(failed_) + " failed, " + std::to_string(not_run_) + " not run\n";
}

void show_batch_plan(const Pipeline& pipeline, const std::vector<batch::PlannedItem>& planned,
                     const PlanFacts& facts, Context& context) {
  std::map<std::filesystem::path, batch::Record> known;
  if (const auto journal = batch::read_journal(facts.output.folder)) {
    for (const auto& record : journal->records) known.emplace(record.slot, record);
  }
  PlanTotals totals;
  auto& items = context.summary.items;
  for (const auto& one : planned) {
    const auto record = known.find(one.slot);
    const bool is_done =
        !one.item.fault && record != known.end() &&
        batch::is_done(record->second, batch::wanted_of(pipeline, one, facts.output),
                       facts.output.folder);
    if (!is_done) {
      items.push_back(planned_item(one, facts, totals));
      continue;
    }
    ++totals.done;
    items.push_back({.input = one.item.input.string(),
                     .status = "skipped",
                     .reason = "already_made",
                     .message = {},
                     .outputs = {},
                     .warnings = {},
                     .timings_s = {},
                     .facts_json = {}});
  }
  totals.time /= facts.jobs;
  const std::int64_t free_bytes = free_disk_bytes(facts.output.folder);
  context.summary.status = "planned";
  context.summary.facts_json = json{{"totals",
                                     {{"to_do", totals.to_do},
                                      {"done", totals.done},
                                      {"failed", totals.failed},
                                      {"duration_s", totals.duration.count()},
                                      {"windows", totals.windows},
                                      {"estimated_time_s", totals.time.count()},
                                      {"estimated_disk_bytes", totals.disk_bytes},
                                      {"free_disk_bytes", free_bytes}}}}
                                   .dump();
  context.exit_code = totals.failed > 0 ? 1 : 0;
  if (!context.wants_json) context.console.result(text_of(items, totals, free_bytes));
}

}  // namespace qingyin::cli
