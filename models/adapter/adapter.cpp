#include "models/adapter/adapter.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"
#include "models/checkpoint/safetensors.h"

namespace qingyin {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "qingyin.adapter/1";
constexpr double kMostScale = 4;
constexpr std::size_t kMostClasses = 64, kLongestName = 40, kLongestText = 2000;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorCode::kBadCheckpoint,
              printable(file) + ": " + what + "; expected a file that qingyin train has written",
              "bad_adapter");
}

std::string text_of(const json& from, const char* key) {
  std::string text = from.value(key, std::string());
  text.resize(std::min(text.size(), kLongestText));
  return text;
}

AdapterClass class_of(const json& from) {
  return {.name = text_of(from, "name"),
          .is_new = from.value("new", false),
          .shape = text_of(from, "shape"),
          .lane = text_of(from, "lane"),
          .like = text_of(from, "like"),
          .uses_material = from.value("material", false),
          .sounds = from.value("sounds", std::int64_t{0})};
}

void check(const AdapterFacts& facts, const std::filesystem::path& file) {
  if (facts.foley_base.empty() && facts.detector_base.empty()) refuse(file, "it changes nothing");
  if (facts.classes.size() > kMostClasses) refuse(file, "it has too many classes");
  std::set<std::string> names;
  for (const AdapterClass& c : facts.classes) {
    const bool is_shape = c.shape == "one_shot" || c.shape == "sustained" || c.shape == "texture";
    if (c.name.empty() || c.name.size() > kLongestName || !names.insert(c.name).second) {
      refuse(file, "a class has no name, a long one, or one that another has");
    }
    if (c.is_new && (!is_shape || c.like.empty() || c.lane.empty())) {
      refuse(file, "its class " + excerpt(c.name) + " lacks a shape, a lane or a likeness");
    }
  }
}

json facts_of(const AdapterFacts& facts) {
  json classes = json::array();
  for (const AdapterClass& c : facts.classes) {
    classes.push_back({{"name", c.name},
                       {"new", c.is_new},
                       {"shape", c.shape},
                       {"lane", c.lane},
                       {"like", c.like},
                       {"material", c.uses_material},
                       {"sounds", c.sounds}});
  }
  return {{"foley_base", facts.foley_base},
          {"detector_base", facts.detector_base},
          {"classes", classes},
          {"rank", facts.rank},
          {"steps", facts.steps},
          {"seed", facts.seed},
          {"data_seconds", facts.data_seconds},
          {"onsets", facts.onsets},
          {"author", facts.author},
          {"licence", facts.licence},
          {"note", facts.note},
          {"made_with", facts.made_with}};
}

}  // namespace

AdapterChoice parse_adapter_choice(const std::string& text) {
  const auto colon = text.rfind(':');
  std::error_code ignored;
  if (colon == std::string::npos || std::filesystem::exists(text, ignored)) return {text, 1};
  double scale = 0;
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(begin, end, scale);
  if (failure != std::errc() || stop != end) return {text, 1};
  require(scale >= -kMostScale && scale <= kMostScale, ErrorCode::kUsage,
          "adapter: the scale of " + excerpt(text) + " is not a number from -4 to 4");
  return {text.substr(0, colon), scale};
}

std::string name_of(const AdapterChoice& choice) {
  char scale[32];
  std::snprintf(scale, sizeof scale, "%g", choice.scale);
  return "adapter " + choice.file.stem().string() + ":" + scale;
}

std::map<std::string, std::string> to_metadata(const AdapterFacts& facts) {
  return {{"format", kFormat},
          {"facts", facts_of(facts).dump(-1, ' ', false, json::error_handler_t::replace)}};
}

AdapterFacts read_adapter_facts(const std::filesystem::path& file) {
  std::error_code ignored;
  require(std::filesystem::is_regular_file(file, ignored), ErrorCode::kModelMissing,
          printable(file) + ": there is no such adapter; make one with: qingyin train SOUNDS -o " +
              printable(file));
  const SafetensorsFile stored(file);
  const auto format = stored.metadata().find("format"), text = stored.metadata().find("facts");
  if (format == stored.metadata().end() || text == stored.metadata().end()) {
    refuse(file, "it is no adapter (its metadata say nothing of one)");
  }
  if (format->second != kFormat) {
    refuse(file, "its format is " + excerpt(format->second) + ", not " + kFormat);
  }
  AdapterFacts facts;
  try {
    const json from = json::parse(text->second);
    for (const auto& one : from.at("classes")) facts.classes.push_back(class_of(one));
    facts.foley_base = text_of(from, "foley_base");
    facts.detector_base = text_of(from, "detector_base");
    facts.rank = from.value("rank", std::int64_t{0});
    facts.steps = from.value("steps", std::int64_t{0});
    facts.seed = from.value("seed", std::uint64_t{0});
    facts.data_seconds = from.value("data_seconds", 0.0);
    facts.onsets = from.value("onsets", std::int64_t{0});
    facts.author = text_of(from, "author");
    facts.licence = text_of(from, "licence");
    facts.note = text_of(from, "note");
    facts.made_with = text_of(from, "made_with");
  } catch (const json::exception&) {
    refuse(file, "its facts are not as they should be");
  }
  check(facts, file);
  facts.sha256 = sha256_of_file(file);
  return facts;
}

void require_base(const std::filesystem::path& file, const std::string& part,
                  const std::string& wanted, const std::string& found) {
  if (wanted == found) return;
  throw Error(ErrorCode::kBadCheckpoint,
              printable(file) + ": this adapter belongs to other weights (" + part +
                  ".safetensors " + wanted.substr(0, 12) + "..., these are " + found.substr(0, 12) +
                  "...); train it again with these, or give the folder of its own with --models",
              "other_base");
}

}  // namespace qingyin
