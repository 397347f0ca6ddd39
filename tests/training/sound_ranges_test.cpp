#include <gtest/gtest.h>

#include <fstream>
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

/// One row of the table of ranges in docs/sound-bank.md.
struct Row {
  int class_id;
  std::vector<Range> ranges;  // attack in ms, centroid in Hz, decay in s
};

Range read_range(const std::string& cell) {
  std::istringstream in(cell);
  Range range{0, 1e9};  // a dash: no range
  std::string to;
  in >> range.low >> to >> range.high;
  return in ? range : Range{0, 1e9};
}

std::vector<Row> documented_rows() {
  std::ifstream file(std::string(QINGYIN_SOURCE_DIR) + "/docs/sound-bank.md");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, '|');) cells.push_back(cell);
    if (cells.size() != 5) continue;
    std::string name;
    std::istringstream(cells[1]) >> name;
    const auto id = class_id(name);
    if (!id) continue;
    rows.push_back({*id, {read_range(cells[2]), read_range(cells[3]), read_range(cells[4])}});
  }
  return rows;
}

TEST(SoundRanges, EveryClassIsDocumented) {
  EXPECT_EQ(documented_rows().size(), sound_classes().size());
}

TEST(SoundRanges, DrawsLieInTheDocumentedRanges) {
  constexpr int kDraws = 40;
  for (const Row& row : documented_rows()) {
    std::vector<int> inside(3, 0);
    for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
      SoundRecipe recipe = draw_recipe(row.class_id, 5000 + seed);
      recipe.level_curve.clear();
      const BankSound sound = synthesise(recipe, 0.04, 2.5);
      inside[0] += row.ranges[0].holds(attack_ms(sound.samples, sound.onset_sample));
      inside[1] += row.ranges[1].holds(centroid_hz(sound.samples));
      inside[2] += row.ranges[2].holds(decay_s(sound.samples));
    }
    const auto name = sound_classes()[static_cast<std::size_t>(row.class_id)].name;
    EXPECT_GE(inside[0], 0.85 * kDraws) << name << ": attack";
    EXPECT_GE(inside[1], 0.85 * kDraws) << name << ": centroid";
    EXPECT_GE(inside[2], 0.85 * kDraws) << name << ": decay";
  }
}

}  // namespace
}  // namespace qingyin::training
