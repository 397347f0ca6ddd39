#include "pipeline/batch/heartbeat.h"

#include <chrono>
#include <utility>

#include "core/error.h"

namespace qingyin::batch {

Heartbeat::Heartbeat(Journal& journal, std::function<void()> on_lost)
    : journal_(journal), on_lost_(std::move(on_lost)), thread_([this] { run(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_ended_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void Heartbeat::run() {
  constexpr std::chrono::seconds kInterval(5);
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_.wait_for(lock, kInterval, [this] { return is_ended_; })) {
    try {
      if (journal_.beat()) continue;
      on_lost_();
      return;
    } catch (const Error&) {
      // The journal's users meet the same fault, and say it.
    }
  }
}

}  // namespace qingyin::batch
