#include "pipeline/batch/runner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"
#include "pipeline/batch/heartbeat.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
using Lock = std::unique_lock<std::mutex>;

// A fault that meets every item, so that going on would only fail them all.
bool ends_the_batch(const Fault& fault) { return fault.reason == "disk_full"; }

// Files of an earlier result that the new one does not replace, if nobody changed them since.
void remove_stale(const fs::path& folder, const std::vector<MarkedFile>& before,
                  const std::vector<fs::path>& now) {
  for (const auto& [path, mark] : before) {
    if (std::find(now.begin(), now.end(), path) != now.end()) continue;
    std::error_code error;
    if (mark_of(folder / path) == mark) fs::remove(folder / path, error);
  }
}

std::optional<ItemResult> ended(const Record& record, const char* note_if_done,
                                const char* note_if_failed) {
  ItemResult result;
  if (record.state == State::kDone) {
    result.status = ItemStatus::kSkipped;
    result.note = note_if_done;
    for (const auto& file : record.outputs) result.outputs.push_back(file.path);
    return result;
  }
  if (record.state != State::kFailed) return {};
  result.status = ItemStatus::kFailed;
  result.note = note_if_failed;
  result.fault = record.fault;
  return result;
}

class BatchRun {
 public:
  BatchRun(const Pipeline& pipeline, const std::vector<PlannedItem>& planned,
           const RunOptions& options, Journal& journal, BatchWatcher& watcher)
      : pipeline_(pipeline),
        planned_(planned),
        options_(options),
        journal_(journal),
        watcher_(watcher),
        results_(planned.size()) {}

  BatchResult run() {
    enter();
    Heartbeat heartbeat(journal_, [this] {
      stop({ErrorCode::kCancelled, "lost",
            "this process showed no sign of life for too long, and others took its work over; run "
            "the command again"});
    });
    std::vector<std::thread> threads;
    {
      const Lock lock(mutex_);
      running_ = std::min<std::size_t>(static_cast<std::size_t>(std::max(1, options_.jobs)),
                                       std::max<std::size_t>(1, open_.size()));
      for (std::size_t i = 0; i < running_; ++i) threads.emplace_back([this] { work(); });
    }
    wait();
    for (auto& thread : threads) thread.join();
    if (!stop_ && watcher_.is_stopped()) stop_ = stopped_fault();
    return {std::move(results_), std::move(stop_)};
  }

 private:
  struct Task {
    std::size_t index;
    Lease lease;
  };

  static Fault stopped_fault() {
    return {ErrorCode::kCancelled, "stopped", "stopped by request; run the command again to go on"};
  }

  // What is known of every item before the work begins.
  void enter() {
    std::vector<Wanted> wanted;
    for (const auto& planned : planned_) {
      if (!planned.item.fault) wanted.push_back(wanted_of(pipeline_, planned, options_.output));
    }
    journal_.enter(wanted, options_.retries_failed);
    std::vector<std::pair<int, std::size_t>> order;
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      if (const auto& fault = planned_[i].item.fault) {
        end_item(i, {.status = ItemStatus::kFailed, .fault = fault});
        count_failure();
        continue;
      }
      const Record record = journal_.record(planned_[i].slot);
      if (auto known = ended(record, "already_made", "failed_before")) {
        end_item(i, std::move(*known));
      } else {
        order.emplace_back(record.attempts, i);
      }
    }
    // What a process died of before comes last: it cannot keep the others from being made.
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [attempts, index] : order) open_.push_back(index);
  }

  bool is_over() const { return is_stopped_ || watcher_.is_stopped(); }

  void stop(Fault fault) {
    const Lock lock(mutex_);
    stop_locked(std::move(fault));
  }

  void stop_locked(Fault fault) {
    if (!stop_) stop_ = std::move(fault);
    is_stopped_ = true;
    changed_.notify_all();
  }

  // For the threads to end; not for ever once a stop was asked for.
  void wait() {
    Lock lock(mutex_);
    std::optional<Clock::time_point> stopped;
    while (running_ > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(200));
      if (!watcher_.is_stopped()) continue;
      if (!stopped) stopped = Clock::now();
      if (Clock::now() - *stopped < options_.stop_limit || !options_.on_stuck) continue;
      lock.unlock();
      journal_.release_all();
      options_.on_stuck();
      lock.lock();
    }
  }

  void work() {
    try {
      while (auto task = take()) process(*task);
    } catch (const std::exception& exception) {
      stop(fault_of(exception));
    }
    const Lock lock(mutex_);
    --running_;
    changed_.notify_all();
  }

  // The next item for this thread; none when all have ended, here or elsewhere.
  std::optional<Task> take() {
    Lock lock(mutex_);
    while (!is_over()) {
      for (auto at = open_.begin(); at != open_.end();) {
        const std::size_t index = *at;
        const fs::path& slot = planned_[index].slot;
        if (auto lease = journal_.claim(slot)) {
          open_.erase(at);
          return Task{index, std::move(*lease)};
        }
        auto result = ended(journal_.record(slot), "made_elsewhere", "failed_elsewhere");
        if (result) end_item(index, std::move(*result));
        at = result ? open_.erase(at) : std::next(at);
      }
      if (open_.empty()) return {};
      changed_.wait_for(lock, std::chrono::milliseconds(300));
      journal_.take_over();
    }
    return {};
  }

  void process(Task& task) {
    watcher_.begun(task.index);
    const ItemWork work{
        .planned = planned_[task.index],
        .output = options_.output,
        .threads = options_.threads,
        .may_replace = options_.overwrites || task.lease.owns,
        .before_writing =
            [&] {
              if (!task.lease.owns) journal_.own(task.lease);
            },
        .on_opened = [&](const ClipInfo& clip) { watcher_.opened(task.index, clip); }};
    const auto outcome = process_item(pipeline_, work, [&](std::string_view step, double fraction) {
      if (is_over()) return false;
      watcher_.progress(task.index, step, fraction);
      return true;
    });
    if (outcome.fault) {
      take_fault(task, *outcome.fault);
    } else {
      take_files(task, outcome);
    }
  }

  void take_files(const Task& task, const ItemOutcome& outcome) {
    remove_stale(options_.output.folder, task.lease.outputs, outcome.outputs);
    Seconds time(0);
    for (const auto& [stage, spent] : outcome.timings) time += spent;
    const bool is_ours = journal_.finish(task.lease, outcome.outputs, outcome.key, time);
    const bool is_new = is_ours && !outcome.was_already_made;
    const Lock lock(mutex_);
    end_item(task.index, {.status = is_new ? ItemStatus::kDone : ItemStatus::kSkipped,
                          .note = is_new ? "" : (is_ours ? "already_made" : "made_elsewhere"),
                          .outputs = outcome.outputs,
                          .warnings = outcome.warnings,
                          .timings = outcome.timings});
  }

  void take_fault(const Task& task, const Fault& fault) {
    if (fault.code == ErrorCode::kCancelled) {
      journal_.release(task.lease);
      return;
    }
    const Lock lock(mutex_);
    end_item(task.index, {.status = ItemStatus::kFailed, .fault = fault});
    if (ends_the_batch(fault)) {
      stop_locked(fault);
      journal_.release(task.lease);
      return;
    }
    journal_.fail(task.lease, fault);
    count_failure();
  }

  void count_failure() {
    ++failures_;
    if (options_.stops_at_first) {
      stop_locked({ErrorCode::kCancelled, "fail_fast", "stopped at the first failure"});
    } else if (options_.max_failures && failures_ >= *options_.max_failures) {
      stop_locked({ErrorCode::kCancelled, "max_failures",
                   "stopped after " + std::to_string(failures_) + " failures"});
    }
  }

  void end_item(std::size_t index, ItemResult result) {
    results_[index] = std::move(result);
    watcher_.finished(index, results_[index]);
  }

  const Pipeline& pipeline_;
  const std::vector<PlannedItem>& planned_;
  const RunOptions& options_;
  Journal& journal_;
  BatchWatcher& watcher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ItemResult> results_;
  std::list<std::size_t> open_;  // not ended, and not under way in this process
  std::size_t running_ = 0;
  int failures_ = 0;
  std::optional<Fault> stop_;
  std::atomic<bool> is_stopped_{false};
};

}  // namespace

Wanted wanted_of(const Pipeline& pipeline, const PlannedItem& planned, const OutputChoice& output) {
  const auto& options = planned.item.options;
  auto request = request_for(planned, planned.extension.empty() ? ".*" : planned.extension, output);
  return {.slot = planned.slot,
          .input = fs::absolute(planned.item.input).lexically_normal(),
          .settings = pipeline.settings_key(options.wishes, options.sound, request),
          .mark = mark_of(planned.item.input)};
}

BatchResult run_batch(const Pipeline& pipeline, const std::vector<PlannedItem>& planned,
                      const RunOptions& options, Journal& journal, BatchWatcher& watcher) {
  return BatchRun(pipeline, planned, options, journal, watcher).run();
}

}  // namespace qingyin::batch
