#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace qingyin::test {

/// A server on this machine that behaves like Hugging Face's hub, and badly where told to: large
/// files are redirected to a second host with X-Repo-Commit, X-Linked-Etag and X-Linked-Size,
/// small ones are sent with Git's blob digest as ETag, ranges are honoured.
class HubServer {
 public:
  struct File {
    std::string bytes;
    bool is_large = true;
    std::string sent = {};    // other bytes than the digest says; empty: the bytes
    std::string digest = {};  // another digest than that of the bytes
  };
  struct Request {
    std::string method, path, range, authorization, host;
  };

  HubServer();
  ~HubServer();
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;

  void add(const std::string& repo, const std::string& path, File file);

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Request> requests() const;
  /// Requests of a method whose path begins so.
  std::vector<Request> requests(const std::string& method, const std::string& begin) const;

  std::string commit = "0123456789abcdef0123456789abcdef01234567";
  std::string token;                     // wanted by the hub itself; empty: none
  std::atomic<int> drops = 0;            // connections that end early
  std::atomic<std::size_t> drop_at = 0;  // after so many bytes of a body
  std::atomic<bool> ignores_ranges = false;
  std::atomic<int> failures = 0;  // answers with status 503 first

 private:
  void serve();
  void answer(int connection);
  std::string head_of(const Request& request, std::string& body);
  std::string file_head(const Request& request, const File& file, std::string& body);
  std::string body_head(const Request& request, const File& file, const std::string& extra,
                        std::string& body) const;
  std::string list(const std::string& repo) const;

  int listener_ = -1;
  int port_ = 0;
  std::map<std::string, std::map<std::string, File>> repos_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

/// SHA-256 of bytes, or SHA-1 of them as a blob of Git.
std::string large_digest(const std::string& bytes);
std::string small_digest(const std::string& bytes);

}  // namespace qingyin::test
