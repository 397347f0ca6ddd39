#include "pipeline/batch/work_left.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qingyin::batch {
namespace {

TEST(WorkLeft, KnowsNothingBeforeTheFirstClipIsOpen) {
  WorkLeft work({1000, 1000});
  EXPECT_EQ(work.fraction(), 0);
  EXPECT_TRUE(std::isnan(work.left(Seconds(3)).count()));
  EXPECT_EQ(WorkLeft({}).fraction(), 0);
}

// One short clip done and a long one waiting: by their number half would be done.
TEST(WorkLeft, WeighsWhatWaitsByItsSize) {
  WorkLeft work({1000, 100'000});
  work.opened(0, Seconds(1));
  work.ended(0, /*was_made=*/true);
  EXPECT_NEAR(work.fraction(), 1.5 / 102, 1e-9);
  EXPECT_NEAR(work.left(Seconds(15)).count(), 1005, 1e-6);
}

TEST(WorkLeft, TakesTheTrueLengthOnceItIsKnown) {
  WorkLeft work({1000, 100'000});
  work.opened(0, Seconds(9.5));
  work.ended(0, /*was_made=*/true);
  work.opened(1, Seconds(29.5));
  work.progressed(1, 0.5);
  EXPECT_NEAR(work.fraction(), 25.0 / 40, 1e-9);
  EXPECT_NEAR(work.left(Seconds(50)).count(), 30, 1e-6);
  work.ended(1, /*was_made=*/true);
  EXPECT_EQ(work.fraction(), 1);
  EXPECT_EQ(work.left(Seconds(80)).count(), 0);
}

TEST(WorkLeft, WhatIsNotMadeWeighsNothing) {
  WorkLeft work({1000, 1000, 1000, 5'000'000});
  work.ended(3, /*was_made=*/false);  // done before
  work.opened(0, Seconds(10));
  work.ended(0, /*was_made=*/false);  // failed
  work.opened(1, Seconds(10));
  work.ended(1, /*was_made=*/true);
  EXPECT_NEAR(work.fraction(), 0.5, 1e-9);
}

TEST(WorkLeft, CountsWhereNoSizeIsKnown) {
  WorkLeft work({0, 0, 0, 0});
  work.opened(2, Seconds(7));
  work.ended(2, /*was_made=*/true);
  EXPECT_NEAR(work.fraction(), 0.25, 1e-9);
}

}  // namespace
}  // namespace qingyin::batch
