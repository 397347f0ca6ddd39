#include "pipeline/labeller.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>
#include <utility>

#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "core/media/frame_reader.h"
#include "core/memory.h"
#include "core/sha256.h"
#include "core/text.h"
#include "understanding/labels/label_choice.h"
#include "understanding/picture_preparation.h"

namespace qingyin {
namespace {

// Bump when what CLIP sees of a glance, or which texts stand for a label, changes.
constexpr const char* kPreparation = "labels/1";
constexpr std::size_t kGuesses = 3, kPicturesAtOnce = 4;
constexpr std::int64_t kLongestSide = 1280;  // of decoded frames; CLIP sees 384 pixels
constexpr double kTextsShare = 0.2;          // of the work

using Part = VisualEncoder::Part;

std::string key_of(const Glance& glance, const std::string& clip_sha256,
                   const std::string& encoder) {
  char place[96];
  std::snprintf(place, sizeof place, "%.9f", glance.time.count());
  std::string key =
      std::string(kPreparation) + "\n" + encoder + "\n" + clip_sha256 + "\nglance " + place;
  if (!glance.place) return key;
  std::snprintf(place, sizeof place, " %.6f %.6f", (*glance.place)[0], (*glance.place)[1]);
  return key + place;
}

PreparedPicture prepared(const Frame& frame, const Glance& glance) {
  if (!glance.place) return prepare_clip_picture({frame.height, frame.width, frame.pixels});
  const SquareCut cut = square_around(*glance.place, frame.width, frame.height);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(cut.side * cut.side * 3));
  for (std::int64_t y = cut.top; y < cut.top + cut.side; ++y) {
    const auto row = frame.pixels.begin() + (y * frame.width + cut.left) * 3;
    pixels.insert(pixels.end(), row, row + cut.side * 3);
  }
  return prepare_clip_picture({cut.side, cut.side, pixels});
}

/// Pictures of the frames that are shown at certain times, in one pass over a clip.
class GlanceReader {
 public:
  explicit GlanceReader(const ClipInfo& clip)
      : reader_(open_frames(clip, {.longest_side = kLongestSide})) {
    upcoming_ = reader_->next();
    require(upcoming_.has_value(), ErrorCode::kInvalidInput,
            printable(clip.path) + ": no picture can be decoded");
  }

  /// @param glance  not before the last one
  PreparedPicture read(const Glance& glance) {
    while (upcoming_ && (!shown_ || upcoming_->time <= glance.time)) {
      shown_ = std::move(upcoming_);
      upcoming_ = reader_->next();
    }
    return prepared(*shown_, glance);
  }

 private:
  std::unique_ptr<FrameReader> reader_;
  std::optional<Frame> shown_, upcoming_;
};

}  // namespace

LabelVocabulary label_vocabulary() {
  LabelVocabulary vocabulary;
  for (const SoundClassInfo& sound : sound_classes())
    vocabulary.sounds.push_back({sound.name, sound.lane});
  const auto materials = sound_materials();
  vocabulary.materials.assign(materials.begin() + 1, materials.end());  // the first is "none"
  return vocabulary;
}

std::map<std::string, std::int64_t> Labeller::Facts::by_name() const {
  return {{"label_pictures_encoded", pictures_encoded},
          {"label_pictures_cached", pictures_cached},
          {"label_texts_encoded", texts_encoded},
          {"label_texts_cached", texts_cached}};
}

Labeller::Labeller(std::unique_ptr<VisualEncoder> encoder, FeatureCache cache, LabelSet set,
                   std::map<std::string, std::string> models, std::size_t most_glances)
    : encoder_(std::move(encoder)),
      cache_(std::move(cache)),
      set_(std::move(set)),
      models_(std::move(models)),
      most_glances_(most_glances) {
  models_["labels"] = set_.sha256;
}

std::string Labeller::identity() const {
  std::string text = std::string(kPreparation) + " " + std::to_string(most_glances_) + " " +
                     encoder_->identity(Part::kWords);
  for (const auto& [name, digest] : models_) text += " " + name + ":" + digest;
  return text;
}

FeatureTensor Labeller::rows_of_labels(Facts& facts, const Progress& progress) {
  const auto texts = texts_of(set_);
  std::string all;
  for (const auto& text : texts) all += text + "\n";
  const std::string key = std::string(kPreparation) + "\n" + encoder_->identity(Part::kWords) +
                          "\ntexts " + sha256_hex(all);
  if (auto known = cache_.find(key)) {
    facts.texts_cached += std::ssize(texts);
    return *std::move(known);
  }
  facts.texts_encoded += std::ssize(texts);
  FeatureTensor rows = label_rows(encoder_->texts(texts, progress), encoder_->logit_scale());
  cache_.put(key, rows);
  return rows;
}

std::vector<std::vector<float>> Labeller::look(const LabelPlan& plan, const ClipInfo& clip,
                                               const std::string& clip_sha256, Facts& facts,
                                               const Progress& progress) {
  const std::string encoder = encoder_->identity(Part::kPictures);
  std::vector<std::vector<float>> rows(plan.glances.size());
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < plan.glances.size(); ++i) {
    if (auto known = cache_.find(key_of(plan.glances[i], clip_sha256, encoder)))
      rows[i] = std::move(known->values);
    else
      unknown.push_back(i);
  }
  facts.pictures_encoded += std::ssize(unknown);
  facts.pictures_cached += std::ssize(plan.glances) - std::ssize(unknown);
  if (unknown.empty()) return rows;
  GlanceReader reader(clip);
  for (std::size_t first = 0; first < unknown.size(); first += kPicturesAtOnce) {
    report(progress, "naming what sounds",
           static_cast<double>(first) / static_cast<double>(unknown.size()));
    const auto batch =
        std::span(unknown).subspan(first, std::min(kPicturesAtOnce, unknown.size() - first));
    std::vector<PreparedPicture> pictures;
    for (const std::size_t i : batch) pictures.push_back(reader.read(plan.glances[i]));
    const FeatureTensor seen = encoder_->pictures(pictures, {});
    const auto width = static_cast<std::ptrdiff_t>(seen.shape.at(1));
    for (std::size_t k = 0; k < batch.size(); ++k) {
      const auto begin = seen.values.begin() + static_cast<std::ptrdiff_t>(k) * width;
      rows[batch[k]].assign(begin, begin + width);
      cache_.put(key_of(plan.glances[batch[k]], clip_sha256, encoder),
                 {.shape = {1, width}, .values = rows[batch[k]], .hop = Seconds(0)});
    }
  }
  return rows;
}

Labeller::Outcome Labeller::label(EventTimeline& timeline, const ClipInfo& clip,
                                  const std::string& clip_sha256, bool wants_ambience,
                                  const Progress& progress) {
  const std::lock_guard one_at_a_time(mutex_);
  Outcome outcome;
  const LabelPlan plan =
      plan_labels(timeline, {.most_glances = most_glances_, .wants_ambience = wants_ambience});
  if (plan.targets.empty()) return outcome;
  const FeatureTensor rows = rows_of_labels(outcome.facts, part_of(progress, 0, kTextsShare));
  const auto pictures =
      look(plan, clip, clip_sha256, outcome.facts, part_of(progress, kTextsShare, 1));
  encoder_->release();
  give_back_freed_memory();
  std::vector<std::vector<LabelGuess>> guesses;
  for (const LabelTarget& target : plan.targets) {
    std::vector<std::vector<float>> seen;
    for (const std::size_t i : target.glances) seen.push_back(pictures[i]);
    guesses.push_back(likeliest(set_, rows, seen, target.kind, kGuesses));
  }
  write_labels(set_, plan, guesses, timeline);
  timeline.made_by.models.insert(models_.begin(), models_.end());
  if (plan.unseen > 0)
    outcome.warnings.push_back(
        "labels: " + std::to_string(plan.unseen) + " things or shots got no name, for only " +
        std::to_string(most_glances_) + " pictures are looked at; --label-pictures allows more");
  return outcome;
}

}  // namespace qingyin
