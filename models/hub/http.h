#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/progress.h"

namespace qingyin {

/// An answer without its body. Header names are in lower case.
struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;
};

/// How requests are made.
struct HttpSettings {
  std::string token;      // sent as a bearer token to the first host only
  double stall_s = 60;    // no byte for that long counts as a dropped connection
  double connect_s = 30;  // to reach the server
  std::string user_agent = "qingyin";
};

/// Why a transfer ended early in a way that a new try may mend; `what()` is the reason.
struct HttpDropped {
  std::string reason;
};

/// Requests over libcurl. HTTPS only, except where the given address itself is plain HTTP; no other
/// protocol is ever followed. One object per thread.
class HttpClient {
 public:
  explicit HttpClient(HttpSettings settings);

  /// HEAD, without following redirects.
  /// @throws HttpDropped; Error kCancelled
  HttpAnswer head(const std::string& url, const Progress& progress = {});

  /// A small body (a list of files). Longer than `limit` bytes is an error.
  /// @throws HttpDropped; Error kBadCheckpoint if it is longer
  std::string get(const std::string& url, std::size_t limit, HttpAnswer& answer);

  /// Appends the body to a file of `have` bytes by asking for the rest; a server that sends the
  /// whole makes it start again. Follows redirects. What has come stays in the file.
  /// @param on_bytes  called with the file's size now; returns false to stop
  /// @throws HttpDropped if the connection ended early; Error kIo if the disk is full, kCancelled
  HttpAnswer download(const std::string& url, const std::filesystem::path& file, std::uint64_t have,
                      const std::function<bool(std::uint64_t)>& on_bytes);

 private:
  HttpSettings settings_;
};

}  // namespace qingyin
