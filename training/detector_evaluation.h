#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "training/scenes/film.h"
#include "understanding/event_roll.h"

namespace qingyin::training {

struct DetectorEvaluation {
  std::filesystem::path weights;  // detector.safetensors
  std::uint64_t seed = 1;         // of the training; films of another one are judged
  std::int64_t films = 300;
  double film_s = 4;
  int threads = 1;
};

/// How often one answer was right.
struct Shares {
  double hits = 0, said = 0, true_ones = 0;

  double precision() const { return said > 0 ? hits / said : 0; }
  double recall() const { return true_ones > 0 ? hits / true_ones : 0; }
  double f1() const { return said + true_ones > 0 ? 2 * hits / (said + true_ones) : 0; }
};

/// Figures on films that were never trained on. Hidden events count neither way.
struct DetectorFigures {
  Shares onsets;                                 // within 0.1 s
  double median_error_s = 0, p90_error_s = 0;    // of the hits, absolute
  double kinds_right = 0;                        // share of the hits
  std::array<Shares, kOnsetKinds> kinds{};       // among the hits
  std::array<Shares, kOnsetKinds> sure_kinds{};  // those named with a share of at least 0.8
  std::array<Shares, kLastingKinds> lasting{};   // of the time between frames, said over 0.5
  double place_error = 0;                        // of the hits, mean distance, picture is 2 x 2
  double intensity_error = 0;                    // of the hits, mean
};

/// Onsets that the steps of one shot speak for: maxima within 0.1 s of at least `least`.
std::vector<RollStep> onsets_in(const std::vector<RollStep>& steps, double least);

/// @throws Error as RollNetwork
DetectorFigures evaluate_detector(const DetectorEvaluation& settings);

std::string to_markdown(const DetectorFigures& figures);

}  // namespace qingyin::training
