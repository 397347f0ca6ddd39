#include "tests/models/hub/hub_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "core/digest.h"

namespace qingyin::test {
namespace {

std::string header(const std::string& text, const std::string& name) {
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto at = lower.find("\r\n" + name + ": ");
  if (at == lower.npos) return {};
  const auto begin = at + name.size() + 4;
  return text.substr(begin, text.find("\r\n", begin) - begin);
}

std::string status(int code, const std::string& more) {
  return "HTTP/1.1 " + std::to_string(code) + " X\r\nConnection: close\r\n" + more + "\r\n";
}

std::string length_of(const std::string& body) {
  return "Content-Length: " + std::to_string(body.size()) + "\r\n";
}

void send_all(int connection, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t sent = ::send(connection, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) return;
    done += static_cast<std::size_t>(sent);
  }
}

}  // namespace

std::string large_digest(const std::string& bytes) {
  Digest digest(DigestKind::kSha256);
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

std::string small_digest(const std::string& bytes) {
  Digest digest(DigestKind::kSha1);
  const std::string head = "blob " + std::to_string(bytes.size()) + std::string(1, '\0');
  digest.add(head.data(), head.size());
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

HubServer::HubServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("no server can be opened on 127.0.0.1");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HubServer::~HubServer() {
  ends_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void HubServer::add(const std::string& repo, const std::string& path, File file) {
  const std::lock_guard lock(mutex_);
  repos_[repo][path] = std::move(file);
}

std::vector<HubServer::Request> HubServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<HubServer::Request> HubServer::requests(const std::string& method,
                                                    const std::string& begin) const {
  std::vector<Request> some;
  for (const Request& request : requests())
    if (request.method == method && request.path.starts_with(begin)) some.push_back(request);
  return some;
}

void HubServer::serve() {
  while (!ends_) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    answer(connection);
    ::close(connection);
  }
}

void HubServer::answer(int connection) {
  std::string text;
  std::array<char, 4096> piece{};
  while (text.find("\r\n\r\n") == text.npos) {
    const ssize_t count = ::recv(connection, piece.data(), piece.size(), 0);
    if (count <= 0) return;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  Request request;
  request.method = text.substr(0, text.find(' '));
  const auto begin = text.find(' ') + 1;
  request.path = text.substr(begin, text.find(' ', begin) - begin);
  request.range = header(text, "range");
  request.authorization = header(text, "authorization");
  request.host = header(text, "host");
  std::string body;
  const std::string head = head_of(request, body);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  const bool has_body = request.method != "HEAD";
  if (has_body && drops > 0 && body.size() > drop_at) {
    --drops;
    body.resize(drop_at);
  }
  send_all(connection, head + (has_body ? body : ""));
}

std::string HubServer::head_of(const Request& request, std::string& body) {
  if (failures > 0) {
    --failures;
    return status(503, "Content-Length: 0\r\n");
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [repo, files] : repos_) {
    if (request.path == "/api/models/" + repo + "/revision/main") {
      body = list(repo);
      return status(200, length_of(body));
    }
    for (const auto& [path, file] : files) {
      if (request.path == "/" + repo + "/resolve/main/" + path)
        return file_head(request, file, body);
      if (request.path == "/store/" + large_digest(file.bytes))
        return body_head(request, file, "", body);
    }
  }
  return status(404, "Content-Length: 0\r\n");
}

std::string HubServer::file_head(const Request& request, const File& file, std::string& body) {
  if (!token.empty() && request.authorization != "Bearer " + token)
    return status(401, "Content-Length: 0\r\n");
  const std::string of_commit = "X-Repo-Commit: " + commit + "\r\n";
  if (!file.is_large) {
    const std::string digest = file.digest.empty() ? small_digest(file.bytes) : file.digest;
    return body_head(request, file, of_commit + "ETag: \"" + digest + "\"\r\n", body);
  }
  const std::string digest = file.digest.empty() ? large_digest(file.bytes) : file.digest;
  return status(302, of_commit + "X-Linked-Etag: \"" + digest +
                         "\"\r\nX-Linked-Size: " + std::to_string(file.bytes.size()) +
                         "\r\nLocation: http://localhost:" + std::to_string(port_) + "/store/" +
                         large_digest(file.bytes) + "\r\nContent-Length: 0\r\n");
}

std::string HubServer::body_head(const Request& request, const File& file, const std::string& extra,
                                 std::string& body) const {
  body = file.sent.empty() ? file.bytes : file.sent;
  if (request.range.empty() || ignores_ranges) return status(200, extra + length_of(body));
  const auto from =
      std::strtoull(request.range.c_str() + std::string("bytes=").size(), nullptr, 10);
  if (from >= body.size()) {
    body.clear();
    return status(416, extra + length_of(body));
  }
  body.erase(0, from);
  return status(206, extra + length_of(body));
}

std::string HubServer::list(const std::string& repo) const {
  std::string text = R"({"sha": ")" + commit + R"(", "siblings": [)";
  for (const auto& [path, file] : repos_.at(repo))
    text += (text.ends_with('[') ? "" : ", ") + std::string(R"({"rfilename": ")") + path + "\"}";
  return text + "]}";
}

}  // namespace qingyin::test
