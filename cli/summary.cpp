#include "cli/summary.h"

#include <nlohmann/json.hpp>

namespace qingyin::cli {
namespace {

using json = nlohmann::ordered_json;

void add_facts(json& out, const std::string& facts_json) {
  if (facts_json.empty()) return;
  const json facts = json::parse(facts_json);
  for (const auto& [key, value] : facts.items()) out[key] = value;
}

json to_json_item(const Summary::Item& item) {
  json out = {{"input", item.input}, {"status", item.status}, {"exit_code", item.exit_code}};
  out["reason"] = item.reason.empty() ? json(nullptr) : json(item.reason);
  out["message"] = item.message.empty() ? json(nullptr) : json(item.message);
  out["outputs"] = item.outputs;
  out["warnings"] = item.warnings;
  out["timings_s"] = json::object();
  for (const auto& [name, seconds] : item.timings_s) out["timings_s"][name] = seconds;
  add_facts(out, item.facts_json);
  return out;
}

}  // namespace

Summary::Item& Summary::item() {
  if (items.empty()) items.emplace_back();
  return items.back();
}

void Summary::fail(int exit_code, const std::string& reason, const std::string& message) {
  Item& failed = item();
  const bool is_cancelled = exit_code == 7 || exit_code == 130 || exit_code == 143;
  failed.status = is_cancelled ? "cancelled" : "failed";
  failed.exit_code = exit_code;
  failed.reason = reason;
  failed.message = message;
  failed.outputs.clear();
}

std::string Summary::to_json(int exit_code) const {
  json out = {{"schema", "qingyin.result/1"},
              {"program", "qingyin"},
              {"version", QINGYIN_VERSION},
              {"command", command},
              {"exit_code", exit_code}};
  const std::string last = items.empty() ? (exit_code == 0 ? "ok" : "failed") : items.back().status;
  out["status"] = status.empty() ? last : status;
  add_facts(out, facts_json);
  out["items"] = json::array();
  for (const Item& item : items) out["items"].push_back(to_json_item(item));
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace qingyin::cli
