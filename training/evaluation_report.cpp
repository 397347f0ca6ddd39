#include <cmath>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include "training/evaluation.h"

namespace qingyin::training {
namespace {

std::string shown(double value, int digits = 2) {
  if (!std::isfinite(value)) return "–";
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

/// Mean over the classes for which it is a number.
double mean(const Evaluation& evaluation, double ClassFigures::*figure) {
  double sum = 0, count = 0;
  for (const auto& c : evaluation.classes) {
    if (!std::isfinite(c.*figure)) continue;
    sum += c.*figure;
    ++count;
  }
  return sum / count;
}

std::string class_table(const Evaluation& evaluation) {
  std::string text =
      row({"class", "class right (teacher)", "material right (teacher)", "change ratio",
           "decay ratio (teacher)", "intensity ρ, loudness", "intensity ρ, timbre (teacher)",
           "level error, dB", "floor, dBFS", "joins told", "onset error, median / p95, ms"}) +
      row(std::vector<std::string>(11, "---"));
  for (const ClassFigures& c : evaluation.classes) {
    text += row({c.name, shown(c.accuracy) + " (" + shown(c.teacher_accuracy) + ")",
                 shown(c.material) + " (" + shown(c.teacher_material) + ")", shown(c.change_ratio),
                 shown(c.decay_ratio) + " (" + shown(c.teacher_decay_ratio) + ")",
                 shown(c.intensity), shown(c.timbre) + " (" + shown(c.teacher_timbre) + ")",
                 shown(c.level_error_db), c.floor_dbfs <= -200 ? "silent" : shown(c.floor_dbfs, 0),
                 shown(c.joins), shown(c.onset_median_ms) + " / " + shown(c.onset_p95_ms)});
  }
  const auto both = [&](double ClassFigures::*a, double ClassFigures::*b) {
    return shown(mean(evaluation, a)) + " (" + shown(mean(evaluation, b)) + ")";
  };
  using C = ClassFigures;
  return text +
         row({"**mean**", both(&C::accuracy, &C::teacher_accuracy),
              both(&C::material, &C::teacher_material), shown(mean(evaluation, &C::change_ratio)),
              both(&C::decay_ratio, &C::teacher_decay_ratio),
              shown(mean(evaluation, &C::intensity)), both(&C::timbre, &C::teacher_timbre),
              shown(mean(evaluation, &C::level_error_db)), "", shown(mean(evaluation, &C::joins)),
              ""});
}

std::string vocoder_table(const VocoderComparison& v) {
  const auto line = [](const std::string& name, const VocoderFigures& f) {
    return row({name, shown(f.log_mel_l1, 3), shown(f.spectral_db), shown(f.attack_db, 1),
                shown(f.seconds, 3)});
  };
  return row({"vocoder", "log-mel L1, nepers", "log-spectral distance, dB",
              "rise in 2 ms at the attack, dB", "CPU-seconds per second"}) +
         row(std::vector<std::string>(5, "---")) + line("network", v.network) +
         line("Griffin-Lim, 32 iterations", v.griffin_lim) +
         row({"the sound itself", "0", "0", shown(v.true_attack_db, 1), "–"});
}

}  // namespace

std::string to_markdown(const Evaluation& e) {
  return class_table(e) +
         "\nFréchet distance to other sounds of the teacher: " + shown(e.frechet, 1) +
         ", the teacher's own " + shown(e.teacher_frechet, 1) + " (" +
         shown(e.frechet / e.teacher_frechet) +
         " times). Twenty seeds of one impact: the two that are most alike differ by " +
         shown(e.seed_distance) + " nepers, the teacher's by " + shown(e.teacher_seed_distance) +
         ". One event takes " + shown(e.seconds_per_event, 3) + " s on one thread.\n\n" +
         vocoder_table(e.vocoder);
}

}  // namespace qingyin::training
