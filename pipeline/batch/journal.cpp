#include "pipeline/batch/journal.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "pipeline/batch/journal_file.h"
#include "pipeline/batch/journal_rows.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

// The same input with the same settings would end the same way again.
bool is_lasting(const Record& record) {
  return record.fault && (record.fault->code == ErrorCode::kUsage ||
                          record.fault->code == ErrorCode::kInvalidInput);
}

bool has_same_settings(const Record& record, const Wanted& wanted) {
  return record.settings == wanted.settings && record.input == wanted.input;
}

std::vector<MarkedFile> below(const fs::path& folder, std::vector<MarkedFile> files) {
  for (auto& file : files) file.path = folder / file.path;
  return files;
}

// A file that somebody changed is not the batch's any more; one that is gone may be made again.
bool still_owns(const Record& record, const fs::path& folder) {
  const auto files = below(folder, record.outputs);
  return record.owns && std::all_of(files.begin(), files.end(), [](const MarkedFile& file) {
           const std::string mark = mark_of(file.path);
           return mark == file.mark || mark == "missing";
         });
}

[[noreturn]] void refuse_other_run(const Wanted& wanted) {
  throw Error(ErrorCode::kUsage,
              "another process works in this output folder, and makes " + printable(wanted.slot) +
                  " from another input or with other settings; wait for it, give the same "
                  "settings, or choose another folder",
              "other_run");
}

}  // namespace

Journal::Journal(const fs::path& folder, const Options& options)
    : folder_(folder), options_(options) {
  auto opened = open_journal(folder);
  database_ = std::move(opened.database);
  damaged_ = std::move(opened.damaged);
  enlist();
}

Journal::~Journal() {
  try {
    release_all();
    Statement(*database_, "DELETE FROM workers WHERE id = ?").bind(worker_).finish();
  } catch (const Error&) {
    // The next run sees that this process is gone.
  }
}

void Journal::enlist() {
  const WorkerIdentity self = this_process();
  Transaction transaction(*database_);
  Statement(*database_,
            "INSERT INTO workers(boot_id, pid_space, pid, start_ticks, heartbeat_s) "
            "VALUES(?, ?, ?, ?, ?)")
      .bind(self.boot_id)
      .bind(self.pid_space)
      .bind(self.pid)
      .bind(self.start_ticks)
      .bind(shared_clock_s())
      .finish();
  worker_ = database_->last_id();
  take_over_locked();
  transaction.commit();
}

void Journal::take_over_locked() {
  for (const auto& worker : all_workers(*database_, options_.silent_limit)) {
    if (worker.is_alive || worker.id == worker_) continue;
    Statement(*database_, "UPDATE items SET state = 'pending', worker = NULL WHERE worker = ?")
        .bind(worker.id)
        .finish();
    Statement(*database_, "DELETE FROM workers WHERE id = ?").bind(worker.id).finish();
  }
  // Claimed by one that had been taken for dead.
  database_->run(
      "UPDATE items SET state = 'pending', worker = NULL WHERE state = 'leased'"
      " AND worker NOT IN (SELECT id FROM workers)");
}

void Journal::take_over() {
  const Lock lock(mutex_);
  const auto workers = all_workers(*database_, options_.silent_limit);
  const bool has_dead = std::any_of(workers.begin(), workers.end(), [&](const auto& worker) {
    return !worker.is_alive && worker.id != worker_;
  });
  if (!has_dead) return;
  Transaction transaction(*database_);
  take_over_locked();
  transaction.commit();
}

std::vector<JournalWorker> Journal::workers() {
  const Lock lock(mutex_);
  return all_workers(*database_, options_.silent_limit);
}

bool Journal::has_unseen_workers() {
  const auto all = workers();
  return std::any_of(all.begin(), all.end(), [](const JournalWorker& worker) {
    return worker.is_alive && life_of(worker.identity) == Life::kUnseen;
  });
}

void Journal::enter(const std::vector<Wanted>& wanted, bool retries) {
  const Lock lock(mutex_);
  Transaction transaction(*database_);
  for (const auto& one : wanted) enter_one(one, retries);
  transaction.commit();
}

void Journal::enter_one(const Wanted& wanted, bool retries) {
  const auto known = find_record(*database_, wanted.slot);
  if (!known) {
    Statement(*database_,
              "INSERT INTO items(slot, input, settings, mark, state) VALUES(?, ?, ?, ?, 'pending')")
        .bind_path(wanted.slot)
        .bind_path(wanted.input)
        .bind(wanted.settings)
        .bind(wanted.mark)
        .finish();
    return;
  }
  const bool has_settings = has_same_settings(*known, wanted);
  const bool is_same = has_settings && known->mark == wanted.mark;
  bool owns = known->owns;
  switch (known->state) {
    case State::kLeased:
      if (!has_settings) refuse_other_run(wanted);
      return;
    case State::kDone:
      if (is_done(*known, wanted, folder_)) return;
      owns = still_owns(*known, folder_);
      break;
    case State::kFailed:
      if (is_same && is_lasting(*known) && !retries) return;
      break;
    case State::kPending:
      if (!has_settings && workers().size() > 1) refuse_other_run(wanted);
      if (is_same) return;
      break;
  }
  Statement(*database_,
            "UPDATE items SET input = ?, settings = ?, mark = ?, state = 'pending', owns = ?,"
            " attempts = 0, code = NULL, reason = NULL, message = NULL WHERE slot = ?")
      .bind_path(wanted.input)
      .bind(wanted.settings)
      .bind(wanted.mark)
      .bind(std::int64_t{owns})
      .bind_path(wanted.slot)
      .finish();
}

Record Journal::record(const fs::path& slot) {
  const Lock lock(mutex_);
  return find_record(*database_, slot).value_or(Record{});
}

std::optional<Lease> Journal::claim(const fs::path& slot) {
  const Lock lock(mutex_);
  {
    Statement state(*database_, "SELECT 1 FROM items WHERE slot = ? AND state = 'pending'");
    if (!state.bind_path(slot).step()) return {};
  }
  Transaction transaction(*database_);
  Lease lease{.slot = slot};
  {
    Statement row(*database_,
                  "UPDATE items SET state = 'leased', worker = ?, token = token + 1,"
                  " attempts = attempts + 1 WHERE slot = ? AND state = 'pending' "
                  "RETURNING token, owns");
    if (!row.bind(worker_).bind_path(slot).step()) return {};
    lease.token = row.integer(0);
    lease.owns = row.integer(1) != 0;
    row.finish();
  }
  lease.outputs = find_record(*database_, slot)->outputs;
  transaction.commit();
  return lease;
}

Statement& Journal::bind_lease(Statement& statement, const Lease& lease) const {
  return statement.bind_path(lease.slot).bind(lease.token).bind(worker_);
}

void Journal::own(Lease& lease) {
  const Lock lock(mutex_);
  Statement row(*database_,
                "UPDATE items SET owns = 1 WHERE slot = ? AND token = ? AND worker = ?");
  bind_lease(row, lease).finish();
  lease.owns = true;
}

bool Journal::finish(const Lease& lease, const std::vector<fs::path>& outputs,
                     const std::string& key, Seconds time) {
  const Lock lock(mutex_);
  Transaction transaction(*database_);
  Statement row(*database_,
                "UPDATE items SET state = 'done', owns = 1, attempts = 0, worker = NULL,"
                " code = NULL, reason = NULL, message = NULL, key = ?, seconds = ?"
                " WHERE slot = ? AND token = ? AND worker = ? AND state = 'leased'");
  row.bind(key).bind(time.count());
  bind_lease(row, lease).finish();
  if (database_->changes() == 0) return false;
  replace_outputs(lease, outputs);
  transaction.commit();
  return true;
}

void Journal::replace_outputs(const Lease& lease, const std::vector<fs::path>& outputs) {
  Statement(*database_, "DELETE FROM outputs WHERE slot = ?").bind_path(lease.slot).finish();
  for (const auto& path : outputs) {
    Statement(*database_, "INSERT INTO outputs(slot, path, mark) VALUES(?, ?, ?)")
        .bind_path(lease.slot)
        .bind_path(path)
        .bind(mark_of(folder_ / path))
        .finish();
  }
}

bool Journal::fail(const Lease& lease, const Fault& fault) {
  const Lock lock(mutex_);
  Statement row(*database_,
                "UPDATE items SET state = 'failed', attempts = 0, worker = NULL, code = ?,"
                " reason = ?, message = ?"
                " WHERE slot = ? AND token = ? AND worker = ? AND state = 'leased'");
  row.bind(qingyin::name_of(fault.code)).bind(fault.reason).bind(fault.message);
  bind_lease(row, lease).finish();
  return database_->changes() > 0;
}

bool Journal::release(const Lease& lease) {
  const Lock lock(mutex_);
  Statement row(*database_,
                "UPDATE items SET state = 'pending', worker = NULL, attempts = 0"
                " WHERE slot = ? AND token = ? AND worker = ? AND state = 'leased'");
  bind_lease(row, lease).finish();
  return database_->changes() > 0;
}

void Journal::release_all() {
  const Lock lock(mutex_);
  Statement(*database_,
            "UPDATE items SET state = 'pending', worker = NULL, attempts = 0 WHERE worker = ?")
      .bind(worker_)
      .finish();
}

bool Journal::beat() {
  const Lock lock(mutex_);
  Statement(*database_, "UPDATE workers SET heartbeat_s = ? WHERE id = ?")
      .bind(shared_clock_s())
      .bind(worker_)
      .finish();
  return database_->changes() > 0;
}

bool is_done(const Record& record, const Wanted& wanted, const fs::path& folder) {
  return record.state == State::kDone && has_same_settings(record, wanted) &&
         record.mark == wanted.mark && are_unchanged(below(folder, record.outputs));
}

std::optional<JournalView> read_journal(const fs::path& folder) {
  const auto database = look_at_journal(folder);
  if (!database) return {};
  return JournalView{all_records(*database),
                     all_workers(*database, Journal::Options().silent_limit)};
}

}  // namespace qingyin::batch
