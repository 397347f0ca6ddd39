#include "models/checkpoint/json_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"

namespace qingyin {
namespace {

using Json = nlohmann::json;

/// Hands a parser's calls on, and adds the rules that the parser lacks: depth and repeated keys.
class StrictScan : public nlohmann::json_sax<Json> {
 public:
  explicit StrictScan(JsonEvents& events) : events_(events) {}

  const std::string& fault() const { return fault_; }

  bool null() override { return other("null"); }
  bool boolean(bool value) override { return other(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override {
    return other(value == 0 ? "the number -0" : "the negative integer " + std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) override {
    events_.integer(value);
    return true;
  }
  bool number_float(double, const std::string& lexeme) override {
    const bool is_integer = lexeme.find_first_not_of("-0123456789") == std::string::npos;
    return other((is_integer ? "an integer that overflows 64 bits, " : "the non-integer number ") +
                 excerpt(lexeme));
  }
  bool string(std::string& value) override {
    events_.string(value);
    return true;
  }
  bool binary(binary_t&) override { return fail("binary data"); }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    if (++depth_ > kDeepest) return fail_depth();
    events_.begin_object();
    return true;
  }
  bool key(std::string& name) override {
    if (!keys_.back().insert(name).second) return fail("duplicate key " + excerpt(name));
    events_.key(name);
    return true;
  }
  bool end_object() override {
    keys_.pop_back();
    --depth_;
    events_.end_object();
    return true;
  }
  bool start_array(std::size_t) override {
    if (++depth_ > kDeepest) return fail_depth();
    events_.begin_array();
    return true;
  }
  bool end_array() override {
    --depth_;
    events_.end_array();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // "[...] parse error at ...: syntax error while ... - REASON; last read: 'RAW BYTES'; expected"
    std::string text = error.what();
    text.resize(std::min(text.size(), text.find("; last read: ")));
    const std::size_t reason = text.rfind(" - ");
    return fail("not valid JSON near byte " + std::to_string(position) + ": " +
                (reason == std::string::npos ? "number overflow" : text.substr(reason + 3)));
  }

 private:
  static constexpr int kDeepest = 64;

  bool other(const std::string& what) {
    events_.other(what);
    return true;
  }
  bool fail(const std::string& fault) {
    fault_ = fault;
    return false;
  }
  bool fail_depth() { return fail("JSON nested deeper than 64 levels"); }

  JsonEvents& events_;
  std::vector<std::unordered_set<std::string>> keys_;
  int depth_ = 0;
  std::string fault_;
};

}  // namespace

void scan_json(std::string_view text, JsonEvents& events, const std::filesystem::path& file) {
  // The parser takes a NUL for the end of the text, and skips a byte order mark.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    refuse_checkpoint(file, "not valid JSON: NUL at byte " + std::to_string(nul));
  if (text.starts_with("\xEF\xBB\xBF"))
    refuse_checkpoint(file, "not valid JSON: it begins with a byte order mark");
  StrictScan scan(events);
  if (!Json::sax_parse(text, &scan)) refuse_checkpoint(file, scan.fault());
}

}  // namespace qingyin
