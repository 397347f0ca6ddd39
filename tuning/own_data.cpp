#include "tuning/own_data.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "audio_gen/bundled/class_list.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/lexicon.h"
#include "core/error.h"
#include "core/media/clip.h"
#include "core/media/sound_file.h"
#include "core/sha256.h"
#include "core/text.h"
#include "understanding/picture_kinds.h"

namespace qingyin::tuning {
namespace {

namespace fs = std::filesystem;

constexpr int kRate = bundled::kSampleRate;
constexpr Seconds kLongestFile{900};
constexpr std::uintmax_t kMostLabelBytes = 16 << 20;
constexpr std::size_t kMostFiles = 20000, kMostSounds = 5000;
/// Lengths in tokens that windows are cut from (`latents_of`).
constexpr std::int64_t kOneShotTokens = 56, kSustainedTokens = 80, kTextureTokens = 80;
constexpr std::int64_t kLeastTextureTokens = bundled::kWindowTokens + 1;

constexpr std::array<std::string_view, 18> kExtensions{
    ".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg", ".opus", ".m4a", ".caf",
    ".w64", ".aac",  ".mp4", ".mov",  ".m4v", ".mkv", ".webm", ".avi", ".mpg"};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool may_be_media(const fs::path& file) {
  const std::string extension = lower(file.extension().string());
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

/// Names below the folder, sorted; hidden files and links to folders are passed over.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::error_code error;
  require(fs::is_directory(folder, error), ErrorCode::kInvalidInput,
          printable(folder) + ": there is no such folder; expected one with sounds or videos");
  std::vector<fs::path> files;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, options, error), end; at != end;
       at.increment(error)) {
    require(!error, ErrorCode::kInvalidInput,
            printable(folder) + ": cannot be read (" + error.message() + ")");
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || name.ends_with(".run")) {
      if (at->is_directory(error)) at.disable_recursion_pending();
      continue;
    }
    if (at->is_regular_file(error) && may_be_media(at->path())) {
      files.push_back(at->path().lexically_relative(folder));
    }
    require(files.size() <= kMostFiles, ErrorCode::kInvalidInput,
            printable(folder) + ": it holds more than 20000 files; take a part of them");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_text(const fs::path& file) {
  std::error_code error;
  require(fs::is_regular_file(file, error) && fs::file_size(file, error) <= kMostLabelBytes,
          ErrorCode::kInvalidInput,
          printable(file) + ": there is no such file of labels (or it is larger than 16 MB)");
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Reads one folder.
class Reader {
 public:
  explicit Reader(const TuneRequest& request) : request_(request) {
    for (const NewClass& c : request.new_classes) {
      require(!c.name.empty() && c.name.size() <= 40, ErrorCode::kUsage,
              "a class of your own needs a name of up to 40 letters");
      require(!class_id(c.name), ErrorCode::kUsage,
              "\"" + c.name + "\" is one of the program's own classes; leave out --new for it");
    }
  }

  OwnData read(const Progress& progress);

 private:
  /// A sound and how loud it was, which among others of its class means its intensity.
  struct Found {
    OwnSound sound;
    double level_dbfs;
    bool is_intensity_known;
  };

  void read_labels();
  std::vector<Label> labels_of(const fs::path& file);
  void read_file(const fs::path& file);
  void take_sounds(const fs::path& file, const Label& label, const std::vector<float>& mono);
  void take_texture(const Label& label, std::size_t index, const std::vector<float>& mono);
  void take_onsets(const fs::path& file, const std::vector<Label>& labels,
                   const std::vector<float>& mono);
  void add(const Label& label, std::size_t index, const Take& take, SoundShape shape,
           const std::vector<float>& mono);
  std::size_t class_index(const Label& label);
  SoundShape shape_of(std::size_t index, const std::vector<float>& mono,
                      const std::vector<Take>& takes);
  void refuse(const fs::path& file, const std::string& reason, const std::string& message) {
    data_.report.refused.push_back({file.generic_string(), reason, message});
  }
  void set_intensities();
  void drop_empty_classes();
  bool wants_sounds() const { return request_.parts != Parts::kDetector; }
  bool wants_onsets() const { return request_.parts != Parts::kSounds; }

  const TuneRequest& request_;
  LabelTable table_;
  std::set<std::string> used_rows_;
  std::set<std::pair<std::size_t, std::string>> counted_;  // files of each class
  std::vector<Found> found_;
  OwnData data_;
  std::string digested_;
};

void Reader::read_labels() {
  fs::path file = request_.labels;
  if (file.empty()) file = request_.folder / "labels.csv";
  std::error_code error;
  if (request_.labels.empty() && !fs::exists(file, error)) return;
  const std::string text = read_text(file);
  table_ = read_label_table(text, printable(file.filename()));
  for (const std::string& fault : table_.faults) {
    refuse(file.filename(), "bad_label", fault);
  }
}

/// What is said of a file: rows of the table, else the class for all, else its name.
std::vector<Label> Reader::labels_of(const fs::path& file) {
  for (const std::string& key : {file.generic_string(), file.filename().generic_string()}) {
    const auto rows = table_.rows.find(key);
    if (rows == table_.rows.end()) continue;
    used_rows_.insert(key);
    return rows->second;
  }
  const std::string where = printable(file);
  const auto ucs = parse_ucs_name(file);
  Label label{.sound_class = lower(request_.sound_class),
              .material = {},
              .size = {},
              .intensity = {},
              .onset_s = {},
              .caption = ucs ? ucs->fx_name : "",
              .shape = {},
              .where = where};
  if (!label.sound_class.empty()) return {label};
  if (!ucs) return {};
  label.sound_class = ucs->sound_class;
  label.material = ucs->material;
  // The effect's own name may say one of the user's classes: "Rusty Squeak".
  std::vector<AdapterClass> own;
  for (const NewClass& c : request_.new_classes) own.emplace_back().name = c.name;
  if (const auto id = bundled::ClassList(0, own).find(ucs->fx_name)) {
    label.sound_class = own[static_cast<std::size_t>(*id) - sound_classes().size()].name;
  }
  if (label.sound_class.empty()) {
    refuse(file, "unknown_label",
           "its category " + ucs->cat_id +
               " is none that the program has a class for; name one in labels.csv or with --class");
    return {};
  }
  return {label};
}

std::size_t Reader::class_index(const Label& label) {
  for (std::size_t k = 0; k < data_.classes.size(); ++k) {
    if (data_.classes[k].name == label.sound_class) return k;
  }
  AdapterClass own;
  own.name = label.sound_class;
  if (const auto id = class_id(label.sound_class)) {
    const SoundClassInfo& info = sound_classes()[static_cast<std::size_t>(*id)];
    own.shape = bundled::name_of(info.shape);
    own.lane = info.lane;
    own.uses_material = info.uses_material;
  } else {
    const auto declared =
        std::find_if(request_.new_classes.begin(), request_.new_classes.end(),
                     [&](const NewClass& c) { return lower(c.name) == label.sound_class; });
    if (declared == request_.new_classes.end()) {
      std::string near;
      for (const auto name : nearest_classes(label.sound_class)) near += " " + std::string(name);
      throw Error(ErrorCode::kInvalidInput,
                  label.where + ": the class " + excerpt(label.sound_class) + " is not known" +
                      (near.empty() ? "" : "; near it:" + near) +
                      "; if it is to be one of your own, say so: --new " + label.sound_class,
                  "unknown_label");
    }
    own.is_new = true;
    own.shape = declared->shape.empty() ? label.shape : declared->shape;
  }
  data_.classes.push_back(own);
  auto& count = data_.report.classes.emplace_back();
  count.name = own.name;
  count.is_new = own.is_new;
  count.shape = own.shape;
  return data_.classes.size() - 1;
}

SoundShape Reader::shape_of(std::size_t index, const std::vector<float>& mono,
                            const std::vector<Take>& takes) {
  AdapterClass& own = data_.classes[index];
  if (own.shape.empty()) own.shape = bundled::name_of(shape_of_takes(mono, takes));
  data_.report.classes[index].shape = own.shape;
  return bundled::sound_shape(own.shape).value_or(SoundShape::kOneShot);
}

void Reader::add(const Label& label, std::size_t index, const Take& take, SoundShape shape,
                 const std::vector<float>& mono) {
  constexpr std::size_t kFade = kRate / 500;  // over an end that is cut
  const auto tokens = shape == SoundShape::kOneShot ? kOneShotTokens : kSustainedTokens;
  const auto longest = static_cast<std::size_t>(tokens * bundled::kTokenSamples);
  const auto lead =
      static_cast<std::size_t>(shape == SoundShape::kTexture ? 0 : bundled::kLeadSamples);
  const std::size_t length = std::min(take.end - take.begin, longest - lead);
  Found found{{}, take.level_dbfs, label.intensity.has_value()};
  OwnSound& own = found.sound;
  own.class_index = index;
  const LexiconMatch words = look_up(label.caption);
  if (!label.material.empty()) own.material_id = material_id(label.material).value_or(0);
  if (label.material.empty() && words.material_id) own.material_id = *words.material_id;
  AdapterClass& known = data_.classes[index];
  if (known.is_new && own.material_id != 0) known.uses_material = true;
  if (!known.is_new && !known.uses_material) own.material_id = 0;
  own.size = label.size.value_or(words.size.value_or(0.5));
  own.intensity = label.intensity.value_or(words.intensity.value_or(0.5));
  own.samples.assign(lead, 0.0F);
  const auto first = mono.begin() + static_cast<std::ptrdiff_t>(take.begin);
  own.samples.insert(own.samples.end(), first, first + static_cast<std::ptrdiff_t>(length));
  for (std::size_t i = 0; i < std::min(kFade, length); ++i) {
    own.samples[own.samples.size() - 1 - i] *= static_cast<float>(i) / kFade;
  }
  if (shape == SoundShape::kSustained) {
    own.duration_s = static_cast<double>(take.end - take.begin) / kRate;
    own.level_curve = level_curve_of(std::span(mono).subspan(take.begin, take.end - take.begin));
  }
  data_.report.seconds += static_cast<double>(length) / kRate;
  ++data_.report.classes[index].sounds;
  ++known.sounds;
  found_.push_back(std::move(found));
}

void Reader::take_texture(const Label& label, std::size_t index, const std::vector<float>& mono) {
  const auto whole = static_cast<std::size_t>(kTextureTokens * bundled::kTokenSamples);
  const auto least = static_cast<std::size_t>(kLeastTextureTokens * bundled::kTokenSamples);
  auto pieces = texture_pieces(mono, whole);
  if (pieces.empty()) pieces = texture_pieces(mono, least);
  require(!pieces.empty(), ErrorCode::kInvalidInput,
          "it is shorter than the 1.8 s that a texture needs");
  for (const Take& piece : pieces) add(label, index, piece, SoundShape::kTexture, mono);
}

void Reader::take_sounds(const fs::path& file, const Label& label, const std::vector<float>& mono) {
  try {
    const std::size_t index = class_index(label);
    std::vector<Take> takes;
    if (label.onset_s) {
      if (const auto take = take_near(mono, *label.onset_s)) takes.push_back(*take);
    } else {
      takes = find_takes(mono);
    }
    const SoundShape shape = shape_of(index, mono, takes);
    if (shape == SoundShape::kTexture) {
      take_texture(label, index, mono);
    } else if (takes.empty()) {
      refuse(file, "no_onset",
             label.onset_s ? label.where + ": no sound begins within 0.1 s of its onset"
                           : "no single sound stands out of its background");
      return;
    }
    if (shape != SoundShape::kTexture) {
      for (const Take& take : takes) add(label, index, take, shape, mono);
    }
    if (counted_.insert({index, file.generic_string()}).second) {
      ++data_.report.classes[index].files;
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidInput) throw;
    refuse(file, error.reason().empty() ? "too_short" : error.reason(), error.what());
  }
}

/// Onsets of a video's sound, their strength by their level under the loudest.
void Reader::take_onsets(const fs::path& file, const std::vector<Label>& labels,
                         const std::vector<float>& mono) {
  OwnVideo video{file, {}};
  int kind = -1;
  for (std::size_t k = 0; k < kOnsetKinds && labels.size() == 1; ++k) {
    if (labels.front().sound_class == kOnsetLabels[k]) kind = static_cast<int>(k);
  }
  const std::vector<Take> takes = find_takes(mono);
  double loudest = -200;
  for (const Take& take : takes) loudest = std::max(loudest, take.level_dbfs);
  for (const Take& take : takes) {
    video.onsets.push_back({static_cast<double>(take.begin) / kRate,
                            std::clamp(0.8 + (take.level_dbfs - loudest) / 29, 0.0, 1.0), kind});
  }
  if (video.onsets.empty()) return;
  data_.report.onsets += std::ssize(video.onsets);
  data_.videos.push_back(std::move(video));
}

void Reader::read_file(const fs::path& file) {
  const fs::path path = request_.folder / file;
  bool has_picture = false;
  std::vector<float> mono;
  try {
    SoundFile sound = read_sound_file(path, kLongestFile);
    has_picture = sound.has_picture;
    mono = std::move(sound.mono);
    for (const auto& warning : sound.warnings) {
      data_.report.warnings.push_back(printable(file) + ": " + warning);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidInput) throw;
    refuse(file, error.reason(), error.what());
    return;
  }
  if (const auto fault = recording_fault(mono)) {
    refuse(file, fault->reason, fault->message);
    return;
  }
  const auto refused = data_.report.refused.size();
  const std::size_t sounds = found_.size(), videos = data_.videos.size();
  const std::vector<Label> labels = labels_of(file);
  if (wants_sounds()) {
    for (const Label& label : labels) take_sounds(file, label, mono);
  }
  if (wants_onsets() && has_picture) take_onsets(file, labels, mono);
  const bool is_used = found_.size() > sounds || data_.videos.size() > videos;
  if (is_used) {
    ++data_.report.files;
    digested_ += file.generic_string() + "\n" + sha256_of_file(path) + "\n";
  } else if (data_.report.refused.size() == refused) {
    refuse(file, labels.empty() ? "no_label" : "no_onset",
           labels.empty() ? "nothing says what it is: neither labels.csv, nor --class, nor a name "
                            "by the UCS scheme (CatID_FXName_CreatorID_SourceID)"
                          : "no single sound stands out of its background");
  }
}

/// Where nobody says it, the loudest of a class's sounds are the strong ones: 29 dB are the whole
/// range, as in `level_dbfs`. Sounds that are all of a level say nothing.
void Reader::set_intensities() {
  constexpr double kSpreadDb = 6, kRangeDb = 29;
  constexpr std::size_t kFew = 4;
  for (std::size_t k = 0; k < data_.classes.size(); ++k) {
    std::vector<double> levels;
    for (const Found& f : found_) {
      if (f.sound.class_index == k && !f.is_intensity_known) levels.push_back(f.level_dbfs);
    }
    if (levels.size() < kFew) continue;
    std::sort(levels.begin(), levels.end());
    const double middle = levels[levels.size() / 2];
    if (levels.back() - levels.front() < kSpreadDb) continue;
    for (Found& f : found_) {
      if (f.sound.class_index != k || f.is_intensity_known) continue;
      f.sound.intensity = std::clamp(0.5 + (f.level_dbfs - middle) / kRangeDb, 0.05, 0.95);
    }
  }
}

/// A class that was named, but of which nothing could be used, is none.
void Reader::drop_empty_classes() {
  for (std::size_t k = data_.classes.size(); k-- > 0;) {
    if (data_.classes[k].sounds > 0) continue;
    data_.classes.erase(data_.classes.begin() + static_cast<std::ptrdiff_t>(k));
    data_.report.classes.erase(data_.report.classes.begin() + static_cast<std::ptrdiff_t>(k));
    for (Found& f : found_) {
      if (f.sound.class_index > k) --f.sound.class_index;
    }
  }
}

OwnData Reader::read(const Progress& progress) {
  const std::vector<fs::path> files = files_below(request_.folder);
  read_labels();
  for (std::size_t i = 0; i < files.size(); ++i) {
    report(progress, "read", static_cast<double>(i) / static_cast<double>(files.size()));
    if (found_.size() < kMostSounds) {
      read_file(files[i]);
    } else {
      refuse(files[i], "limit", "5000 sounds were found before it, which is the most");
    }
  }
  for (const auto& [file, rows] : table_.rows) {
    if (used_rows_.contains(file)) continue;
    const bool is_there = std::any_of(files.begin(), files.end(), [&](const fs::path& f) {
      return f.generic_string() == file || f.filename().generic_string() == file;
    });
    if (!is_there) {
      refuse(file, "not_found", rows.front().where + ": there is no such sound or video here");
    }
  }
  drop_empty_classes();
  set_intensities();
  for (Found& f : found_) {
    const OwnSound& s = f.sound;
    digested_ += data_.classes[s.class_index].name + " " + std::to_string(s.material_id) + " " +
                 std::to_string(s.size) + " " + std::to_string(s.intensity) + " " +
                 std::to_string(s.samples.size()) + "\n";
    data_.sounds.push_back(std::move(f.sound));
  }
  data_.digest = sha256_hex(digested_);
  return std::move(data_);
}

}  // namespace

OwnData read_own_data(const TuneRequest& request, const Progress& progress) {
  return Reader(request).read(progress);
}

}  // namespace qingyin::tuning
