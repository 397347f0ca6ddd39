#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "training/vocoder_evaluation.h"

namespace qingyin::training {

struct EvaluationSettings {
  std::filesystem::path weights;  // folder of the bundled weights
  std::filesystem::path images;   // receives PNG files; empty: none
  std::uint64_t seed = 1;         // of the weights' training: what is judged has another
  std::int64_t per_class = 25;    // events
  std::int64_t judge_sounds = 5600;
  std::int64_t judge_steps = 1500;
  int threads = 1;
};

/// One class of generated events beside the same recipes from the sound bank. What has no meaning
/// for a class is not a number.
struct ClassFigures {
  std::string name;
  double accuracy = 0, teacher_accuracy = 0;        // of the judge, in [0, 1]
  double material = 0, teacher_material = 0;        // the same, where the class has materials
  double change_ratio = 0;                          // mean frame-to-frame change over the teacher's
  double decay_ratio = 0, teacher_decay_ratio = 0;  // as DecayRatio
  double intensity = 0;                             // Spearman of what was wanted and the loudness
  double timbre = 0, teacher_timbre = 0;  // and what the judge hears at one level, all else equal
  double level_error_db = 0;              // largest, of the loudest 50 ms
  double floor_dbfs = 0;                  // highest sample before an event
  double onset_median_ms = 0, onset_p95_ms = 0;  // distance from the lead; of one-shots
  double joins = 0;  // of a texture: how often a step of level and centroid at a join is larger
                     // than one elsewhere; 0.5: joins cannot be told
};

struct Evaluation {
  std::vector<ClassFigures> classes;
  double frechet, teacher_frechet;  // to the teacher, and of the teacher to other sounds of it
  double seed_distance, teacher_seed_distance;  // least log-mel L1 between seeds of one event
  double seconds_per_event;                     // mean, on one thread
  VocoderComparison vocoder;
};

/// Renders held-out recipes with the engine, and judges them with a listener that has heard the
/// sound bank only. @throws Error as make_bundled_engine; kIo
Evaluation evaluate(const EvaluationSettings& settings);

/// The figures as Markdown tables.
std::string to_markdown(const Evaluation& evaluation);

}  // namespace qingyin::training
