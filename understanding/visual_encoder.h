#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/progress.h"
#include "models/visual_features.h"
#include "understanding/picture_preparation.h"
#include "understanding/visual_features.h"

namespace qingyin {

/// The networks through which an engine sees and reads, in memory one at a time and only while they
/// are used. Calls must not overlap.
class VisualEncoder {
 public:
  virtual ~VisualEncoder() = default;

  enum class Part { kPictures, kMotion, kWords };

  /// What a part's numbers depend on besides its input, as a part of cache keys; loads nothing.
  virtual std::string identity(Part part) const = 0;

  /// [n, E]
  virtual FeatureTensor pictures(std::span<const PreparedPicture> pictures,
                                 const Progress& progress) = 0;
  /// [8 S, D] of the S segments of 16 frames that begin 8 frames apart
  virtual FeatureTensor motion(std::span<const PreparedPicture> frames,
                               const Progress& progress) = 0;
  /// [T, D]
  virtual FeatureTensor words(std::string_view text) = 0;
  /// Texts in the space of `pictures`. [n, E], each of length 1
  virtual FeatureTensor texts(std::span<const std::string> texts, const Progress& progress) = 0;
  /// What a scalar product of a picture's and a text's row is multiplied by before a softmax.
  virtual double logit_scale() = 0;
  /// Frees what is loaded.
  virtual void release() = 0;
};

/// MMAudio's: CLIP and Synchformer. Files are opened when they are first needed.
/// @throws Error  kModelMissing, kBadCheckpoint, kDevice from the calls that load
std::unique_ptr<VisualEncoder> make_mmaudio_encoder(const MmaudioVisualFiles& files,
                                                    const MmaudioVisualOptions& options,
                                                    int threads);

/// Threads that the encoders work on, in the whole process.
void use_threads(int count);

}  // namespace qingyin
