#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "audio_gen/vocabulary.h"
#include "tests/training/sound_figures.h"
#include "training/sound_bank.h"

namespace qingyin::training {
namespace {

using namespace qingyin::test;

struct Range {
  double low, high;
  bool holds(double x) const { return x >= low && x <= high; }
};

/// The rows of both tables in docs/sound-bank.md: ranges and slopes.
struct Documented {
  std::map<int, std::vector<Range>> figures;  // attack in ms, centroid in Hz, decay in s
  std::map<int, Range> slopes;                // dB per octave
};

Range read_range(const std::string& cell) {
  const Range any{-1e9, 1e9};  // a dash: no range
  std::istringstream in(cell);
  Range range{};
  std::string to;
  in >> range.low >> to >> range.high;
  return in ? range : any;
}

Documented read_documentation() {
  constexpr std::size_t kFigureCells = 5, kSlopeCells = 6;
  std::ifstream file(std::string(QINGYIN_SOURCE_DIR) + "/docs/sound-bank.md");
  Documented documented;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, '|');) cells.push_back(cell);
    if (cells.size() != kFigureCells && cells.size() != kSlopeCells) continue;
    std::string name;
    std::istringstream(cells[1]) >> name;
    const auto id = class_id(name);
    if (!id) continue;
    if (cells.size() == kSlopeCells) {
      documented.slopes[*id] = read_range(cells[2]);
    } else {
      documented.figures[*id] = {read_range(cells[2]), read_range(cells[3]), read_range(cells[4])};
    }
  }
  return documented;
}

TEST(SoundRanges, EveryClassIsDocumented) {
  EXPECT_EQ(read_documentation().figures.size(), sound_classes().size());
  EXPECT_EQ(read_documentation().slopes.size(), sound_classes().size());
}

TEST(SoundRanges, DrawsLieInTheDocumentedRanges) {
  constexpr int kDraws = 40;
  const Documented documented = read_documentation();
  for (const auto& [id, ranges] : documented.figures) {
    std::vector<int> inside(4, 0);
    for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
      SoundRecipe recipe = draw_recipe(id, 5000 + seed);
      recipe.level_curve.clear();
      const BankSound sound = synthesise(recipe, 0.04, 2.5);
      inside[0] += ranges[0].holds(attack_ms(sound.samples, sound.onset_sample));
      inside[1] += ranges[1].holds(centroid_hz(sound.samples));
      inside[2] += ranges[2].holds(decay_s(sound.samples));
      inside[3] += documented.slopes.at(id).holds(slope_db_per_octave(sound.samples));
    }
    const auto name = sound_classes()[static_cast<std::size_t>(id)].name;
    EXPECT_GE(inside[0], 0.85 * kDraws) << name << ": attack";
    EXPECT_GE(inside[1], 0.85 * kDraws) << name << ": centroid";
    EXPECT_GE(inside[2], 0.85 * kDraws) << name << ": decay";
    EXPECT_GE(inside[3], 0.85 * kDraws) << name << ": slope";
  }
}

}  // namespace
}  // namespace qingyin::training
