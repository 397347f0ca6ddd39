#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qingyin::training {

struct AdapterEvaluation {
  std::filesystem::path weights;  // folder of the bundled weights
  std::filesystem::path adapter;  // that was trained on `write_squeak_library`
  std::uint64_t seed = 1;         // of the library's training: what is judged has another
  std::int64_t per_class = 10;    // events of every bundled class
  std::int64_t squeaks = 50;
  std::int64_t judge_sounds = 5800;
  std::int64_t judge_steps = 1500;
  int threads = 1;
};

/// What the engine makes without and with the adapter, by the ears of a judge that knows the
/// bundled classes and the squeak.
struct AdapterFigures {
  struct Class {
    std::string name;
    double before = 0, after = 0, teacher = 0;   // of the events, heard as this class
    double change_before = 0, change_after = 0;  // frame-to-frame change over the teacher's
    std::int64_t same = 0, events = 0;           // events whose samples are the same, bit for bit
  };
  std::vector<Class> classes;
  Class squeak;
  double intensity = 0, teacher_intensity = 0;  // of squeaks: Spearman of wanted and heard
};

/// @throws Error as make_bundled_engine
AdapterFigures evaluate_adapter(const AdapterEvaluation& settings);

std::string to_markdown(const AdapterFigures& figures);

}  // namespace qingyin::training
