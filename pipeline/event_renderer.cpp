#include "pipeline/event_renderer.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace qingyin {

EventRenderer::EventRenderer(const AudioGenerator& engine, std::vector<SoundEvent> events,
                             const Config& config)
    : engine_(engine),
      events_(std::move(events)),
      config_(config),
      ahead_(static_cast<std::size_t>(2 * std::max(1, config.threads) + 2)) {
  if (config_.threads <= 1 || events_.size() < 2) return;
  const auto count = std::min(static_cast<std::size_t>(config_.threads), events_.size());
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

EventRenderer::~EventRenderer() {
  is_stopped_ = true;
  { const std::lock_guard lock(mutex_); }
  room_.notify_all();
  for (auto& thread : threads_) thread.join();
}

EventSound EventRenderer::next(const Progress& progress) {
  tell(progress);
  Result result;
  if (threads_.empty()) {
    result = render(events_[next_], [&](std::string_view, double) {
      tell(progress);
      return true;
    });
  } else {
    std::unique_lock lock(mutex_);
    while (!finished_.contains(next_)) {
      news_.wait_for(lock, std::chrono::milliseconds(100));
      lock.unlock();
      tell(progress);
      lock.lock();
    }
    result = std::move(finished_.extract(next_).mapped());
  }
  {
    const std::lock_guard lock(mutex_);
    ++next_;
  }
  room_.notify_all();
  if (auto* fault = std::get_if<std::exception_ptr>(&result)) std::rethrow_exception(*fault);
  return std::move(std::get<EventSound>(result));
}

void EventRenderer::tell(const Progress& progress) const {
  const auto total = std::max<std::size_t>(1, events_.size());
  report(progress, "event " + std::to_string(next_ + 1) + "/" + std::to_string(total),
         static_cast<double>(next_) / static_cast<double>(total));
}

EventRenderer::Result EventRenderer::render(const SoundEvent& event,
                                            const Progress& progress) const {
  try {
    return engine_.render(event, config_.settings, progress);
  } catch (...) {
    return std::current_exception();
  }
}

void EventRenderer::work() {
  const Progress watch = [this](std::string_view, double) { return !is_stopped_; };
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [&] {
      return is_stopped_ || started_ == events_.size() || started_ < next_ + ahead_;
    });
    if (is_stopped_ || started_ == events_.size()) return;
    const std::size_t mine = started_++;
    lock.unlock();
    Result result = render(events_[mine], watch);
    lock.lock();
    finished_.emplace(mine, std::move(result));
    news_.notify_all();
  }
}

}  // namespace qingyin
