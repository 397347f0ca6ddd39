#include "pipeline/batch/journal_rows.h"

#include <string>
#include <utility>

namespace qingyin::batch {
namespace {

constexpr const char* kColumns =
    "SELECT slot, input, settings, mark, state, owns, attempts, code, reason, message, seconds,"
    " worker FROM items";

State state_of(const std::string& name) {
  if (name == "done") return State::kDone;
  if (name == "failed") return State::kFailed;
  return name == "leased" ? State::kLeased : State::kPending;
}

ErrorCode code_named(const std::string& name) {
  for (const auto code :
       {ErrorCode::kUsage, ErrorCode::kInvalidInput, ErrorCode::kModelMissing,
        ErrorCode::kBadCheckpoint, ErrorCode::kDevice, ErrorCode::kIo, ErrorCode::kCancelled}) {
    if (name == qingyin::name_of(code)) return code;
  }
  return ErrorCode::kInternal;
}

Record record_at(const Statement& row) {
  Record record;
  record.slot = row.text(0);
  record.input = row.text(1);
  record.settings = row.text(2);
  record.mark = row.text(3);
  record.state = state_of(row.text(4));
  record.owns = row.integer(5) != 0;
  record.attempts = static_cast<int>(row.integer(6));
  if (!row.is_null(7)) record.fault = Fault{code_named(row.text(7)), row.text(8), row.text(9)};
  record.time = Seconds(row.number(10));
  record.worker = row.integer(11);
  return record;
}

void add_outputs(Database& database, Record& record) {
  Statement rows(database, "SELECT path, mark FROM outputs WHERE slot = ? ORDER BY path");
  rows.bind_path(record.slot);
  while (rows.step()) record.outputs.push_back({rows.text(0), rows.text(1)});
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::kPending:
      return "pending";
    case State::kLeased:
      return "leased";
    case State::kDone:
      return "done";
    case State::kFailed:
      break;
  }
  return "failed";
}

std::optional<Record> find_record(Database& database, const std::filesystem::path& slot) {
  Statement row(database, (std::string(kColumns) + " WHERE slot = ?").c_str());
  row.bind_path(slot);
  if (!row.step()) return {};
  Record record = record_at(row);
  add_outputs(database, record);
  return record;
}

std::vector<Record> all_records(Database& database) {
  std::vector<Record> records;
  Statement rows(database, (std::string(kColumns) + " ORDER BY slot").c_str());
  while (rows.step()) records.push_back(record_at(rows));
  for (auto& record : records) add_outputs(database, record);
  return records;
}

std::vector<JournalWorker> all_workers(Database& database, Seconds silent_limit) {
  std::vector<JournalWorker> workers;
  Statement rows(database,
                 "SELECT id, boot_id, pid_space, pid, start_ticks, heartbeat_s FROM workers "
                 "ORDER BY id");
  while (rows.step()) {
    JournalWorker worker{
        .id = rows.integer(0),
        .identity = {rows.text(1), rows.text(2), rows.integer(3), rows.integer(4)}};
    worker.silent = Seconds(shared_clock_s() - rows.number(5));
    worker.is_alive = life_of(worker.identity) != Life::kGone && worker.silent < silent_limit;
    workers.push_back(std::move(worker));
  }
  return workers;
}

}  // namespace qingyin::batch
