#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "models/clip/clip_config.h"
#include "models/visual_features.h"
#include "understanding/picture_preparation.h"
#include "understanding/synchformer/synchformer_config.h"

namespace qingyin {

/// Names of MMAudio's tensors in VisualFeatures: [n, E] at 8 Hz, and [8 S, D] at 25 Hz of which
/// every 8 rows are one segment of 16 frames, a step of 8 frames after the last.
inline constexpr std::string_view kClipFeatures = "clip", kSyncFeatures = "sync";

/// Published weights, in any container that `read_checkpoint` knows.
struct MmaudioVisualFiles {
  std::filesystem::path clip;         // open_clip's layout: both towers
  std::filesystem::path synchformer;  // the whole of it, or only `vfeat_extractor.*`
  std::filesystem::path vocabulary;   // see ClipTokenizer
};

/// What an encoder is to be used for: only that is loaded.
struct MmaudioVisualParts {
  bool pictures = false;  // CLIP's image tower: 0.63 G parameters at full size
  bool motion = false;    // Synchformer: 0.12 G
  bool text = false;      // CLIP's text tower: 0.35 G
};

enum class FeaturePrecision { kFloat32, kBFloat16 };

struct MmaudioVisualOptions {
  FeaturePrecision precision = FeaturePrecision::kFloat32;
  std::string device = "cpu";  // libtorch's name
  ClipConfig clip = clip_vit_h_14_378_quickgelu();
  SynchformerConfig synchformer = synchformer_published();
};

/// The networks through which MMAudio sees and reads (hkchengrex/MMAudio,
/// mmaudio/model/utils/features_utils.py). Const after construction; calls may overlap. Memory is
/// that of the loaded weights and of one small batch; it is free when the object is gone.
class MmaudioVisualEncoder {
 public:
  /// Only the files of the wanted parts are opened.
  /// @throws Error  kModelMissing, kBadCheckpoint naming file and every culprit, kDevice, kUsage
  /// for
  ///                sizes that cannot be
  MmaudioVisualEncoder(const MmaudioVisualFiles& files, MmaudioVisualParts parts,
                       const MmaudioVisualOptions& options);
  /// The same networks with weights drawn from `seed`: for measuring time and memory. The
  /// vocabulary is read if the text part is wanted.
  static MmaudioVisualEncoder with_random_weights(const std::filesystem::path& vocabulary,
                                                  MmaudioVisualParts parts,
                                                  const MmaudioVisualOptions& options,
                                                  std::uint64_t seed);
  ~MmaudioVisualEncoder();
  MmaudioVisualEncoder(MmaudioVisualEncoder&&) noexcept;
  MmaudioVisualEncoder& operator=(MmaudioVisualEncoder&&) noexcept;

  /// One row of length 1 a picture; a picture equal to the one before it costs nothing.
  /// @param pictures  as `prepare_clip_picture` makes them
  /// @return          [n, E], hop 1/8 s
  /// @throws Error    kInternal if the part is not loaded or a picture has another size; kCancelled
  FeatureTensor of_pictures(std::span<const PreparedPicture> pictures,
                            const Progress& progress = {}) const;

  /// Eight rows a segment of 16 frames, segments 8 frames apart; frames that fill no segment are
  /// not seen. A segment equal to another one of the call costs nothing.
  /// @param frames  as `prepare_sync_picture` makes them
  /// @return        [8 S, D], hop 1/25 s; S is 0 for fewer than 16 frames
  /// @throws Error  as above
  FeatureTensor of_frames(std::span<const PreparedPicture> frames,
                          const Progress& progress = {}) const;

  /// Every token of a prompt, padding included, each of length 1.
  /// @return        [77, D], hop 0
  /// @throws Error  kInvalidInput if it is not UTF-8 or too long; kInternal if not loaded
  FeatureTensor of_prompt(std::string_view prompt) const;

  /// One vector of length 1 a text, in the space of the pictures: a scalar product with a row of
  /// `of_pictures` says how well they fit.
  /// @return        [n, E], hop 0
  FeatureTensor in_picture_space(std::span<const std::string> texts,
                                 const Progress& progress = {}) const;

  /// What CLIP multiplies such a scalar product by before a softmax over texts; 1 for random
  /// weights.
  double logit_scale() const;

  /// What the numbers depend on besides the input: names, sizes and samples of the files, and the
  /// precision. A part of cache keys.
  const std::string& identity() const;

 private:
  struct Networks;
  explicit MmaudioVisualEncoder(std::unique_ptr<Networks> networks);
  std::unique_ptr<Networks> networks_;
};

}  // namespace qingyin
