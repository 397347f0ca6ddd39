#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qingyin::training {

struct EvaluationSettings {
  std::filesystem::path weights;  // folder of the bundled weights
  std::uint64_t seed = 1;         // of the weights' training: what is judged has another
  std::int64_t per_class = 25;    // events
  std::int64_t judge_sounds = 2800;
  std::int64_t judge_steps = 500;
  int threads = 1;
};

/// One class of generated events beside the same recipes from the sound bank.
struct ClassFigures {
  std::string name;
  double accuracy, teacher_accuracy;     // of the judge, in [0, 1]
  double onset_median_ms, onset_p95_ms;  // distance from the lead; of one-shots
  double change_ratio;  // mean frame-to-frame change of the log-mel over the teacher's
};

struct Evaluation {
  std::vector<ClassFigures> classes;
  double vocoder_log_mel_l1;  // nepers, of held-out sounds that went through the vocoder
  double level_error_db;      // largest, of the loudest 50 ms
  double seconds_per_event;   // mean, on one thread
};

/// Renders held-out recipes with the engine, and judges them with a classifier that has heard the
/// sound bank only. @throws Error as make_bundled_engine
Evaluation evaluate(const EvaluationSettings& settings);

/// The figures as a Markdown table.
std::string to_markdown(const Evaluation& evaluation);

}  // namespace qingyin::training
