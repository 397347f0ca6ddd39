#include "models/hub/licence_book.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSchema = "qingyin.licences/1";

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace

fs::path LicenceBook::default_file() {
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  const fs::path base = config != nullptr && *config != '\0'
                            ? fs::path(config)
                            : fs::path(home == nullptr ? "" : home) / ".config";
  return base / "qingyin" / "licences.json";
}

LicenceBook::LicenceBook(fs::path file) : file_(std::move(file)) {
  std::ifstream in(file_, std::ios::binary);
  if (!in.is_open()) return;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  try {
    const auto root = nlohmann::json::parse(text);
    require(root.at("schema") == kSchema, ErrorCode::kBadCheckpoint,
            printable(file_) + ": schema is not " + std::string(kSchema));
    for (const auto& [id, entry] : root.at("accepted").items())
      entries_.push_back({id, entry.at("on").get<std::string>()});
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorCode::kBadCheckpoint,
                printable(file_) + ": is not a record of accepted licences: " +
                    excerpt(e.what(), 120) + "; remove it, and licences are asked for again");
  }
}

bool LicenceBook::has_accepted(std::string_view licence_id) const {
  return std::ranges::find(entries_, licence_id, &Entry::id) != entries_.end();
}

void LicenceBook::accept(const Licence& licence) {
  if (has_accepted(licence.id)) return;
  entries_.push_back({std::string(licence.id), today()});
  nlohmann::ordered_json accepted = nlohmann::ordered_json::object();
  for (const Entry& entry : entries_) accepted[entry.id] = {{"on", entry.on}};
  const nlohmann::ordered_json root{{"schema", kSchema}, {"accepted", accepted}};
  std::error_code error;
  fs::create_directories(file_.parent_path(), error);
  write_file_atomically(file_, root.dump(2) + "\n", Overwrite::kYes);
}

void LicenceBook::require_accepted(const KnownModel& model) const {
  std::string open;
  for (const Licence* terms : licences_of(model)) {
    if (!needs_acceptance(*terms) || has_accepted(terms->id)) continue;
    open += "\n  " + std::string(terms->name) + ": " + std::string(terms->use) + " (" +
            std::string(terms->url) + ")";
  }
  if (open.empty()) return;
  throw Error(ErrorCode::kModelMissing,
              std::string(model.id) + ": these licences were not accepted yet:" + open +
                  "\nread them, then run: qingyin models pull " + std::string(model.id) +
                  " --accept-licence",
              "licence");
}

}  // namespace qingyin
