#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/signals.h"
#include "core/error.h"
#include "core/text.h"
#include "models/hub/model_store.h"
#include "models/hub/pull.h"

namespace qingyin::cli {
namespace {

using nlohmann::ordered_json;

enum class Action { kList, kPull, kVerify, kImport, kRemove };

struct ModelsOptions {
  Action action = Action::kList;
  std::vector<std::string> names;
  bool accepts_licence = false, is_offline = false, is_commercial = false, again = false;

  void declare(CLI::App& app) {
    add_choice<Action>(app, "action", action,
                       {{"list", Action::kList},
                        {"pull", Action::kPull},
                        {"verify", Action::kVerify},
                        {"import", Action::kImport},
                        {"rm", Action::kRemove}},
                       "what to do");
    app.add_option("names", names, "models, as list prints them; for import a folder first")
        ->type_name("MODEL");
    app.add_flag("--accept-licence", accepts_licence, "pull: you have read the licences and agree");
    app.add_flag("--offline", is_offline, "pull: use no network, fail if something is missing");
    app.add_flag("--commercial", is_commercial, "list: only those that may be used commercially");
    app.add_flag("--again", again, "verify: read files too that were found right before");
  }
};

std::string megabytes(std::uint64_t bytes) {
  char text[32];
  const auto size = static_cast<double>(bytes);
  if (size < 1e9)
    std::snprintf(text, sizeof text, "%.0f MB", size / 1e6);
  else
    std::snprintf(text, sizeof text, "%.1f GB", size / 1e9);
  return text;
}

/// What is here, of about how much.
std::string size_text(const ModelState& state) {
  char text[64];
  std::snprintf(text, sizeof text, "about %.1f GB, ", state.model->gigabytes);
  if (state.is_complete()) return megabytes(state.bytes()) + ", ";
  return (state.bytes() > 0 ? megabytes(state.bytes()) + " of " : "") + text;
}

std::string_view word_for(const ModelState& state) {
  if (state.is_complete()) return "ready";
  return state.is_absent() ? "absent" : "partial";
}

ordered_json facts_of(const ModelState& state, const LicenceBook& book) {
  ordered_json facts{{"model", state.model->id},
                     {"summary", state.model->summary},
                     {"state", word_for(state)},
                     {"bytes", state.bytes()},
                     {"gigabytes_in_all", state.model->gigabytes},
                     {"commercial_use", allows_commercial_use(*state.model)}};
  for (const Licence* terms : licences_of(*state.model))
    facts["licences"].push_back({{"id", terms->id},
                                 {"name", terms->name},
                                 {"url", terms->url},
                                 {"use", terms->use},
                                 {"accepted", book.has_accepted(terms->id)}});
  for (const FileState& file : state.files)
    facts["files"].push_back({{"name", file.name},
                              {"path", file.path.string()},
                              {"bytes", file.bytes},
                              {"problem", file.problem}});
  return facts;
}

void tell(Context& context, ordered_json facts, const std::string& text) {
  context.summary.item().facts_json =
      facts.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  if (!context.wants_json) context.console.result(text);
}

/// A line for each licence that limits the use, or one for those that do not.
std::string terms_text(const KnownModel& model) {
  const std::string indent(31, ' ');
  std::string limits;
  for (const Licence* terms : licences_of(model))
    if (needs_acceptance(*terms))
      limits += indent + std::string(terms->name) + ": " + std::string(terms->use) + "\n";
  if (!limits.empty()) return limits;
  const Licence* const terms = licences_of(model).front();
  return indent + std::string(terms->name) + ": " + std::string(terms->use) + "\n";
}

void list_models(const ModelsOptions& options, Context& context) {
  const ModelStore store;
  const LicenceBook book;
  ordered_json facts{{"cache", store.cache().root().string()}, {"models", ordered_json::array()}};
  std::string text = "models in " + printable(store.cache().root()) + "\n";
  for (const KnownModel& model : known_models()) {
    if (options.is_commercial && !allows_commercial_use(model)) continue;
    const ModelState state = store.look(model);
    facts["models"].push_back(facts_of(state, book));
    std::string name(model.id), word(word_for(state));
    name.resize(std::max<std::size_t>(name.size(), 22), ' ');
    word.resize(9, ' ');
    text += name + word + size_text(state) + std::string(model.summary) + "\n";
    text += terms_text(model);
  }
  text += "bundled               ready    our own, Apache-2.0, any use; comes with the program\n";
  tell(context, facts, text);
}

/// Shows what a person has to agree to, asks on a terminal, and records a yes.
void settle_licences(const KnownModel& model, bool is_accepted, Context& context) {
  LicenceBook book;
  for (const Licence* terms : licences_of(model)) {
    if (!needs_acceptance(*terms) || book.has_accepted(terms->id)) continue;
    context.console.note(std::string(terms->name) + ": " + std::string(terms->use) + "\n  " +
                         std::string(terms->url));
    bool agrees = is_accepted;
    if (!agrees && ::isatty(STDIN_FILENO) == 1 && context.console.has_terminal()) {
      context.console.note("Type yes if you have read it and agree:");
      std::string answer;
      agrees = std::getline(std::cin, answer) && answer == "yes";
    }
    if (agrees) book.accept(*terms);
  }
  book.require_accepted(model);
}

void pull_models(const ModelsOptions& options, Context& context) {
  context.when_stopped = "what was fetched is kept: the same command goes on from there";
  PullSettings settings = settings_from_environment();
  settings.is_offline = settings.is_offline || options.is_offline;
  const HubCache cache(HubCache::default_root());
  ordered_json facts{{"fetched", ordered_json::array()}};
  std::string text;
  for (const std::string& name : options.names) {
    const KnownModel& model = known_model(name);
    settle_licences(model, options.accepts_licence, context);
    context.progress.begin(name);
    const Progress progress = context.progress.watcher();
    const auto fetched = pull(model, cache, settings, [&](const PullProgress& now) {
      if (now.total_bytes == 0) return !stop_signal();
      const double part =
          static_cast<double>(now.done_bytes) / static_cast<double>(now.total_bytes);
      return progress(std::string(now.file) + " (" + std::to_string(now.number) + " of " +
                          std::to_string(now.count) + ", " + megabytes(now.total_bytes) + ")",
                      part);
    });
    context.progress.end();
    for (const std::string& file : fetched) facts["fetched"].push_back(name + " " + file);
    text +=
        name + ": " +
        (fetched.empty() ? "was complete\n" : std::to_string(fetched.size()) + " files fetched\n");
  }
  tell(context, facts, text);
}

void verify_models(const ModelsOptions& options, Context& context) {
  const ModelStore store;
  const LicenceBook book;
  std::vector<std::string> names = options.names;
  if (names.empty())
    for (const KnownModel& model : known_models())
      if (!store.look(model).is_absent()) names.emplace_back(model.id);
  ordered_json facts{{"models", ordered_json::array()}};
  std::string text, wrong;
  for (const std::string& name : names) {
    context.progress.begin(name);
    const ModelState state =
        store.verify(known_model(name), options.again, context.progress.watcher());
    context.progress.end();
    facts["models"].push_back(facts_of(state, book));
    text += name + ": " + (state.is_complete() ? "right" : "not right") + "\n";
    if (!state.is_complete()) wrong += (wrong.empty() ? "" : " ") + name;
    for (const FileState& file : state.files)
      if (file.path.empty() || !file.problem.empty())
        text += "  " + file.name + " " + (file.path.empty() ? "is missing" : file.problem) + "\n";
  }
  tell(context, facts, names.empty() ? "no model is here; see: qingyin models list\n" : text);
  if (!wrong.empty())
    throw Error(ErrorCode::kBadCheckpoint,
                wrong +
                    ": something is missing or wrong, see above; mend it with: qingyin models rm " +
                    wrong + " && qingyin models pull " + wrong);
}

void import_models(const ModelsOptions& options, Context& context) {
  require(options.names.size() >= 2, ErrorCode::kUsage,
          "models import wants a folder and the models that its files belong to, such as: qingyin "
          "models import ~/weights mmaudio:large_44k_v2");
  const ModelStore store;
  ordered_json facts{{"files", ordered_json::array()}};
  std::string text;
  for (std::size_t i = 1; i < options.names.size(); ++i) {
    const KnownModel& model = known_model(options.names[i]);
    settle_licences(model, options.accepts_licence, context);
    context.progress.begin(options.names[i]);
    for (const std::string& line :
         store.import_from(options.names[0], model, context.progress.watcher())) {
      facts["files"].push_back(line);
      text += line + "\n";
    }
    context.progress.end();
  }
  tell(context, facts, text);
}

void remove_models(const ModelsOptions& options, Context& context) {
  const ModelStore store;
  std::uint64_t freed = 0;
  for (const std::string& name : options.names) freed += store.remove(known_model(name));
  tell(context, {{"freed_bytes", freed}}, megabytes(freed) + " freed\n");
}

void models(const ModelsOptions& options, Context& context) {
  const bool wants_names = options.action == Action::kPull || options.action == Action::kRemove;
  require(!wants_names || !options.names.empty(), ErrorCode::kUsage,
          "name at least one model; see: qingyin models list");
  require(options.action != Action::kList || options.names.empty(), ErrorCode::kUsage,
          "models list takes no names");
  switch (options.action) {
    case Action::kList:
      return list_models(options, context);
    case Action::kPull:
      return pull_models(options, context);
    case Action::kVerify:
      return verify_models(options, context);
    case Action::kImport:
      return import_models(options, context);
    case Action::kRemove:
      return remove_models(options, context);
  }
}

}  // namespace

Command models_command() {
  return make_command("models", "List, fetch, check, import and remove published models.",
                      "  qingyin models list --commercial\n"
                      "  qingyin models pull mmaudio:large_44k_v2\n"
                      "  qingyin models verify\n"
                      "  qingyin models import ~/weights mmaudio:small_16k\n"
                      "  HF_ENDPOINT=https://hub.example qingyin models pull cogvideox:2b",
                      models);
}

}  // namespace qingyin::cli
