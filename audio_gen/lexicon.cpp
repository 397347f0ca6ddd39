#include "audio_gen/lexicon.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <unordered_map>

#include "audio_gen/vocabulary.h"

namespace qingyin {
namespace {

/// One word or phrase of the lexicon in the form that texts are compared in.
struct Key {
  std::string text;  // English: stems joined by blanks
  std::string_view word;
  const LexiconEntry* entry;
};

/// A piece of text: one English stem, or the bytes of one character of another script.
struct Token {
  std::string text;
  bool is_english;
};

bool is_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) && !(c & 0x80); }

bool has_vowel(std::string_view word) {
  return word.find_first_of("aeiouy") != std::string_view::npos;
}

bool drop_ending(std::string& word, std::string_view ending) {
  const std::string_view rest =
      std::string_view(word).substr(0, word.size() - std::min(word.size(), ending.size()));
  if (!word.ends_with(ending) || rest.size() < 3 || !has_vowel(rest)) return false;
  word.resize(rest.size());
  return true;
}

/// "dripp" -> "drip"; "roll", "press" and "buzz" keep theirs.
void undouble(std::string& word) {
  const std::size_t n = word.size();
  if (n > 3 && word[n - 1] == word[n - 2] &&
      std::string_view("aeioulsz").find(word[n - 1]) == std::string_view::npos) {
    word.pop_back();
  }
}

/// Plural, -ing, -ed and the silent e removed (after Porter, "An algorithm for suffix stripping",
/// Program 14(3), 1980, step 1).
std::string stem(std::string_view raw) {
  std::string word;
  for (const char c : raw) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (word.size() > 4 && word.ends_with("ies")) {
    word.replace(word.size() - 3, 3, "y");
  } else if (word.ends_with("shes") || word.ends_with("ches") || word.ends_with("sses")) {
    word.resize(word.size() - 2);
  } else if (word.size() > 3 && word.ends_with("s") && !word.ends_with("ss") &&
             !word.ends_with("us")) {
    word.pop_back();
  }
  if (drop_ending(word, "ing") || drop_ending(word, "ed")) undouble(word);
  if (word.size() > 3 && word.ends_with("e")) word.pop_back();
  return word;
}

/// Bytes of the UTF-8 character at `at`; a broken one ends where the next character begins.
std::size_t character_length(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && end < at + 4 && (text[end] & 0xC0) == 0x80) ++end;
  return end - at;
}

std::vector<Token> tokenise(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    if (is_letter(text[i])) {
      std::size_t end = i;
      while (end < text.size() && is_letter(text[end])) ++end;
      tokens.push_back({stem(text.substr(i, end - i)), true});
      i = end;
    } else if (text[i] & 0x80) {
      const std::size_t length = character_length(text, i);
      tokens.push_back({std::string(text.substr(i, length)), false});
      i += length;
    } else {
      ++i;
    }
  }
  return tokens;
}

/// Tokens joined so that English words stay apart and Chinese characters do not.
std::string join(std::span<const Token> tokens) {
  std::string text;
  for (const Token& token : tokens) {
    if (token.is_english && !text.empty()) text += ' ';
    text += token.text;
  }
  return text;
}

struct Index {
  std::unordered_map<std::string, Key> keys;
  std::size_t longest = 1;  // in tokens
};

const Index& index() {
  static const Index built = [] {
    Index result;
    for (const LexiconEntry& entry : lexicon_entries()) {
      std::string_view rest = entry.words;
      while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(", "), rest.size());
        const std::string_view word = rest.substr(0, comma);
        rest.remove_prefix(std::min(rest.size(), comma + 2));
        const std::vector<Token> tokens = tokenise(word);
        result.longest = std::max(result.longest, tokens.size());
        const std::string text = join(tokens);
        result.keys.try_emplace(text, Key{text, word, &entry});
      }
    }
    return result;
  }();
  return built;
}

/// The lexicon's words in the text, the longest at each place, in order.
std::vector<const Key*> find_keys(std::string_view text) {
  const std::vector<Token> tokens = tokenise(text);
  std::vector<const Key*> found;
  for (std::size_t i = 0; i < tokens.size();) {
    std::size_t length = std::min(index().longest, tokens.size() - i);
    for (; length > 0; --length) {
      const auto hit = index().keys.find(join(std::span(tokens).subspan(i, length)));
      if (hit == index().keys.end()) continue;
      found.push_back(&hit->second);
      break;
    }
    i += std::max<std::size_t>(1, length);
  }
  return found;
}

void add_sound(std::vector<SoundWord>& sounds, const Key& key) {
  const int id = class_id(key.entry->sound).value();
  const auto known =
      std::find_if(sounds.begin(), sounds.end(), [&](const auto& s) { return s.class_id == id; });
  if (known == sounds.end()) {
    sounds.push_back({id, key.entry->score, std::string(key.word)});
  } else if (key.entry->score > known->score) {
    known->score = key.entry->score;
    known->word = key.word;
  }
}

/// Likeness of two words by their shared pairs of letters (Dice), 0 to 1. Chinese characters count
/// singly.
double likeness(std::string_view a, std::string_view b) {
  const auto parts = [](std::string_view text) {
    std::multiset<std::string> set;
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = character_length(text, i);
      if (length > 1)
        set.emplace(text.substr(i, length));
      else if (i + 1 < text.size() && !(text[i + 1] & 0x80))
        set.emplace(text.substr(i, 2));
      i += length;
    }
    return set;
  };
  const auto pa = parts(a), pb = parts(b);
  std::vector<std::string> shared;
  std::set_intersection(pa.begin(), pa.end(), pb.begin(), pb.end(), std::back_inserter(shared));
  const std::size_t total = pa.size() + pb.size();
  return total == 0 ? 0.0 : 2.0 * static_cast<double>(shared.size()) / static_cast<double>(total);
}

/// Runs of English words one by one, Chinese runs whole.
std::vector<std::string> chunks(std::string_view text) {
  std::vector<std::string> result;
  bool extend = false;
  for (const Token& token : tokenise(text)) {
    if (!token.is_english && extend)
      result.back() += token.text;
    else
      result.push_back(token.text);
    extend = !token.is_english;
  }
  return result;
}

}  // namespace

const SoundWord* LexiconMatch::best() const {
  const SoundWord* best = nullptr;
  for (const SoundWord& sound : sounds) {
    if (!best || sound.score >= best->score) best = &sound;
  }
  return best;
}

LexiconMatch look_up(std::string_view text) {
  LexiconMatch match;
  const std::vector<const Key*> keys = find_keys(text);
  const auto names_sound = [](const Key* key) {
    return !key->entry->sound.empty() && !key->entry->is_object;
  };
  const bool has_sound = std::any_of(keys.begin(), keys.end(), names_sound);
  std::optional<int> usual_material;
  std::optional<double> usual_size, usual_intensity;
  for (const Key* key : keys) {
    const LexiconEntry& entry = *key->entry;
    if (names_sound(key) || (!entry.sound.empty() && !has_sound)) add_sound(match.sounds, *key);
    // Adjectives say what is; sounds and things only what is usual.
    const bool says = entry.sound.empty();
    auto& material = says ? match.material_id : usual_material;
    auto& size = says ? match.size : usual_size;
    auto& intensity = says ? match.intensity : usual_intensity;
    if (!entry.material.empty() && !material) material = material_id(entry.material);
    if (entry.size && (!entry.is_object || !has_sound) && !size) size = entry.size;
    if (entry.intensity && !intensity) intensity = entry.intensity;
    if (entry.sustained && !match.sustained) match.sustained = entry.sustained;
  }
  if (!match.material_id) match.material_id = usual_material;
  if (!match.size) match.size = usual_size;
  if (!match.intensity) match.intensity = usual_intensity;
  return match;
}

std::vector<std::string_view> nearest_classes(std::string_view text, std::size_t count) {
  constexpr double kAlike = 0.5;
  std::map<std::string_view, double> best;
  const std::vector<std::string> words = chunks(text);
  for (const auto& [stems, key] : index().keys) {
    if (key.entry->sound.empty()) continue;
    for (const std::string& word : words) {
      double& score = best[key.entry->sound];
      score = std::max(score, likeness(word, stems));
    }
  }
  std::vector<std::pair<double, std::string_view>> ranked;
  for (const auto& [name, score] : best) {
    if (score > kAlike) ranked.emplace_back(-score, name);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i)
    names.push_back(ranked[i].second);
  return names;
}

}  // namespace qingyin
