#include "training/scenes/film.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace qingyin::training {
namespace {

constexpr double kFilmSeconds = 4;

double mean_of(const SmallPicture& picture) {
  return std::accumulate(picture.begin(), picture.end(), 0.0) / static_cast<double>(picture.size());
}

/// Mean change per second of the cells around an event's place, between two frames.
double change_at(const Film& film, std::size_t frame, const FilmEvent& event) {
  const int column = static_cast<int>((event.x + 1) / 2 * kSmallWidth);
  const int row = static_cast<int>((1 - event.y) / 2 * kSmallHeight);
  constexpr int kReach = 8;
  double sum = 0;
  int count = 0;
  for (int y = std::max(0, row - kReach); y < std::min(kSmallHeight, row + kReach); ++y)
    for (int x = std::max(0, column - kReach); x < std::min(kSmallWidth, column + kReach); ++x) {
      const auto i = static_cast<std::size_t>(y * kSmallWidth + x);
      sum += std::abs(film.frames[frame].picture[i] - film.frames[frame - 1].picture[i]);
      ++count;
    }
  const double seconds = film.frames[frame].time_s - film.frames[frame - 1].time_s;
  return count == 0 ? 0 : sum / count / seconds;
}

TEST(Track, GoesFromPointToPointInItsWay) {
  Track track(1);
  track.go(1, 2, 3, Way::kSpeedUp).go(3, 4, 5, Way::kEven);
  EXPECT_DOUBLE_EQ(track.at(0), 1);
  EXPECT_DOUBLE_EQ(track.at(1.5), 1.5);
  EXPECT_DOUBLE_EQ(track.at(2.5), 3);
  EXPECT_DOUBLE_EQ(track.at(3.5), 4);
  EXPECT_DOUBLE_EQ(track.at(9), 5);
}

TEST(Film, SameSeedSameFilmOtherIndexOtherFilm) {
  const Film a = shoot_film(3, 5, kFilmSeconds), again = shoot_film(3, 5, kFilmSeconds);
  const Film other = shoot_film(3, 6, kFilmSeconds);
  ASSERT_EQ(a.frames.size(), again.frames.size());
  EXPECT_EQ(a.frames[20].picture, again.frames[20].picture);
  EXPECT_EQ(a.events.size(), again.events.size());
  EXPECT_NE(a.frames[20].picture, other.frames[20].picture);
}

TEST(Film, ShowsEveryKindOfEventAndQuietFilmsToo) {
  std::set<int> onsets, lasting;
  int quiet = 0;
  for (std::uint64_t i = 0; i < 150; ++i) {
    const Film film = shoot_film(1, i, 1);
    quiet += film.events.empty() ? 1 : 0;
    for (const FilmEvent& e : film.events)
      (e.lasts ? lasting : onsets)
          .insert(e.lasts ? static_cast<int>(e.lasting_kind) : static_cast<int>(e.onset_kind));
    ASSERT_TRUE(std::ranges::is_sorted(film.events, {}, &FilmEvent::onset_s));
  }
  EXPECT_EQ(onsets.size(), kOnsetKinds);
  EXPECT_EQ(lasting.size(), kLastingKinds);
  EXPECT_GT(quiet, 5);
  EXPECT_LT(quiet, 75);
}

TEST(Film, FramesHaveRisingTimesAndValuesOfAPicture) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Film film = shoot_film(2, i, 1);
    ASSERT_GE(film.frames.size(), 14U);
    for (std::size_t k = 0; k < film.frames.size(); ++k) {
      if (k > 0) {
        EXPECT_GT(film.frames[k].time_s, film.frames[k - 1].time_s);
      }
      EXPECT_GE(std::ranges::min(film.frames[k].picture), 0);
      EXPECT_LE(std::ranges::max(film.frames[k].picture), 255);
      EXPECT_TRUE(std::isfinite(mean_of(film.frames[k].picture)));
    }
  }
}

// What is heard must be seen: where an event is, more changes within 0.15 s of it than in the film
// as a whole. Not each: some are small, or the camera shakes.
TEST(Film, PictureChangesWhereAndWhenAnEventIs) {
  int seen = 0, all = 0;
  for (std::uint64_t i = 0; i < 120; ++i) {
    const Film film = shoot_film(4, i, kFilmSeconds);
    for (const FilmEvent& event : film.events) {
      if (event.lasts || event.hidden || event.onset_s < 0.3 || event.onset_s > 3.5) continue;
      double near = 0, whole = 0;
      int near_count = 0;
      for (std::size_t k = 1; k < film.frames.size(); ++k) {
        const double change = change_at(film, k, event);
        whole += change / static_cast<double>(film.frames.size() - 1);
        if (std::abs(film.frames[k].time_s - event.onset_s) > 0.15) continue;
        near += change;
        ++near_count;
      }
      ASSERT_GT(near_count, 0);
      seen += near / near_count > whole ? 1 : 0;
      ++all;
    }
  }
  ASSERT_GT(all, 60);
  EXPECT_GT(seen, all * 3 / 4) << "of " << all;
}

}  // namespace
}  // namespace qingyin::training
