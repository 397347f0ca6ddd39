#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "pipeline/batch/journal.h"

namespace qingyin::batch {

/// Shows a sign of life in the journal every few seconds, on a thread of its own.
class Heartbeat {
 public:
  /// @param on_lost  called once, from that thread, if others took this worker for dead
  Heartbeat(Journal& journal, std::function<void()> on_lost);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void run();

  Journal& journal_;
  std::function<void()> on_lost_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;
  std::thread thread_;
};

}  // namespace qingyin::batch
