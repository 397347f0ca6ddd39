#include "video_gen/prompt/scene.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"
#include "core/text.h"
#include "video_gen/prompt/words.h"

namespace qingyin::prompt {
namespace {

constexpr std::size_t kLongestLine = 2000;  // bytes

// Words that stand behind a place in Chinese, and the English that stands in front.
struct Preposition {
  std::string_view chinese, english;
};
constexpr std::array<Preposition, 10> kPrepositions{{{"上面", "above"},
                                                     {"下面", "under"},
                                                     {"旁边", "beside"},
                                                     {"中间", "in the middle of"},
                                                     {"上空", "above"},
                                                     {"里", "in"},
                                                     {"中", "in"},
                                                     {"上", "on"},
                                                     {"下", "under"},
                                                     {"前", "in front of"}}};

// Words that carry grammar alone.
constexpr std::array<std::string_view, 18> kParticles{"的", "地", "得", "着", "了", "在",
                                                      "和", "与", "，", "。", "、", "！",
                                                      "？", "；", "只", "个", "正", "们"};
// Between a number and its noun.
constexpr std::array<std::string_view, 16> kMeasures{
    "只", "个", "匹", "头", "辆", "艘", "位", "名", "条", "朵", "片", "架", "把", "座", "棵", "扇"};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; });
}

template <class Words>
std::string_view begins_with(std::string_view text, const Words& words) {
  for (const std::string_view word : words)
    if (text.starts_with(word)) return word;
  return {};
}

const Word* word_at(std::string_view text) {
  for (const Word& word : words())
    if (text.starts_with(word.chinese)) return &word;
  return nullptr;
}

const Preposition* preposition_at(std::string_view text) {
  for (const Preposition& one : kPrepositions)
    if (text.starts_with(one.chinese)) return &one;
  return nullptr;
}

std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(bytes, text.size());
}

void join(std::string& to, std::string_view word) {
  if (word.empty()) return;
  if (!to.empty()) to += ' ';
  to += word;
}

bool begins_with_vowel(std::string_view text) {
  return !text.empty() && std::string_view("aeiou").find(text.front()) != std::string_view::npos;
}

std::string plural_of(const Word& noun) {
  if (!noun.plural.empty()) return std::string(noun.plural);
  const std::string english(noun.english);
  if (english.ends_with('s') || english.ends_with("ch") || english.ends_with("sh"))
    return english + "es";
  return english + "s";
}

/// Puts Chinese words together in English order.
class ChineseReader {
 public:
  Scene read(std::string_view line) {
    while (!line.empty()) line.remove_prefix(take(line));
    end_noun();
    if (!unknown_.empty()) scene_.unknown.push_back(unknown_);
    const bool shows_place = scene_.subject.empty() && scene_.motion.empty();
    if (shows_place && scene_.place.starts_with("in ")) scene_.place.erase(0, 3);
    for (const std::string& time : times_) join_part(scene_.place, time);
    return scene_;
  }

 private:
  /// Takes one word; returns its bytes.
  std::size_t take(std::string_view rest) {
    // A preposition stands behind the noun of its place.
    if (const Preposition* one = preposition_at(rest); one != nullptr && is_place_open()) {
      end_unknown();
      preposition_ = one->english;
      end_place();
      return one->chinese.size();
    }
    if (const Word* word = word_at(rest)) {
      end_unknown();
      add(*word);
      return word->chinese.size();
    }
    if (const std::string_view measure = begins_with(rest, kMeasures);
        !measure.empty() && !count_.empty()) {
      return measure.size();
    }
    if (const std::string_view particle = begins_with(rest, kParticles); !particle.empty()) {
      end_unknown();
      if (particle == "在" || particle == "，" || particle == "。") end_noun();
      opens_place_ = opens_place_ || particle == "在";
      begins_clause_ = begins_clause_ || particle == "，" || particle == "。";
      return particle.size();
    }
    const std::size_t bytes = character_bytes(rest);
    if (rest.front() != ' ') unknown_ += rest.substr(0, bytes);
    return bytes;
  }

  bool is_place_open() const {
    return noun_ != nullptr && (opens_place_ || noun_->kind == WordKind::kPlace);
  }

  void add(const Word& word) {
    if (!word.sound.empty()) scene_.sounds.emplace_back(word.sound);
    switch (word.kind) {
      case WordKind::kCount:
        end_noun();
        count_ = word.english;
        break;
      case WordKind::kQuality:
        end_noun();
        join(qualities_, word.english);
        break;
      case WordKind::kTime:
        times_.emplace_back(word.english);
        break;
      case WordKind::kManner:
        join(manner_, word.english);
        break;
      case WordKind::kVerb:
        end_noun();
        join(scene_.motion, word.english);
        join(scene_.motion, manner_);
        manner_.clear();
        break;
      default:
        end_noun();
        noun_ = &word;
    }
  }

  std::string noun_phrase() const {
    std::string phrase;
    const bool is_several = !count_.empty() && count_ != "a" && count_ != "a pair of";
    const bool is_counted = noun_->kind == WordKind::kNoun;
    if (!count_.empty() && count_ != "a") join(phrase, count_);
    if (noun_->kind == WordKind::kPlace) phrase = "the";
    join(phrase, qualities_);
    join(phrase, is_several && is_counted ? plural_of(*noun_) : std::string(noun_->english));
    const bool wants_article = is_counted && (count_.empty() || count_ == "a");
    if (wants_article) phrase = (begins_with_vowel(phrase) ? "an " : "a ") + phrase;
    return phrase;
  }

  /// A noun that nothing follows is the subject, or after a verb its object.
  void end_noun() {
    if (noun_ == nullptr) return;
    if (opens_place_ || noun_->kind == WordKind::kPlace) return end_place();
    if (begins_clause_ && !scene_.subject.empty())
      join_part(scene_.place, "with " + noun_phrase());
    else if (scene_.motion.empty())
      scene_.subject += (scene_.subject.empty() ? "" : " and ") + noun_phrase();
    else
      join(scene_.motion, noun_phrase());
    clear_noun();
  }

  void end_place() {
    std::string phrase(preposition_.empty() ? std::string_view("in") : preposition_);
    join_part(scene_.place, phrase + " " + noun_phrase());
    preposition_ = {};
    opens_place_ = false;
    clear_noun();
  }

  void clear_noun() {
    noun_ = nullptr;
    count_.clear();
    qualities_.clear();
  }

  static void join_part(std::string& to, std::string_view part) {
    if (!to.empty()) to += ", ";
    to += part;
  }

  void end_unknown() {
    if (!unknown_.empty()) scene_.unknown.push_back(unknown_);
    unknown_.clear();
  }

  Scene scene_;
  const Word* noun_ = nullptr;
  std::string count_, qualities_, manner_, unknown_;
  std::string_view preposition_;
  bool opens_place_ = false, begins_clause_ = false;
  std::vector<std::string> times_;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// Whether `word` stands in `text` between letters of other kinds; a plain plural counts too.
bool holds_word(const std::string& text, std::string_view word) {
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    auto end = at + word.size();
    if (end < text.size() && text[end] == 's') ++end;
    const bool begins = at == 0 || std::isalpha(static_cast<unsigned char>(text[at - 1])) == 0;
    const bool ends =
        end >= text.size() || std::isalpha(static_cast<unsigned char>(text[end])) == 0;
    if (begins && ends) return true;
  }
  return false;
}

std::vector<std::string> sounds_in(const std::string& line) {
  std::vector<std::pair<std::size_t, std::string>> found;
  const std::string text = lower(line);
  for (const Word& word : words())
    if (!word.sound.empty() && holds_word(text, word.english))
      found.emplace_back(text.find(word.english), word.sound);
  std::ranges::sort(found);
  std::vector<std::string> sounds;
  for (auto& [at, sound] : found) sounds.push_back(std::move(sound));
  return sounds;
}

/// The first place in `text` where one of some words begins, with spaces around it.
std::size_t find_any(const std::string& text, std::span<const std::string_view> wanted) {
  std::size_t best = text.npos;
  for (const std::string_view word : wanted)
    best = std::min(best, text.find(" " + std::string(word) + " "));
  return best;
}

/// Where the first word in -ing begins, after the subject's own words.
std::size_t find_motion(const std::string& text) {
  for (std::size_t at = text.find("ing"); at != text.npos; at = text.find("ing", at + 1)) {
    const bool ends = at + 3 == text.size() || text[at + 3] == ' ' || text[at + 3] == ',';
    const auto space = text.rfind(' ', at);
    // "a king", "a ring": a word in -ing that an article stands before is the subject.
    if (!ends || space == text.npos || at - space < 3) continue;
    const std::string before = lower(text.substr(0, space));
    const bool is_noun = before == "a" || before == "the" || before.ends_with(" a") ||
                         before.ends_with(" the") || before.ends_with(" an");
    if (!is_noun) return space + 1;
  }
  return text.npos;
}

Scene read_english(std::string_view line) {
  constexpr std::array<std::string_view, 15> kOpeners{
      "in",    "on",     "at",      "under", "through", "along", "across", "beside",
      "above", "inside", "outside", "near",  "behind",  "over",  "between"};
  Scene scene;
  std::string text(line);
  scene.sounds = sounds_in(text);
  if (const auto place = find_any(text, kOpeners); place != text.npos) {
    scene.place = text.substr(place + 1);
    text.resize(place);
  }
  if (const auto motion = find_motion(text); motion != text.npos) {
    scene.motion = text.substr(motion);
    text.resize(motion);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == ',')) text.pop_back();
  scene.subject = text;
  return scene;
}

std::string_view trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t\r\n.");
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r\n.") - begin + 1);
}

}  // namespace

Scene read_scene(std::string_view line) {
  line = trimmed(line);
  require(!line.empty(), ErrorCode::kUsage, "the description is empty; say what is to be seen");
  require(is_utf8(line) && line.size() <= kLongestLine, ErrorCode::kUsage,
          "the description " + excerpt(line) + " is no UTF-8 text of at most " +
              std::to_string(kLongestLine) + " bytes");
  if (is_ascii(line)) return read_english(line);
  const bool has_words = std::ranges::any_of(
      words(), [&](const Word& word) { return line.find(word.chinese) != line.npos; });
  if (!has_words) {
    // Latin letters with accents are English enough for the networks.
    const bool is_latin =
        std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) >= 0xE3; });
    require(is_latin, ErrorCode::kUsage,
            "no word of " + excerpt(line) + " is known; describe it in English");
    return read_english(line);
  }
  return ChineseReader().read(line);
}

}  // namespace qingyin::prompt
