#include "models/hub/http.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void initialise_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(code == CURLE_OK, ErrorCode::kInternal, "libcurl cannot be initialised");
}

/// One request: a handle with the options that all requests share, and what came back.
class Request {
 public:
  Request(const HttpSettings& settings, const std::string& url) {
    initialise_once();
    handle_.reset(curl_easy_init());
    require(handle_ != nullptr, ErrorCode::kInternal, "libcurl gave no handle");
    set(CURLOPT_URL, url.c_str());
    const char* const protocols = url.starts_with("http://") ? "http,https" : "https";
    set(CURLOPT_PROTOCOLS_STR, protocols);
    set(CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, settings.user_agent.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_s * 1000));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(settings.stall_s)));
    set(CURLOPT_HEADERFUNCTION, &Request::on_header);
    set(CURLOPT_HEADERDATA, this);
    if (!settings.token.empty()) add_header("Authorization: Bearer " + settings.token);
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    require(curl_easy_setopt(handle_.get(), option, value) == CURLE_OK, ErrorCode::kInternal,
            "libcurl refused an option");
  }

  void add_header(const std::string& line) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
    set(CURLOPT_HTTPHEADER, headers_.get());
  }

  CURLcode perform() {
    const CURLcode code = curl_easy_perform(handle_.get());
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer_.status = static_cast<int>(status);
    return code;
  }

  int status_now() const {
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  HttpAnswer& answer() { return answer_; }

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& headers = static_cast<Request*>(self)->answer_.headers;
    const std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) headers.clear();  // of the redirect before
    const auto colon = line.find(':');
    if (colon != line.npos) {
      std::string name(line.substr(0, colon));
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      const auto begin = line.find_first_not_of(" \t", colon + 1);
      const auto end = line.find_last_not_of(" \t\r\n");
      headers[name] =
          begin == line.npos || end < begin ? "" : std::string(line.substr(begin, end - begin + 1));
    }
    return size * count;
  }

  std::unique_ptr<CURL, FreeHandle> handle_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  HttpAnswer answer_;
};

[[noreturn]] void drop(CURLcode code) { throw HttpDropped{curl_easy_strerror(code)}; }

struct Text {
  std::string bytes;
  std::size_t limit = 0;
};

std::size_t keep_text(char* data, std::size_t size, std::size_t count, void* to) {
  auto& text = *static_cast<Text*>(to);
  if (text.bytes.size() + size * count > text.limit) return 0;
  text.bytes.append(data, size * count);
  return size * count;
}

/// A file that a body is appended to.
class Target {
 public:
  Target(const std::filesystem::path& path, std::uint64_t have, const Request& request,
         const std::function<bool(std::uint64_t)>& on_bytes)
      : path_(path), size_(have), request_(request), on_bytes_(on_bytes) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(have)) != 0) fail(errno);
  }
  ~Target() {
    if (file_ >= 0) ::close(file_);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Target*>(self)->take(data, size * count) ? size * count : 0;
  }

  /// Called about once a second, also while nothing comes.
  static int tick(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& target = *static_cast<Target*>(self);
    target.is_stopped_ = target.on_bytes_ && !target.on_bytes_(target.size_);
    return target.is_stopped_ ? 1 : 0;
  }

  void check() const {
    if (error_ != 0) fail(error_);
    if (is_stopped_)
      throw Error(ErrorCode::kCancelled, printable(path_) +
                                             ": the download was stopped; the same "
                                             "command goes on with it");
  }

 private:
  bool take(const char* data, std::size_t count) {
    const int status = request_.status_now();
    if (status >= 300) return true;  // the text of an error page
    if (status == 200 && size_ > 0 && !has_begun_) {
      if (::ftruncate(file_, 0) != 0) return keep_error();
      size_ = 0;
    }
    has_begun_ = true;
    for (std::size_t done = 0; done < count;) {
      const ssize_t written = ::pwrite(file_, data + done, count - done, static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return keep_error();
      done += static_cast<std::size_t>(written);
      size_ += static_cast<std::uint64_t>(written);
    }
    is_stopped_ = on_bytes_ && !on_bytes_(size_);
    return !is_stopped_;
  }

  bool keep_error() {
    error_ = errno;
    return false;
  }

  [[noreturn]] void fail(int error) const {
    const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    throw Error(ErrorCode::kIo,
                printable(path_) +
                    ": cannot be written: " + std::generic_category().message(error) +
                    (is_full ? "; free some space and run the same command: it goes on" : ""),
                is_full ? "disk_full" : "");
  }

  std::filesystem::path path_;
  std::uint64_t size_;
  const Request& request_;
  const std::function<bool(std::uint64_t)>& on_bytes_;
  int file_ = -1, error_ = 0;
  bool has_begun_ = false, is_stopped_ = false;
};

}  // namespace

HttpClient::HttpClient(HttpSettings settings) : settings_(std::move(settings)) {}

HttpAnswer HttpClient::head(const std::string& url, const Progress& progress) {
  report(progress, "asking", 0);
  Request request(settings_, url);
  request.set(CURLOPT_NOBODY, 1L);
  // The size must be that of the file itself, not of a compressed form of it.
  request.add_header("Accept-Encoding: identity");
  if (const CURLcode code = request.perform(); code != CURLE_OK) drop(code);
  return request.answer();
}

std::string HttpClient::get(const std::string& url, std::size_t limit, HttpAnswer& answer) {
  Request request(settings_, url);
  Text text{.bytes = {}, .limit = limit};
  request.set(CURLOPT_WRITEFUNCTION, &keep_text);
  request.set(CURLOPT_WRITEDATA, &text);
  request.set(CURLOPT_FOLLOWLOCATION, 1L);
  request.set(CURLOPT_MAXREDIRS, 5L);
  const CURLcode code = request.perform();
  require(code != CURLE_WRITE_ERROR, ErrorCode::kBadCheckpoint,
          url + ": the answer is longer than " + std::to_string(limit) + " bytes");
  if (code != CURLE_OK) drop(code);
  answer = request.answer();
  return text.bytes;
}

HttpAnswer HttpClient::download(const std::string& url, const std::filesystem::path& file,
                                std::uint64_t have,
                                const std::function<bool(std::uint64_t)>& on_bytes) {
  Request request(settings_, url);
  Target target(file, have, request, on_bytes);
  request.set(CURLOPT_WRITEFUNCTION, &Target::write);
  request.set(CURLOPT_WRITEDATA, &target);
  request.set(CURLOPT_NOPROGRESS, 0L);
  request.set(CURLOPT_XFERINFOFUNCTION, &Target::tick);
  request.set(CURLOPT_XFERINFODATA, &target);
  request.set(CURLOPT_FOLLOWLOCATION, 1L);
  request.set(CURLOPT_MAXREDIRS, 5L);
  const std::string range = std::to_string(have) + "-";
  if (have > 0) request.set(CURLOPT_RANGE, range.c_str());
  const CURLcode code = request.perform();
  target.check();
  if (code != CURLE_OK) drop(code);
  return request.answer();
}

}  // namespace qingyin
