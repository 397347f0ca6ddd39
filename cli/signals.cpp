#include "cli/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "core/atomic_file.h"

namespace qingyin::cli {
namespace {

std::atomic<int> g_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_stop_signal(int number) {
  int none = 0;
  if (g_signal.compare_exchange_strong(none, number)) return;
  remove_live_temporaries();
  _exit(128 + number);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
  sigaction(SIGXFSZ, &action, nullptr);
}

std::optional<int> stop_signal() {
  const int number = g_signal.load(std::memory_order_relaxed);
  if (number == 0) return {};
  return number;
}

}  // namespace qingyin::cli
