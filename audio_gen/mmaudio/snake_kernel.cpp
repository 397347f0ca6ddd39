#include "audio_gen/mmaudio/snake_kernel.h"

#include <algorithm>

#include "audio_gen/mmaudio/vector_lanes.h"

// One clone for each kind of x86 processor, chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define QINGYIN_VECTOR_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define QINGYIN_VECTOR_CLONES
#endif

namespace qingyin::mmaudio {
namespace {

/// Times of one tile: its samples of the doubled rate stay in the first-level cache.
constexpr std::int64_t kTile = 64;
/// Neighbours on each side that a time needs, at the sound's own rate: of the second filter, and of
/// both filters.
constexpr std::int64_t kSide = 3, kSides = 6;

/// u += sin^2(u * frequency) * inverse_magnitude. The angle is brought into [-pi / 2, pi / 2], in
/// which sin^2(r) is r^2 times a polynomial of r^2 (least squares in relative error, 1.5e-10).
template <int W>
QINGYIN_INLINE void add_sine_squared(Vec<W>& u, const Vec<W>& frequency,
                                     const Vec<W>& inverse_magnitude) {
  // Adding and taking away 1.5 * 2^23 rounds to an integer; pi stands in three parts.
  constexpr float kRounder = 12582912.0f, kInversePi = 0.318309886f;
  constexpr float kPi1 = 3.1414794921875f, kPi2 = 1.1315941810607910e-4f, kPi3 = 1.9841872589e-9f;
  const Vec<W> angle = u * frequency;
  const Vec<W> turns = (angle * kInversePi + kRounder) - kRounder;
  Vec<W> r = angle - turns * kPi1;
  r = r - turns * kPi2;
  r = r - turns * kPi3;
  const Vec<W> q = r * r;
  Vec<W> p = q * 8.09566215e-08f - 4.23083206e-06f;
  p = p * q + 1.41015762e-04f;
  p = p * q - 3.17453286e-03f;
  p = p * q + 4.44444137e-02f;
  p = p * q - 3.33333328e-01f;
  p = p * q + 1.0f;
  p = p * q;
  // An angle beyond the reach of float32 has no sine; what is returned stays in [0, 1].
  const Vec<W> zero = {}, one = zero + 1.0f;
  p = p > one ? one : p;
  p = p < zero ? zero : p;
  u = u + p * inverse_magnitude;
}

/// Both samples of the doubled rate at one time of the sound: [2 t] and [2 t + 1].
/// @param job   its up_taps hold the gain of 2
/// @param rows  of x, rows[k] at time t - 3 + k
template <int W>
QINGYIN_INLINE void doubled(const SnakeJob& job, const float* const* rows, std::int64_t channel,
                            Vec<W>& even, Vec<W>& odd) {
  const float* f = job.up_taps;
  Vec<W> x[7];
  for (int k = 0; k < 7; ++k) load<W>(rows[k] + channel, x[k]);
  even = x[0] * f[11] + x[1] * f[9] + x[2] * f[7] + x[3] * f[5] + x[4] * f[3] + x[5] * f[1];
  odd = x[1] * f[10] + x[2] * f[8] + x[3] * f[6] + x[4] * f[4] + x[5] * f[2] + x[6] * f[0];
}

/// One tile of W channels. @param rows  of x, rows[k] at time begin - 6 + k
template <int W>
QINGYIN_INLINE void run_tile(const SnakeJob& job, const float* const* rows, std::int64_t begin,
                             std::int64_t end, std::int64_t channel) {
  Vec<W> even[kTile + kSides], odd[kTile + kSides];  // [k] at time begin - 3 + k
  Vec<W> frequency, inverse_magnitude;
  load<W>(job.frequency + channel, frequency);
  load<W>(job.inverse_magnitude + channel, inverse_magnitude);
  const std::int64_t count = end - begin + kSides;
  const std::int64_t first = std::max<std::int64_t>(0, kSide - begin);
  const std::int64_t past = std::min(count, job.length - begin + kSide);
  for (std::int64_t k = first; k < past; ++k) {
    doubled<W>(job, rows + k, channel, even[k], odd[k]);
    add_sine_squared<W>(even[k], frequency, inverse_magnitude);
    add_sine_squared<W>(odd[k], frequency, inverse_magnitude);
  }
  for (std::int64_t k = 0; k < first; ++k) even[k] = odd[k] = even[first];
  for (std::int64_t k = past; k < count; ++k) even[k] = odd[k] = odd[past - 1];
  const float* g = job.down_taps;
  for (std::int64_t k = 0; k < end - begin; ++k) {
    Vec<W> y = odd[k] * g[0] + even[k + 1] * g[1];
    for (int j = 1; j < 6; ++j) y = y + odd[k + j] * g[2 * j] + even[k + j + 1] * g[2 * j + 1];
    store<W>(y, job.y + (begin + k) * job.channels + channel);
  }
}

QINGYIN_VECTOR_CLONES
void run_tiles(const SnakeJob& whole, std::int64_t begin, std::int64_t end) {
  SnakeJob job = whole;
  float up_taps[kSnakeTaps];
  for (int k = 0; k < kSnakeTaps; ++k) up_taps[k] = 2 * whole.up_taps[k];
  job.up_taps = up_taps;
  const float* rows[kTile + 2 * kSides];
  for (; begin < end; begin += kTile) {
    const std::int64_t stop = std::min(end, begin + kTile);
    for (std::int64_t k = 0; k < stop - begin + 2 * kSides; ++k)
      rows[k] =
          job.x + std::clamp<std::int64_t>(begin - kSides + k, 0, job.length - 1) * job.channels;
    std::int64_t channel = 0;
    for (; channel + 16 <= job.channels; channel += 16)
      run_tile<16>(job, rows, begin, stop, channel);
    for (; channel + 8 <= job.channels; channel += 8) run_tile<8>(job, rows, begin, stop, channel);
    for (; channel < job.channels; ++channel) run_tile<1>(job, rows, begin, stop, channel);
  }
}

}  // namespace

void run_snake(const SnakeJob& job, std::int64_t begin, std::int64_t end) {
  run_tiles(job, begin, end);
}

}  // namespace qingyin::mmaudio
