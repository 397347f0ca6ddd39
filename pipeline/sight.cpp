#include "pipeline/sight.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/media/frame_reader.h"
#include "core/memory.h"
#include "core/text.h"
#include "understanding/frame_picking.h"
#include "understanding/picture_preparation.h"

namespace qingyin {
namespace {

// Bump when preparation or picking changes what an encoder sees.
constexpr const char* kPreparation = "prepared/1";
constexpr std::int64_t kPicturesAtOnce = 64, kSegmentsAtOnce = 24;  // 8 s; one cache entry

using Part = VisualEncoder::Part;

/// One of the two ways in which a clip is looked at: ticks at a steady rate, in pieces.
struct Gaze {
  Part part;
  double rate_hz;
  std::int64_t units;          // pictures or segments, of the clip
  std::int64_t units_at_once;  // of a piece
  std::int64_t step, extra;    // ticks from one unit to the next, and what a piece needs beyond
  std::int64_t rows_per_unit;
  const char* name;

  std::int64_t pieces() const { return (units + units_at_once - 1) / units_at_once; }
  std::int64_t units_of(std::int64_t piece) const {
    return std::min(units_at_once, units - piece * units_at_once);
  }
  std::int64_t first_tick(std::int64_t piece) const { return piece * units_at_once * step; }
  std::int64_t end_tick(std::int64_t piece) const {
    return first_tick(piece) + units_of(piece) * step + extra;
  }
};

/// Whether a piece holds anything of the spans that an engine asks for.
bool is_asked_for(const Gaze& gaze, std::int64_t piece, const SightNeed& need) {
  const Seconds begin(static_cast<double>(gaze.first_tick(piece)) / gaze.rate_hz);
  const Seconds end(static_cast<double>(gaze.end_tick(piece)) / gaze.rate_hz);
  return need.spans.empty() || std::ranges::any_of(need.spans, [&](const auto& span) {
           return span.first < end && begin < span.second;
         });
}

Gaze gaze_at_pictures(std::int64_t units) {
  return {Part::kPictures, kClipPicturesHz, units, kPicturesAtOnce, 1, 0, 1, "pictures"};
}

Gaze gaze_at_motion(std::int64_t units) {
  return {Part::kMotion,      kSyncFramesHz,    units,
          kSegmentsAtOnce,    kSyncSegmentStep, kSyncSegmentFrames - kSyncSegmentStep,
          kSyncSegmentTokens, "motion"};
}

std::string key_of(const Gaze& gaze, std::int64_t piece, const std::string& clip_sha256,
                   const std::string& encoder) {
  return std::string(kPreparation) + "\n" + encoder + "\n" + clip_sha256 + "\n" + gaze.name + " " +
         std::to_string(gaze.first_tick(piece)) + "-" + std::to_string(gaze.end_tick(piece));
}

PreparedPicture prepared(const Frame& frame, Part part) {
  const RgbView view{frame.height, frame.width, frame.pixels};
  return part == Part::kPictures ? prepare_clip_picture(view) : prepare_sync_picture(view);
}

}  // namespace

std::map<std::string, std::int64_t> SightFacts::since(const SightFacts& earlier) const {
  return {{"pictures_encoded", pictures_encoded - earlier.pictures_encoded},
          {"pictures_cached", pictures_cached - earlier.pictures_cached},
          {"segments_encoded", segments_encoded - earlier.segments_encoded},
          {"segments_cached", segments_cached - earlier.segments_cached},
          {"words_encoded", words_encoded - earlier.words_encoded},
          {"words_cached", words_cached - earlier.words_cached}};
}

/// One pass over a clip for the pieces that are not in the cache.
class Look {
 public:
  Look(Sight& sight, const ClipInfo& clip, const Gaze& gaze, std::vector<std::string> keys,
       const SightNeed& need)
      : sight_(sight), clip_(clip), gaze_(gaze), keys_(std::move(keys)) {
    for (std::int64_t piece = 0; piece < gaze.pieces(); ++piece) {
      if (!is_asked_for(gaze, piece, need)) {
        is_known_.push_back(true);
        continue;
      }
      const bool is_known = sight.find(keys_[static_cast<std::size_t>(piece)]).has_value();
      is_known_.push_back(is_known);
      count(gaze.units_of(piece), is_known);
    }
  }

  void run(const Progress& progress) {
    if (std::ranges::all_of(is_known_, [](bool known) { return known; })) return;
    const auto reader = open_frames(clip_);
    FramePicker picker(gaze_.rate_hz, Ticks::kExact);
    std::optional<PreparedPicture> last;
    while (piece_ < gaze_.pieces()) {
      auto frame = reader->next();
      if (!frame) break;
      const double fraction = frame->time / std::max(clip_.duration, Seconds(1e-3));
      report(progress, gaze_.name, std::min(1.0, fraction));
      const std::int64_t ticks = picker.answer(frame->time.count());
      // Each frame may be the last one, which stands still past the end.
      last_frame_ = *std::move(frame);
      if (ticks > 0) answer(ticks, progress);
    }
    require(last_frame_.has_value(), ErrorCode::kInvalidInput,
            printable(clip_.path) + ": no picture can be decoded");
    while (piece_ < gaze_.pieces()) answer(gaze_.end_tick(piece_) - tick_, progress);
    sight_.rest();
  }

 private:
  void count(std::int64_t units, bool is_known) {
    SightFacts& facts = sight_.facts_;
    if (gaze_.part == Part::kPictures)
      (is_known ? facts.pictures_cached : facts.pictures_encoded) += units;
    else
      (is_known ? facts.segments_cached : facts.segments_encoded) += units;
  }

  /// Shows the current frame for so many ticks.
  void answer(std::int64_t ticks, const Progress& progress) {
    std::optional<PreparedPicture> picture;
    for (; ticks > 0 && piece_ < gaze_.pieces(); --ticks, ++tick_) {
      const bool is_shared = tick_ >= gaze_.end_tick(piece_) - gaze_.extra;  // with the next piece
      const bool is_wanted = !is_known(piece_) || (is_shared && !is_known(piece_ + 1));
      if (is_wanted && !picture) picture = prepared(*last_frame_, gaze_.part);
      // Pieces that are known get stand-ins, so that places in `seen_` stay ticks.
      seen_.push_back(is_wanted ? *picture : PreparedPicture{});
      if (tick_ + 1 == gaze_.end_tick(piece_)) finish_piece(progress);
    }
  }

  void finish_piece(const Progress& progress) {
    if (!is_known(piece_)) {
      const Progress watch = [&](std::string_view, double) {
        return !progress || progress(gaze_.name, static_cast<double>(piece_) /
                                                     static_cast<double>(gaze_.pieces()));
      };
      sight_.keep(keys_[static_cast<std::size_t>(piece_)],
                  gaze_.part == Part::kPictures ? sight_.encoder_->pictures(seen_, watch)
                                                : sight_.encoder_->motion(seen_, watch));
    }
    seen_.erase(seen_.begin(), seen_.end() - gaze_.extra);
    ++piece_;
  }

  bool is_known(std::int64_t piece) const {
    return piece >= gaze_.pieces() || is_known_[static_cast<std::size_t>(piece)];
  }

  Sight& sight_;
  const ClipInfo& clip_;
  Gaze gaze_;
  std::vector<std::string> keys_;
  std::vector<bool> is_known_;
  std::vector<PreparedPicture> seen_;  // ticks of the current piece
  std::optional<Frame> last_frame_;
  std::int64_t tick_ = 0, piece_ = 0;
};

namespace {

/// Rows of a clip that was looked at, from the pieces in the cache; one piece is in memory.
class SeenClip : public ClipSenses {
 public:
  using Find = std::function<std::optional<FeatureTensor>(const std::string&)>;
  struct Side {
    Gaze gaze;
    std::vector<std::string> keys;
    std::int64_t piece = -1;
    FeatureTensor rows;
  };

  SeenClip(Find find, Side pictures, Side motion)
      : find_(std::move(find)), pictures_(std::move(pictures)), motion_(std::move(motion)) {}

  FeatureTensor pictures(std::int64_t first, std::int64_t count) override {
    return rows(pictures_, first, count);
  }
  FeatureTensor motion(std::int64_t first, std::int64_t count) override {
    return rows(motion_, first, count);
  }

 private:
  FeatureTensor rows(Side& side, std::int64_t first, std::int64_t count) const {
    FeatureTensor made;
    for (std::int64_t unit = first; unit < first + count;) {
      const std::int64_t piece = unit / side.gaze.units_at_once;
      load(side, piece);
      const std::int64_t begin = unit - piece * side.gaze.units_at_once;
      const std::int64_t end =
          std::min(first + count - piece * side.gaze.units_at_once, side.gaze.units_of(piece));
      require(end > begin, ErrorCode::kInternal, "pipeline: a window looks past what was seen");
      const std::int64_t width = side.rows.shape.back() * side.gaze.rows_per_unit;
      made.values.insert(made.values.end(), side.rows.values.begin() + begin * width,
                         side.rows.values.begin() + end * width);
      unit += end - begin;
    }
    made.shape = {count * side.gaze.rows_per_unit, side.rows.shape.back()};
    made.hop = side.rows.hop;
    return made;
  }

  void load(Side& side, std::int64_t piece) const {
    if (side.piece == piece) return;
    require(piece < std::ssize(side.keys), ErrorCode::kInternal,
            "pipeline: a window looks past what was seen");
    auto found = find_(side.keys[static_cast<std::size_t>(piece)]);
    require(found.has_value(), ErrorCode::kIo,
            "features of the clip vanished from the cache while they were used; run it again");
    side.rows = *std::move(found);
    side.piece = piece;
  }

  Find find_;
  Side pictures_, motion_;
};

}  // namespace

Sight::Sight(std::unique_ptr<VisualEncoder> encoder, FeatureCache cache)
    : encoder_(std::move(encoder)), cache_(std::move(cache)) {}
Sight::~Sight() = default;

void Sight::rest() {
  encoder_->release();
  give_back_freed_memory();
}

std::optional<FeatureTensor> Sight::find(const std::string& key) const {
  const auto unsaved = unsaved_.find(key);
  return unsaved != unsaved_.end() ? unsaved->second : cache_.find(key);
}

void Sight::keep(const std::string& key, FeatureTensor features) {
  if (cache_.put(key, features)) return;
  facts_.is_cache_broken = true;
  unsaved_.insert_or_assign(key, std::move(features));
}

FeatureTensor Sight::read(const std::string& words) {
  const std::string key =
      std::string(kPreparation) + "\n" + encoder_->identity(Part::kWords) + "\nwords\n" + words;
  if (auto known = find(key)) {
    ++facts_.words_cached;
    return *std::move(known);
  }
  ++facts_.words_encoded;
  FeatureTensor features = encoder_->words(words);
  keep(key, features);
  return features;
}

std::unique_ptr<ClipSenses> Sight::look_at(const ClipInfo& clip, const std::string& clip_sha256,
                                           const SightNeed& need, const Progress& progress) {
  const auto look = [&](const Gaze& gaze, const Progress& watch) {
    const std::string encoder = encoder_->identity(gaze.part);
    SeenClip::Side side{.gaze = gaze, .keys = {}, .piece = -1, .rows = {}};
    for (std::int64_t piece = 0; piece < gaze.pieces(); ++piece)
      side.keys.push_back(key_of(gaze, piece, clip_sha256, encoder));
    Look(*this, clip, gaze, side.keys, need).run(watch);
    return side;
  };
  constexpr double kPicturesShare = 0.85;  // CLIP's of the encoders' work
  auto pictures = look(gaze_at_pictures(need.pictures), part_of(progress, 0, kPicturesShare));
  auto motion = look(gaze_at_motion(need.segments), part_of(progress, kPicturesShare, 1));
  return std::make_unique<SeenClip>([this](const std::string& key) { return find(key); },
                                    std::move(pictures), std::move(motion));
}

}  // namespace qingyin
