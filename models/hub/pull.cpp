#include "models/hub/pull.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>

#include "core/error.h"
#include "core/text.h"
#include "models/hub/model_store.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kListLimit = 16 << 20;  // bytes of a repository's file list
constexpr int kRedirects = 5;
constexpr double kLongestWait = 30;

/// One file as the hub describes it.
struct RemoteFile {
  std::string commit, digest;  // digest: what the hub names its blob by
  std::uint64_t bytes = 0;     // 0: not said
};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == url.npos) return {};
  return url.substr(0, url.find('/', begin + 3));
}

std::string value_of(const HttpAnswer& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "" : found->second;
}

std::string without_quotes(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  std::erase(etag, '"');
  return etag;
}

std::uint64_t number_of(const std::string& text) {
  return text.empty() || text.find_first_not_of("0123456789") != text.npos || text.size() > 18
             ? 0
             : std::stoull(text);
}

/// Held while a blob is written, so that a second process waits for the first.
class FileLock {
 public:
  explicit FileLock(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0 || ::flock(file_, LOCK_EX) != 0) {
      const int code = errno;
      if (file_ >= 0) ::close(file_);
      throw Error(ErrorCode::kIo,
                  printable(path) + ": cannot be locked: " + std::generic_category().message(code) +
                      "; name another folder in HF_HUB_CACHE");
    }
  }
  ~FileLock() { ::close(file_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_ = -1;
};

[[noreturn]] void refuse_status(int status, const std::string& what, const PullSettings& settings) {
  if (status == 401 || status == 403)
    throw Error(ErrorCode::kModelMissing,
                what + ": the hub answers " + std::to_string(status) +
                    (settings.token.empty()
                         ? "; it wants a token: open the model's page, accept its terms there, and "
                           "set HF_TOKEN"
                         : "; the token in HF_TOKEN is not allowed to read it: open the model's "
                           "page and accept its terms there"),
                "unauthorized");
  if (status == 404)
    throw Error(ErrorCode::kModelMissing,
                what + ": is not on the hub at " + settings.endpoint +
                    " (404); is HF_ENDPOINT right? Files from elsewhere are taken by: qingyin "
                    "models import",
                "not_found");
  throw Error(ErrorCode::kModelMissing,
              what + ": the hub answers " + std::to_string(status) + "; try again later",
              "hub_error");
}

/// A file's way from the hub into the cache.
class Puller {
 public:
  Puller(const HubCache& cache, const PullSettings& settings, const PullWatcher& watcher)
      : cache_(cache), settings_(settings), watcher_(watcher), client_(http_settings(settings)) {}

  void set_place(std::size_t number, std::size_t count) {
    number_ = number;
    count_ = count;
  }

  /// Whether something had to be fetched.
  bool fetch(const KnownFile& file) {
    check_hub_path(file.path);
    const std::string what = std::string(file.repo) + "/" + std::string(file.path);
    const RemoteFile remote = describe(file, what);
    const FileLock lock(cache_.lock_file(file.repo, remote.digest));
    const fs::path blob = cache_.blob(file.repo, remote.digest);
    const bool is_there = fs::is_regular_file(blob);
    if (!is_there) bring(file, what, remote, blob);
    cache_.link(file.repo, remote.commit, file.path, remote.digest);
    cache_.write_ref(file.repo, settings_.revision, remote.commit);
    return !is_there;
  }

  /// The files of a repository at the wanted revision that lie below the prefixes.
  std::vector<std::string> list(const KnownFolder& folder) {
    const std::string url = settings_.endpoint + "/api/models/" + std::string(folder.repo) +
                            "/revision/" + settings_.revision;
    HttpAnswer answer;
    const std::string text = again_and_again(std::string(folder.repo), [&] {
      std::string body = client_.get(url, kListLimit, answer);
      retry_if_busy(answer);
      return body;
    });
    if (answer.status != 200) refuse_status(answer.status, std::string(folder.repo), settings_);
    std::vector<std::string> files;
    try {
      const auto root = nlohmann::json::parse(text);
      for (const auto& entry : root.at("siblings")) {
        const std::string path = entry.at("rfilename").get<std::string>();
        if (std::ranges::any_of(folder.prefixes,
                                [&](std::string_view prefix) { return path.starts_with(prefix); }))
          files.push_back(path);
      }
    } catch (const nlohmann::json::exception& e) {
      throw Error(
          ErrorCode::kBadCheckpoint,
          url + ": is not a list of files: " + excerpt(e.what(), 120) + "; is HF_ENDPOINT a hub?");
    }
    require(!files.empty(), ErrorCode::kModelMissing,
            std::string(folder.repo) + ": the hub lists none of the files that are wanted");
    return files;
  }

 private:
  /// Runs a request until it gets through, waiting longer each time.
  template <class Action>
  std::invoke_result_t<Action> again_and_again(const std::string& what, const Action& action) {
    double wait = settings_.first_wait_s;
    for (int left = settings_.tries;; --left) {
      try {
        return action();
      } catch (const HttpDropped& drop) {
        if (left <= 1)
          throw Error(ErrorCode::kModelMissing,
                      what + ": " + drop.reason + " (" + settings_.endpoint +
                          "); check the network, then run the same command: it goes on",
                      "network");
      }
      pause(wait, what);
      wait = std::min(2 * wait, kLongestWait);
    }
  }

  /// Waits, and notices a wish to stop meanwhile.
  void pause(double seconds, const std::string& what) const {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end) {
      if (!watch(what, 0, 0))
        throw Error(ErrorCode::kCancelled, what + ": the download was stopped");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  bool watch(const std::string& what, std::uint64_t done, std::uint64_t total) const {
    return !watcher_ || watcher_({what, done, total, number_, count_});
  }

  static void retry_if_busy(const HttpAnswer& answer) {
    if (answer.status == 429 || answer.status >= 500)
      throw HttpDropped{"the hub answers " + std::to_string(answer.status)};
  }

  static HttpSettings http_settings(const PullSettings& settings) {
    return {.token = settings.token, .stall_s = settings.stall_s};
  }

  std::string url_of(const KnownFile& file) const {
    return settings_.endpoint + "/" + std::string(file.repo) + "/resolve/" + settings_.revision +
           "/" + std::string(file.path);
  }

  RemoteFile describe(const KnownFile& file, const std::string& what) {
    std::string url = url_of(file);
    HttpClient plain({.token = {}, .stall_s = settings_.stall_s});
    for (int left = kRedirects; left > 0; --left) {
      HttpClient& client = host_of(url) == host_of(settings_.endpoint) ? client_ : plain;
      const HttpAnswer answer = again_and_again(what, [&] {
        HttpAnswer head = client.head(url);
        retry_if_busy(head);
        return head;
      });
      const std::string linked = without_quotes(value_of(answer, "x-linked-etag"));
      if (answer.status >= 400) refuse_status(answer.status, what, settings_);
      if (linked.empty() && answer.status >= 300) {
        const std::string target = value_of(answer, "location");
        url = target.starts_with("/") ? host_of(url) + target : target;
        continue;
      }
      return checked({.commit = value_of(answer, "x-repo-commit"),
                      .digest = linked.empty() ? without_quotes(value_of(answer, "etag")) : linked,
                      .bytes = number_of(
                          value_of(answer, linked.empty() ? "content-length" : "x-linked-size"))},
                     file, what);
    }
    throw Error(ErrorCode::kModelMissing, what + ": the hub redirects in circles");
  }

  /// What the hub says, held against what is known of the file.
  static RemoteFile checked(RemoteFile remote, const KnownFile& file, const std::string& what) {
    const bool has_digest =
        (remote.digest.size() == 64 || remote.digest.size() == 40) &&
        remote.digest.find_first_not_of("0123456789abcdef") == std::string::npos;
    require(
        has_digest && !remote.commit.empty(), ErrorCode::kBadCheckpoint,
        what + ": the answer has no digest and commit as a hub gives them; is HF_ENDPOINT a hub?");
    const bool is_other =
        remote.digest.size() == 64 && !file.sha256.empty() && remote.digest != file.sha256;
    if (is_other || (file.bytes != 0 && remote.bytes != 0 && remote.bytes != file.bytes))
      throw Error(ErrorCode::kBadCheckpoint,
                  what + ": the hub has another file than this version knows (SHA-256 " +
                      remote.digest + ", " + std::to_string(remote.bytes) + " bytes; expected " +
                      std::string(file.sha256) + ", " + std::to_string(file.bytes) +
                      "); nothing was fetched");
    return remote;
  }

  void bring(const KnownFile& file, const std::string& what, const RemoteFile& remote,
             const fs::path& blob) {
    fs::path part = blob;
    part += ".incomplete";
    std::error_code error;
    fs::create_directories(blob.parent_path(), error);
    check_space(blob.parent_path(), remote.bytes, part, what);
    transfer(file, what, remote, part);
    check_bytes(file, what, remote, part);
    const int handle = ::open(part.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_synced = handle >= 0 && ::fsync(handle) == 0;
    if (handle >= 0) ::close(handle);
    if (is_synced) fs::rename(part, blob, error);
    require(is_synced && !error, ErrorCode::kIo, printable(blob) + ": cannot be written");
  }

  static void check_space(const fs::path& folder, std::uint64_t bytes, const fs::path& part,
                          const std::string& what) {
    std::error_code error;
    const auto space = fs::space(folder, error);
    const auto have = fs::exists(part) ? fs::file_size(part, error) : 0;
    const auto needed = bytes > have ? bytes - have : 0;
    if (error || space.available >= needed) return;
    throw Error(ErrorCode::kIo,
                what + ": needs " + std::to_string(needed) + " more bytes in " + printable(folder) +
                    ", " + std::to_string(space.available) + " are free; free some space or name " +
                    "another folder in HF_HUB_CACHE",
                "disk_full");
  }

  /// Gets the bytes that are still missing. Tries that bring something do not count.
  void transfer(const KnownFile& file, const std::string& what, const RemoteFile& remote,
                const fs::path& part) {
    std::error_code error;
    double wait = settings_.first_wait_s;
    for (int left = settings_.tries; left > 0; --left) {
      const std::uint64_t have = fs::exists(part) ? fs::file_size(part, error) : 0;
      if (remote.bytes != 0 && have > remote.bytes) fs::resize_file(part, 0, error);
      if (remote.bytes != 0 && have == remote.bytes) return;
      try {
        const HttpAnswer answer =
            client_.download(url_of(file), part, have > remote.bytes ? 0 : have,
                             [&](std::uint64_t done) { return watch(what, done, remote.bytes); });
        if (answer.status == 416) fs::resize_file(part, 0, error);
        if (answer.status != 416) retry_if_busy(answer);
        if (answer.status >= 400 && answer.status != 416)
          refuse_status(answer.status, what, settings_);
        if (answer.status < 300 && (remote.bytes == 0 || fs::file_size(part) == remote.bytes))
          return;
      } catch (const HttpDropped& drop) {
        if (fs::exists(part) && fs::file_size(part, error) > have) {
          left = settings_.tries;
          wait = settings_.first_wait_s;
        }
      }
      pause(wait, what);
      wait = std::min(2 * wait, kLongestWait);
    }
    throw Error(ErrorCode::kModelMissing,
                what + ": the connection to " + settings_.endpoint + " dropped " +
                    std::to_string(settings_.tries) +
                    " times; check the network, then run the same command: it goes on",
                "network");
  }

  /// Bytes that are not the wanted ones are removed: resuming would keep them.
  static void check_bytes(const KnownFile& file, const std::string& what, const RemoteFile& remote,
                          const fs::path& part) {
    const std::string found = hub_digest_of(part, remote.digest.size());
    std::string defect;
    if (found != remote.digest)
      defect = "came with the digest " + found + ", the hub states " + remote.digest;
    else
      defect = defect_of(part, file);
    if (defect.empty()) return;
    std::error_code ignored;
    fs::remove(part, ignored);
    throw Error(ErrorCode::kBadCheckpoint,
                what + ": " + defect + "; the bytes were removed: run the same command again");
  }

  const HubCache& cache_;
  const PullSettings& settings_;
  const PullWatcher& watcher_;
  HttpClient client_;
  std::size_t number_ = 0, count_ = 0;
};

}  // namespace

PullSettings settings_from_environment() {
  PullSettings settings;
  if (std::string endpoint = variable("HF_ENDPOINT"); !endpoint.empty()) {
    while (endpoint.ends_with('/')) endpoint.pop_back();
    settings.endpoint = endpoint;
  }
  settings.token = variable("HF_TOKEN");
  const std::string offline = variable("HF_HUB_OFFLINE");
  settings.is_offline = !offline.empty() && offline != "0";
  return settings;
}

std::vector<std::string> pull(const KnownModel& model, const HubCache& cache,
                              const PullSettings& settings, const PullWatcher& watcher) {
  if (settings.is_offline) {
    if (ModelStore(cache).look(model).is_complete()) return {};
    throw Error(ErrorCode::kModelMissing,
                std::string(model.id) +
                    " is not complete and the network is off (--offline or "
                    "HF_HUB_OFFLINE); bring its files with: qingyin models "
                    "import FOLDER " +
                    std::string(model.id),
                "offline");
  }
  Puller puller(cache, settings, watcher);
  std::vector<KnownFile> files = model.files;
  std::vector<std::vector<std::string>> listed;  // keeps the text that `files` points into
  for (const KnownFolder& folder : model.folders) {
    listed.push_back(puller.list(folder));
    for (const std::string& path : listed.back())
      files.push_back({.role = {},
                       .repo = folder.repo,
                       .path = path,
                       .bytes = 0,
                       .sha256 = {},
                       .md5 = {},
                       .licence = folder.licence});
  }
  std::vector<std::string> fetched;
  for (std::size_t i = 0; i < files.size(); ++i) {
    puller.set_place(i + 1, files.size());
    if (puller.fetch(files[i])) fetched.emplace_back(files[i].path);
  }
  return fetched;
}

}  // namespace qingyin
