#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/error.h"
#include "core/text.h"
#include "pipeline/batch/journal.h"

namespace qingyin::cli {
namespace {

using batch::State;

struct StatusOptions {
  std::filesystem::path folder;

  void declare(CLI::App& app) {
    app.add_option("folder", folder, "output folder of a batch")->required()->type_name("DIR");
  }
};

std::string word_for(State state) {
  switch (state) {
    case State::kDone:
      return "ok";
    case State::kFailed:
      return "failed";
    default:
      return std::string(name_of(state));
  }
}

Summary::Item item_of(const batch::Record& record, const std::filesystem::path& folder) {
  Summary::Item item;
  item.input = record.input.string();
  item.status = word_for(record.state);
  if (record.fault) {
    item.exit_code = exit_code(record.fault->code);
    item.reason = record.fault->reason;
    item.message = record.fault->message;
  }
  for (const auto& file : record.outputs) item.outputs.push_back((folder / file.path).string());
  if (record.state == State::kDone) item.timings_s["total"] = record.time.count();
  item.facts_json = nlohmann::json{{"worker", record.worker}, {"attempts", record.attempts}}.dump();
  return item;
}

std::string text_of(const batch::JournalView& view, const std::map<State, int>& counts) {
  std::string text;
  for (const auto& record : view.records) {
    if (record.state == State::kDone || record.state == State::kPending) continue;
    text += std::string(name_of(record.state)) + "  " + printable(record.input);
    if (record.fault) text += " (" + record.fault->reason + "): " + record.fault->message;
    text += "\n";
  }
  for (const auto& worker : view.workers) {
    text += "process " + std::to_string(worker.identity.pid) +
            (worker.is_alive ? " works on it" : " is gone; its items are free again") + "\n";
  }
  const auto count = [&](State state) {
    const auto found = counts.find(state);
    return std::to_string(found == counts.end() ? 0 : found->second);
  };
  return text + count(State::kDone) + " done, " + count(State::kFailed) + " failed, " +
         count(State::kLeased) + " under way, " + count(State::kPending) + " to do\n";
}

void status(const StatusOptions& options, Context& context) {
  const auto view = batch::read_journal(options.folder);
  if (!view) {
    throw Error(ErrorCode::kInvalidInput,
                printable(options.folder) +
                    ": there is no journal of a batch; give the folder that was given with -o",
                "no_journal");
  }
  std::map<State, int> counts;
  for (const auto& record : view->records) {
    ++counts[record.state];
    context.summary.items.push_back(item_of(record, options.folder));
  }
  nlohmann::ordered_json facts;
  for (const State state : {State::kDone, State::kFailed, State::kLeased, State::kPending}) {
    facts["totals"][std::string(name_of(state))] = counts[state];
  }
  facts["workers"] = nlohmann::ordered_json::array();
  for (const auto& worker : view->workers) {
    facts["workers"].push_back({{"id", worker.id},
                                {"pid", worker.identity.pid},
                                {"is_alive", worker.is_alive},
                                {"silent_s", worker.silent.count()}});
  }
  context.summary.status = "ok";
  context.summary.facts_json = facts.dump();
  if (!context.wants_json) context.console.result(text_of(*view, counts));
}

}  // namespace

Command status_command() {
  return make_command("status", "Say how far a batch is: done, failed and why, under way.",
                      "  qingyin status out/\n  qingyin status out/ --json", status);
}

}  // namespace qingyin::cli
