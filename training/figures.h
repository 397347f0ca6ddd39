#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace qingyin::training {

// Figures of mono 48 kHz sounds, for evaluation.

/// Mean absolute change of the log-mel from frame to frame where it sounds, in nepers.
double frame_change(std::span<const float> samples);

/// Seconds of a decay by 60 dB, from the slope between -5 and -25 dB of Schroeder's backward
/// integral; none if the sound does not fall that far.
std::optional<double> decay_time(std::span<const float> samples);

/// Largest rise of the level within 2 ms, in dB, around a sample: 1 ms windows from 15 ms before to
/// 15 ms after, nothing counted that lies 60 dB under the loudest of them.
double attack_rise_db(std::span<const float> samples, std::int64_t around);

/// Level in dBFS, and centroid in octaves over 1 Hz of the power spectrum, of one piece.
struct Piece {
  double level_db, centroid;
};
Piece piece_of(std::span<const float> samples);

/// Rank correlation of as many values, 0 if one side is constant.
double spearman(std::span<const double> a, std::span<const double> b);

/// How often a value of `a` is larger than one of `b`, ties counted half (Mann & Whitney, 1947);
/// not a number if there are none.
double superiority(std::span<const double> a, std::span<const double> b);

/// The value below which `part` of the values lie; not a number if there are none.
double quantile(std::vector<double> values, double part);

/// Distance of two sets of embeddings [K, E] as of normal distributions (Fréchet 1957; Heusel et
/// al., 2017).
double frechet_distance(const at::Tensor& a, const at::Tensor& b);

}  // namespace qingyin::training
