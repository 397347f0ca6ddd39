#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/hub/http.h"
#include "models/hub/hub_cache.h"
#include "models/hub/known_models.h"

namespace qingyin {

/// Where and how models are fetched.
struct PullSettings {
  std::string endpoint = "https://huggingface.co";
  std::string token;
  bool is_offline = false;
  int tries = 6;            // of one file, as long as each brings something new
  double first_wait_s = 1;  // before the second try; doubled each time, at most 30 s
  double stall_s = 60;      // without a byte
  std::string revision = "main";
};

/// The settings that the environment gives: HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE.
PullSettings settings_from_environment();

/// How far a pull has come.
struct PullProgress {
  std::string_view file;
  std::uint64_t done_bytes, total_bytes;  // of this file; total 0: not known
  std::size_t number, count;              // of files
};

/// Called often; false stops the download, which a later pull goes on with.
using PullWatcher = std::function<bool(const PullProgress&)>;

/// Fetches every file of a model that is not in the cache yet: resumed where an earlier pull
/// stopped, tried again when the connection drops, checked against the hub's digest and the
/// table's before it gets its name. Two processes that pull one file wait for one another.
/// @returns the files that were fetched, by their path in the repository
/// @throws Error  kModelMissing: no network, not found, not allowed (reason "offline", "not_found",
///                "unauthorized"); kBadCheckpoint: other bytes than expected; kIo; kCancelled
std::vector<std::string> pull(const KnownModel& model, const HubCache& cache,
                              const PullSettings& settings, const PullWatcher& watcher = {});

}  // namespace qingyin
