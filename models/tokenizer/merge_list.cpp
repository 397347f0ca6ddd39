#include "models/tokenizer/merge_list.h"

#include <zlib.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;  // the known ones have up to 4 MB
constexpr std::size_t kMaxTextBytes = std::size_t{32} << 20;
constexpr std::size_t kMaxLineBytes = 1024;

[[noreturn]] void refuse(const fs::path& file, const std::string& defect) {
  throw Error(ErrorCode::kBadCheckpoint,
              printable(file) + ": " + defect + "; fetch the tokenizer of the CLIP model again");
}

std::string content_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  require(!error && fs::is_regular_file(file, error), ErrorCode::kModelMissing,
          printable(file) + ": there is no such file; expected a CLIP vocabulary");
  if (size > kMaxFileBytes)
    refuse(file, "the vocabulary has " + std::to_string(size) + " bytes, at most " +
                     std::to_string(kMaxFileBytes) + " were expected");
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in || bytes.size() != size) refuse(file, "it cannot be read");
  return bytes;
}

std::string unpacked(const std::string& packed, const fs::path& file) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) refuse(file, "zlib cannot begin");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    constexpr std::size_t kStep = std::size_t{1} << 20;
    const std::size_t have = text.size();
    if (have >= kMaxTextBytes) refuse(file, "it unpacks to more than a vocabulary");
    text.resize(have + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + have);
    stream.avail_out = static_cast<uInt>(kStep);
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(have + kStep - stream.avail_out);
    if (state != Z_OK && state != Z_STREAM_END) refuse(file, "its gzip data is damaged");
  }
  return text;
}

MergeList merges_in_text(std::string_view text, std::size_t count, const fs::path& file) {
  MergeList merges;
  for (std::size_t number = 1; !text.empty() && merges.size() < count; ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1) continue;  // a comment with the version
    const std::size_t blank = line.find(' ');
    const bool is_pair = blank != std::string_view::npos && blank > 0 && blank + 1 < line.size() &&
                         line.find(' ', blank + 1) == line.npos;
    if (!is_pair || line.size() > kMaxLineBytes)
      refuse(file, "line " + std::to_string(number) + " is " + excerpt(line) +
                       ", expected two symbols and a blank between them");
    merges.emplace_back(line.substr(0, blank), line.substr(blank + 1));
  }
  return merges;
}

std::pair<std::string, std::string> pair_in_json(const nlohmann::json& item) {
  if (item.is_array()) return {item.at(0).get<std::string>(), item.at(1).get<std::string>()};
  const auto text = item.get<std::string>();
  const std::size_t blank = text.find(' ');
  return {text.substr(0, blank), blank == text.npos ? "" : text.substr(blank + 1)};
}

MergeList merges_in_json(const std::string& text, std::size_t count, const fs::path& file) {
  MergeList merges;
  try {
    const auto root = nlohmann::json::parse(text);
    for (const auto& item : root.at("model").at("merges")) {
      if (merges.size() == count) break;
      merges.push_back(pair_in_json(item));
      if (merges.back().first.empty() || merges.back().second.empty())
        refuse(file, "merge " + std::to_string(merges.size()) + " is not a pair of symbols");
    }
  } catch (const nlohmann::json::exception& e) {
    refuse(file,
           std::string("it is no tokenizer.json of a byte-pair vocabulary (") + e.what() + ")");
  }
  return merges;
}

}  // namespace

MergeList read_merges(const fs::path& file, std::size_t count) {
  std::string content = content_of(file);
  if (content.starts_with("\x1F\x8B")) content = unpacked(content, file);
  const std::size_t begin = content.find_first_not_of(" \t\r\n");
  if (begin == content.npos) refuse(file, "it is empty");
  MergeList merges = content[begin] == '{' ? merges_in_json(content, count, file)
                                           : merges_in_text(content, count, file);
  if (merges.size() < count)
    refuse(file, "it holds " + std::to_string(merges.size()) + " merges, expected " +
                     std::to_string(count));
  return merges;
}

}  // namespace qingyin
