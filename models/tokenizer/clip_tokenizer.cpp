#include "models/tokenizer/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/error.h"
#include "core/text.h"
#include "models/tokenizer/merge_list.h"
#include "models/tokenizer/text_cleaning.h"
#include "models/tokenizer/unicode_text.h"

namespace qingyin {
namespace {

constexpr std::u32string_view kStartText = U"<start_of_text>", kEndText = U"<end_of_text>";
constexpr std::int32_t kBytes = 256;  // ids of bytes inside of a word; then those that end one

/// Whether a byte is written as the Latin-1 character of its number in vocabulary files.
bool is_printed(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct ByteAlphabet {
  std::array<std::int32_t, kBytes> id_of;     // of a byte
  std::array<char32_t, kBytes> character_of;  // that vocabulary files write for it
};

/// Printed bytes come first, in order; the others are written as characters from U+0100 on.
ByteAlphabet byte_alphabet() {
  ByteAlphabet alphabet{};
  std::int32_t next = 0;
  char32_t character = 0x100;
  for (int byte = 0; byte < kBytes; ++byte)
    if (is_printed(byte)) {
      alphabet.id_of[static_cast<std::size_t>(byte)] = next++;
      alphabet.character_of[static_cast<std::size_t>(byte)] = static_cast<char32_t>(byte);
    }
  for (int byte = 0; byte < kBytes; ++byte)
    if (!is_printed(byte)) {
      alphabet.id_of[static_cast<std::size_t>(byte)] = next++;
      alphabet.character_of[static_cast<std::size_t>(byte)] = character++;
    }
  return alphabet;
}

const ByteAlphabet& bytes() {
  static const ByteAlphabet alphabet = byte_alphabet();
  return alphabet;
}

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

/// Length of an apostrophe and a short ending ('s, 't, 're, 've, 'm, 'll, 'd) at the begin; 0 if
/// there is none.
std::size_t contraction(std::u32string_view text) {
  if (text.empty() || text[0] != U'\'') return 0;
  for (const std::u32string_view ending : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"})
    if (text.substr(1).starts_with(ending)) return 1 + ending.size();
  // The reference ignores case, and the long s is an s then.
  return text.size() > 1 && text[1] == U'\u017F' ? 2 : 0;
}

/// Length of the word at the begin of a text that does not begin with white space: a contraction,
/// letters, one digit, or a run of anything else.
std::size_t word_length(std::u32string_view text) {
  if (const std::size_t length = contraction(text)) return length;
  if (is_number(text[0])) return 1;
  const bool is_letters = is_letter(text[0]);
  const auto belongs = [is_letters](char32_t c) {
    return is_letters ? is_letter(c) : !is_letter(c) && !is_number(c) && !is_space(c);
  };
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

}  // namespace

ClipTokenizer::ClipTokenizer(const std::filesystem::path& file) {
  std::unordered_map<std::string, std::int32_t> ids;
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    const std::string symbol = to_utf8(std::u32string_view(&bytes().character_of[byte], 1));
    ids.emplace(symbol, bytes().id_of[byte]);
    ids.emplace(symbol + "</w>", bytes().id_of[byte] + kBytes);
  }
  const auto id_of = [&](const std::string& symbol) {
    const auto found = ids.find(symbol);
    require(found != ids.end(), ErrorCode::kBadCheckpoint,
            printable(file) + ": a merge joins " + excerpt(symbol) +
                ", which no merge before it makes; fetch the tokenizer of the CLIP model again");
    return found->second;
  };
  std::int32_t next = 2 * kBytes;
  for (const auto& [left, right] : read_merges(file, kMerges)) {
    joined_.emplace(pair_key(id_of(left), id_of(right)), next);
    ids.emplace(left + right, next);
    ++next;
  }
}

std::vector<std::int32_t> ClipTokenizer::operator()(std::string_view prompt) const {
  if (prompt.size() > kMaxPromptBytes)
    throw Error(ErrorCode::kInvalidInput,
                "the prompt has " + std::to_string(prompt.size()) + " bytes, at most " +
                    std::to_string(kMaxPromptBytes) + " are read; shorten it",
                "limit");
  std::vector<std::int32_t> ids{kStart};
  const auto words = ids_of(cleaned_prompt(prompt));
  ids.insert(ids.end(), words.begin(),
             words.begin() + static_cast<std::ptrdiff_t>(std::min(words.size(), kContext - 2)));
  ids.push_back(kEnd);
  ids.resize(kContext, kPadding);
  return ids;
}

std::vector<std::int32_t> ClipTokenizer::ids_of(std::string_view cleaned) const {
  const std::u32string points = from_utf8(cleaned);
  std::vector<std::int32_t> ids;
  for (std::u32string_view rest = points; !rest.empty();) {
    std::size_t length = 1;
    if (rest.starts_with(kStartText)) {
      ids.push_back(kStart);
      length = kStartText.size();
    } else if (rest.starts_with(kEndText)) {
      ids.push_back(kEnd);
      length = kEndText.size();
    } else if (!is_space(rest[0])) {
      length = word_length(rest);
      add_word(to_utf8(rest.substr(0, length)), ids);
    }
    rest.remove_prefix(length);
  }
  return ids;
}

void ClipTokenizer::add_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  std::vector<std::int32_t> parts;
  for (const char c : word) parts.push_back(bytes().id_of[static_cast<unsigned char>(c)]);
  parts.back() += kBytes;
  for (;;) {
    constexpr std::int32_t kNone = std::numeric_limits<std::int32_t>::max();
    std::int32_t best = kNone;
    std::uint64_t best_pair = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const std::uint64_t pair = pair_key(parts[i], parts[i + 1]);
      const auto found = joined_.find(pair);
      if (found == joined_.end() || found->second >= best) continue;
      best = found->second;
      best_pair = pair;
    }
    if (best == kNone) break;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool joins = i + 1 < parts.size() && pair_key(parts[i], parts[i + 1]) == best_pair;
      parts[kept++] = joins ? best : parts[i];
      if (joins) ++i;
    }
    parts.resize(kept);
  }
  ids.insert(ids.end(), parts.begin(), parts.end());
}

}  // namespace qingyin
