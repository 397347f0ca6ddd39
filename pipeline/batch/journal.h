#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "pipeline/batch/file_mark.h"
#include "pipeline/batch/item.h"
#include "pipeline/batch/worker.h"

namespace qingyin::batch {

class Database;
class Statement;

enum class State { kPending, kLeased, kDone, kFailed };

/// "pending", "leased", "done", "failed".
std::string_view name_of(State state);

/// A result that a run wants.
struct Wanted {
  std::filesystem::path slot;   // names it in the journal: its path without extension
  std::filesystem::path input;  // absolute
  std::string settings;         // hash of everything but the input
  std::string mark;             // of the input
};

/// What the journal knows of a result.
struct Record {
  std::filesystem::path slot, input;
  std::string settings, mark;
  State state = State::kPending;
  bool owns = false;                // files under the final names are this batch's own
  int attempts = 0;                 // begun and never ended: the process died
  std::optional<Fault> fault = {};  // why it failed
  Seconds time{0};
  std::int64_t worker = 0;
  std::vector<MarkedFile> outputs = {};  // paths as seen from the output folder
};

/// The right to make one result, until it is given back or its worker is gone.
struct Lease {
  std::filesystem::path slot;
  std::int64_t token = 0;  // a later lease of the same slot has another
  bool owns = false;
  std::vector<MarkedFile> outputs = {};  // of an earlier result
};

struct JournalWorker {
  std::int64_t id = 0;
  WorkerIdentity identity;
  Seconds silent{0};
  bool is_alive = false;
};

/// The journal of one output folder: which results are wanted, leased, done, or failed and why.
/// Several processes may use it at once; every change is stored when the call returns. It never
/// says done of its own: `finish` is called after the files are stored under their final names.
/// All calls may overlap. Errors: kIo as `open_journal`.
class Journal {
 public:
  struct Options {
    Seconds silent_limit{120};  // a worker that shows no sign for so long has lost its leases
  };

  /// Opens or makes it, and registers this process as a worker.
  explicit Journal(const std::filesystem::path& folder, const Options& options);
  explicit Journal(const std::filesystem::path& folder) : Journal(folder, Options()) {}
  /// Gives back what is still leased.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Where a damaged journal was moved to, if one was found.
  const std::optional<std::filesystem::path>& damaged() const { return damaged_; }

  /// Enters what is wanted. A result stays done while input, settings and files are unchanged; it
  /// stays failed while input and settings are unchanged and the fault lies in them, unless
  /// `retries`.
  /// @throws Error  kUsage (reason "other_run") if another process works on one of them from
  ///                another input or with other settings; then nothing is entered
  void enter(const std::vector<Wanted>& wanted, bool retries);

  Record record(const std::filesystem::path& slot);
  /// Leases a pending result; none if it is not pending (any more).
  std::optional<Lease> claim(const std::filesystem::path& slot);
  /// Notes that files will appear under the final names, where there were none.
  void own(Lease& lease);
  /// The next three end a lease. False: it was lost meanwhile, and nothing was entered.
  bool finish(const Lease& lease, const std::vector<std::filesystem::path>& outputs,
              const std::string& key, Seconds time);
  bool fail(const Lease& lease, const Fault& fault);
  bool release(const Lease& lease);

  /// Shows a sign of life. False: others took this worker for dead and took over.
  bool beat();
  /// Makes what dead workers had leased pending again.
  void take_over();
  /// Gives back every lease of this worker.
  void release_all();
  std::vector<JournalWorker> workers();
  /// True if a process of another pid space works here too: its files cannot be told from
  /// leftovers.
  bool has_unseen_workers();

 private:
  void enlist();
  void take_over_locked();
  void enter_one(const Wanted& wanted, bool retries);
  void replace_outputs(const Lease& lease, const std::vector<std::filesystem::path>& outputs);
  Statement& bind_lease(Statement& statement, const Lease& lease) const;

  const std::filesystem::path folder_;
  const Options options_;
  std::recursive_mutex mutex_;
  std::optional<std::filesystem::path> damaged_;
  std::unique_ptr<Database> database_;
  std::int64_t worker_ = 0;
};

/// True if a record says done for what is wanted, and its files still look as they did.
bool is_done(const Record& record, const Wanted& wanted, const std::filesystem::path& folder);

/// What a journal says, without taking part; none if the folder has no journal.
struct JournalView {
  std::vector<Record> records;  // by slot
  std::vector<JournalWorker> workers;
};
std::optional<JournalView> read_journal(const std::filesystem::path& folder);

}  // namespace qingyin::batch
