#include "models/checkpoint/shard_index.h"

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/json_events.h"

namespace qingyin {
namespace {

/// Gathers the weight map and keeps the first fault of meaning; other keys of the index are hints.
class IndexEvents : public JsonEvents {
 public:
  std::map<std::string, std::string> weight_map;

  std::string fault() const {
    if (fault_.empty() && !has_weight_map_) return "the index has no weight_map";
    return fault_;
  }

  void begin_object() override {
    ++depth_;
    if (depth_ == 2 && is_weight_map()) has_weight_map_ = true;
    if (depth_ == 3 && is_weight_map()) fail_value("an object");
  }
  void key(const std::string& name) override {
    if (depth_ == 1) top_key_ = name;
    if (depth_ == 2) tensor_ = name;
  }
  void end_object() override { --depth_; }
  void begin_array() override {
    fail_value("an array");
    ++depth_;
  }
  void end_array() override { --depth_; }
  void string(const std::string& value) override {
    if (depth_ == 2 && is_weight_map())
      weight_map.emplace(tensor_, value);
    else
      fail_value("a string");
  }
  void integer(std::uint64_t) override { fail_value("a number"); }
  void other(const std::string& what) override { fail_value(what); }

 private:
  bool is_weight_map() const { return top_key_ == "weight_map"; }

  void fail_value(const std::string& found) {
    if (!fault_.empty()) return;
    if (depth_ == 0)
      fault_ = "the index is " + found + ", expected a JSON object";
    else if (depth_ == 1 && is_weight_map())
      fault_ = "weight_map is " + found + ", expected an object";
    else if (is_weight_map())
      fault_ = "weight_map gives " + found + " for tensor " + excerpt(tensor_) +
               ", expected the name of a shard (a string)";
  }

  int depth_ = 0;
  bool has_weight_map_ = false;
  std::string top_key_, tensor_, fault_;
};

bool is_plain_shard_name(std::string_view name) {
  constexpr std::string_view kEnding = ".safetensors";
  const bool is_plain = name.find_first_of(std::string_view("/\\:\0", 4)) == std::string_view::npos;
  return is_plain && name.ends_with(kEnding) && name.size() > kEnding.size();
}

}  // namespace

std::map<std::string, std::string> parse_shard_index(std::string_view json,
                                                     const std::filesystem::path& file) {
  if (json.empty()) refuse_checkpoint(file, "the index is empty, expected a JSON object");
  IndexEvents events;
  scan_json(json, events, file);
  if (!events.fault().empty()) refuse_checkpoint(file, events.fault());
  for (const auto& [tensor, shard] : events.weight_map)
    if (!is_plain_shard_name(shard))
      refuse_checkpoint(file, "weight_map gives the shard name " + excerpt(shard) + " for tensor " +
                                  excerpt(tensor) +
                                  ", expected a plain name of a .safetensors file");
  return std::move(events.weight_map);
}

}  // namespace qingyin
