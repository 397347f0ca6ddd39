#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/audio_buffer.h"
#include "core/events.h"
#include "core/progress.h"

namespace qingyin {

/// Renders events on its own threads, a bounded number ahead of who asks, and hands the sounds out
/// in the order of the events. The number of threads never changes a sample.
class EventRenderer {
 public:
  struct Config {
    RenderSettings settings;
    int threads = 1;  // 1: in the caller's own thread
  };

  /// `engine` must outlive this object.
  EventRenderer(const AudioGenerator& engine, std::vector<SoundEvent> events, const Config& config);
  /// Stops what is under way.
  ~EventRenderer();
  EventRenderer(const EventRenderer&) = delete;
  EventRenderer& operator=(const EventRenderer&) = delete;

  bool is_done() const { return next_ == events_.size(); }
  /// The event whose sound `next` returns.
  const SoundEvent& upcoming() const { return events_[next_]; }
  /// The sound of `upcoming()`; moves on. Asks `progress` while it waits.
  /// @throws Error  what the engine threw; kCancelled
  EventSound next(const Progress& progress);

 private:
  using Result = std::variant<EventSound, std::exception_ptr>;

  void work();
  Result render(const SoundEvent& event, const Progress& progress) const;
  void tell(const Progress& progress) const;

  const AudioGenerator& engine_;
  const std::vector<SoundEvent> events_;
  const Config config_;
  const std::size_t ahead_;  // events rendered before they are asked for
  std::size_t next_ = 0;     // first event not handed out; written under mutex_
  std::size_t started_ = 0;
  std::map<std::size_t, Result> finished_;
  std::atomic<bool> is_stopped_{false};
  std::mutex mutex_;
  std::condition_variable room_, news_;
  std::vector<std::thread> threads_;
};

}  // namespace qingyin
