#include <optional>

#include "core/event_io.h"
#include "models/tokenizer/merge_list.h"
#include "models/tokenizer/t5_tokenizer.h"
#include "models/tokenizer/text_cleaning.h"
#include "pipeline/batch/manifest.h"
#include "tests/fuzz/support.h"
#include "tests/fuzz/targets.h"

namespace qingyin::fuzz {
namespace {

// A small number that the first byte names; the rest of the input in `bytes`.
unsigned choice(std::string_view& bytes, unsigned count) {
  if (bytes.empty()) return 0;
  const unsigned chosen = static_cast<unsigned char>(bytes.front()) % count;
  bytes.remove_prefix(1);
  return chosen;
}

void check_document(const EventDocument& document) {
  require_that(problems(document.timeline).empty(), "a timeline was accepted that breaks a rule");
  const std::string text = document.to_json();
  const auto again = EventDocument::parse_json(text, "again");
  require_that(again.to_json() == text, "an unchanged document changes when it is written");
}

}  // namespace

void events(std::string_view bytes) {
  tolerate([&] {
    const auto document = EventDocument::parse_json(bytes, "input");
    require_that(document.to_json() == bytes, "an unchanged document is not written as it was");
    check_document(document);
  });
}

void subtitles(std::string_view bytes) {
  constexpr EventFormat kForms[] = {EventFormat::kCsv, EventFormat::kAudacityLabels,
                                    EventFormat::kSrt, EventFormat::kVtt};
  const EventFormat form = kForms[choice(bytes, 4)];
  std::optional<EventDocument> document;
  tolerate([&] { document = parse_events(bytes, form, "input", Seconds(60)); });
  if (!document) return;
  require_that(problems(document->timeline).empty(), "events were accepted that break a rule");
  to_text(document->timeline, form);
}

void manifest(std::string_view bytes) {
  constexpr batch::ManifestForm kForms[] = {batch::ManifestForm::kAuto, batch::ManifestForm::kJsonl,
                                            batch::ManifestForm::kCsv, batch::ManifestForm::kPaths};
  const auto form = kForms[choice(bytes, 4)];
  tolerate([&] {
    for (const auto& item :
         batch::read_manifest(std::string(bytes), form, "/base", "input", batch::ItemOptions{})) {
      require_that(item.fault || !item.input.empty(), "an item without an input has no fault");
    }
  });
}

void tokenizer(std::string_view bytes) {
  if (choice(bytes, 2) == 0) {
    const ScratchFile file(bytes, "");
    tolerate([&] { read_merges(file.path(), 1 + bytes.size() % 5); });
    return;
  }
  constexpr std::size_t kLongestPrompt = 2048;
  tolerate([&] { cleaned_prompt(bytes.substr(0, kLongestPrompt)); });
}

void sentencepiece(std::string_view bytes) {
  const ScratchFile file(bytes, ".model");
  tolerate([&] {
    const T5Tokenizer tokenizer(file.path());
    for (const char* text : {"", "a b<extra_id_3> </s>", "\xEF\xBC\xA1 ab\xCC\x81\xE6\xB8\x85 "}) {
      const auto tokens = tokenizer.tokens(text, 16);
      require_that(tokens.ids.size() == 16, "another number of ids than was asked for");
      for (const auto id : tokens.ids) {
        require_that(id >= 0 && id < tokenizer.size(), "an id that the model does not have");
      }
      tokenizer.text_of(tokens.ids);
    }
  });
}

}  // namespace qingyin::fuzz
