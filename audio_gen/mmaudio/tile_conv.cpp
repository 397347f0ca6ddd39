#include "audio_gen/mmaudio/tile_conv.h"

#include <algorithm>
#include <array>

#include "audio_gen/mmaudio/vector_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define QINGYIN_HAS_TILES 1
#define QINGYIN_FOR(arch) __attribute__((target("arch=" arch)))
#else
#define QINGYIN_HAS_TILES 0
#define QINGYIN_FOR(arch)
#endif

namespace qingyin::mmaudio {
namespace {

/// Results of a tile.
constexpr int kTile = 4;
/// Tiles that are in work together: enough to read a wide layer's weights seldom, few enough for
/// the caches.
constexpr std::int64_t kBlock = 256;
/// Rows of results that stay in registers together; buffers are padded to a multiple.
constexpr std::int64_t kMostRows = 24;

/// Matrices of the scheme with 4 results and `Taps` taps: results = after ((weights taps) * (before
/// samples)). Points are 0, 1, -1, 2, -2 (1/2 for 4 taps) and infinity; rows of `before` are scaled
/// by powers of two so that no point's numbers are much larger than another's.
template <int Taps>
struct Scheme;

template <>
struct Scheme<3> {
  static constexpr int kPoints = 6;
  static constexpr double kPlaces[] = {0, 1, -1, 2, -2};
};

template <>
struct Scheme<4> {
  static constexpr int kPoints = 7;
  static constexpr double kPlaces[] = {0, 1, -1, 2, -2, 0.5};
};

template <int Taps>
struct Matrices {
  static constexpr int kPoints = Scheme<Taps>::kPoints;
  double before[kPoints][kPoints] = {};
  double weights[kPoints][Taps] = {};
  double after[kTile][kPoints] = {};

  constexpr Matrices() {
    const auto& places = Scheme<Taps>::kPlaces;
    for (int p = 0; p < kPoints; ++p) {
      // before[p]: the polynomial that is zero at all other places, lowest power first.
      double divisor = 1;
      int degree = 0;
      before[p][0] = 1;
      for (int other = 0; other < kPoints - 1; ++other) {
        if (other == p) continue;
        if (p < kPoints - 1) divisor *= places[p] - places[other];
        ++degree;
        for (int k = degree; k >= 0; --k)
          before[p][k] = (k > 0 ? before[p][k - 1] : 0) - places[other] * before[p][k];
      }
      set_powers(p, divisor);
      balance(p);
    }
  }

 private:
  constexpr void set_powers(int p, double divisor) {
    const bool is_infinity = p == kPoints - 1;
    double power = 1;
    for (int k = 0; k < std::max(Taps, kTile); ++k) {
      const double value = is_infinity ? 0 : power;
      if (k < Taps) weights[p][k] = is_infinity && k == Taps - 1 ? 1 : value / divisor;
      if (k < kTile) after[k][p] = is_infinity && k == kTile - 1 ? 1 : value;
      if (!is_infinity) power *= Scheme<Taps>::kPlaces[p];
    }
  }

  constexpr void balance(int p) {
    double largest = 0;
    for (const double v : before[p]) largest = std::max(largest, v < 0 ? -v : v);
    double scale = 1;
    while (largest * scale > 1.5) scale /= 2;
    for (double& v : before[p]) v *= scale;
    for (double& v : weights[p]) v /= scale;
  }
};

template <int Taps>
constexpr Matrices<Taps> kMatrices{};

/// sum += factor * x, where nothing is done for 0 and nothing multiplied for 1 and -1.
template <int W>
QINGYIN_INLINE void add_scaled(double factor, const Vec<W>& x, Vec<W>& sum) {
  if (factor == 1)
    sum = sum + x;
  else if (factor == -1)
    sum = sum - x;
  else if (factor != 0)
    sum = sum + x * static_cast<float>(factor);
}

/// Where the tiles of a job lie. Samples of equal place within the dilation follow each other: each
/// such phase is a sequence of its own, and has `groups - 1` rows behind its tiles that only feed
/// the last of them.
struct Rows {
  explicit Rows(const TileConvJob& job)
      : dilation(job.dilation),
        tiles(((job.length + dilation - 1) / dilation + kTile - 1) / kTile),
        each(tiles + job.weight.groups - 1) {}

  std::int64_t dilation, tiles, each;

  bool has_result(std::int64_t row) const { return row % each < tiles && row / each < dilation; }
  /// Time of sample `k` after the first one of a row's tile.
  std::int64_t time(std::int64_t row, std::int64_t k) const {
    return (row % each * kTile + k) * dilation + row / each;
  }
};

/// Samples and results at the points, for a block of rows.
struct Buffers {
  Buffers(const TileWeight& weight, std::int64_t wanted)
      : rows((wanted + kMostRows - 1) / kMostRows * kMostRows),
        columns(weight.panels() * weight.panel()),
        before_plane((rows + weight.groups - 1) * weight.in + weight.lanes),
        after_plane(rows * columns + weight.lanes),
        before(static_cast<std::size_t>(before_plane * weight.points())),
        after(static_cast<std::size_t>(after_plane * weight.points())),
        zeros(static_cast<std::size_t>(weight.in)) {}

  std::int64_t rows, columns, before_plane, after_plane;
  std::vector<float> before, after, zeros;
};

template <int Taps, int W>
QINGYIN_INLINE void to_points(const float* const* rows, std::int64_t channel, float* to,
                              std::int64_t plane) {
  constexpr int kPoints = Scheme<Taps>::kPoints;
  Vec<W> x[kPoints];
#pragma GCC unroll 8
  for (int k = 0; k < kPoints; ++k) load<W>(rows[k] + channel, x[k]);
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) {
    Vec<W> sum = {};
#pragma GCC unroll 8
    for (int k = 0; k < kPoints; ++k) add_scaled<W>(kMatrices<Taps>.before[p][k], x[k], sum);
    store<W>(sum, to + p * plane + channel);
  }
}

/// Fills `before` for rows [begin, end) and those that feed the last one.
template <int Taps, int W>
QINGYIN_INLINE void transform(const TileConvJob& job, const Rows& rows, std::int64_t begin,
                              std::int64_t end, Buffers& buffers) {
  constexpr int kPoints = Scheme<Taps>::kPoints;
  const std::int64_t in = job.weight.in, half = job.weight.kernel / 2;
  for (std::int64_t row = begin; row < end + job.weight.groups - 1; ++row) {
    const float* samples[kPoints];
    for (int k = 0; k < kPoints; ++k) {
      const std::int64_t time = rows.time(row, k - half);
      samples[k] = time >= 0 && time < job.length ? job.x + time * in : buffers.zeros.data();
    }
    float* const to = buffers.before.data() + (row - begin) * in;
    std::int64_t channel = 0;
    for (; channel + W <= in; channel += W)
      to_points<Taps, W>(samples, channel, to, buffers.before_plane);
    for (; channel < in; ++channel) to_points<Taps, 1>(samples, channel, to, buffers.before_plane);
  }
}

/// R rows of one panel: [R, K] of rows `stride` apart times [K, N W].
template <int R, int N, int W>
QINGYIN_INLINE void multiply(const float* a, std::int64_t stride, std::int64_t depth,
                             const float* b, float* y, std::int64_t columns) {
  Vec<W> sums[R][N] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vec<W> row[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) load<W>(b + (k * N + n) * W, row[n]);
#pragma GCC unroll 24
    for (int r = 0; r < R; ++r) {
      const float factor = a[r * stride + k];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) sums[r][n] = sums[r][n] + row[n] * factor;
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) store<W>(sums[r][n], y + r * columns + n * W);
}

template <int R, int N, int W>
QINGYIN_INLINE void multiply_all(const TileWeight& weight, std::int64_t rows, Buffers& buffers) {
  const std::int64_t depth = weight.groups * weight.in;
  const float* b = weight.data.data();
  for (std::int64_t p = 0; p < weight.points(); ++p) {
    const float* const a = buffers.before.data() + p * buffers.before_plane;
    float* const y = buffers.after.data() + p * buffers.after_plane;
    for (std::int64_t panel = 0; panel < weight.panels(); ++panel, b += depth * N * W)
      for (std::int64_t row = 0; row < rows; row += R)
        multiply<R, N, W>(a + row * weight.in, weight.in, depth, b,
                          y + row * buffers.columns + panel * N * W, buffers.columns);
  }
}

template <int Taps, int W>
QINGYIN_INLINE void of_points(const TileConvJob& job, const float* from, std::int64_t plane,
                              const std::int64_t* times, std::int64_t channel) {
  constexpr int kPoints = Scheme<Taps>::kPoints;
  Vec<W> at_points[kPoints], bias = {};
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) load<W>(from + p * plane + channel, at_points[p]);
  if (job.bias != nullptr) load<W>(job.bias + channel, bias);
#pragma GCC unroll 4
  for (int k = 0; k < kTile; ++k) {
    if (times[k] >= job.length) continue;
    Vec<W> sum = bias;
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p) add_scaled<W>(kMatrices<Taps>.after[k][p], at_points[p], sum);
    const std::int64_t place = times[k] * job.weight.out + channel;
    if (job.add != nullptr) {
      Vec<W> more;
      load<W>(job.add + place, more);
      sum = sum + more;
    }
    store<W>(sum, job.y + place);
  }
}

template <int Taps, int W>
QINGYIN_INLINE void write(const TileConvJob& job, const Rows& rows, std::int64_t begin,
                          std::int64_t end, const Buffers& buffers) {
  for (std::int64_t row = begin; row < end; ++row) {
    if (!rows.has_result(row)) continue;
    std::int64_t times[kTile];
    for (int k = 0; k < kTile; ++k) times[k] = rows.time(row, k);
    const float* const from = buffers.after.data() + (row - begin) * buffers.columns;
    std::int64_t channel = 0;
    for (; channel + W <= job.weight.out; channel += W)
      of_points<Taps, W>(job, from, buffers.after_plane, times, channel);
    for (; channel < job.weight.out; ++channel)
      of_points<Taps, 1>(job, from, buffers.after_plane, times, channel);
  }
}

/// @tparam Registers  vectors of results that are kept while a product is summed
template <int Taps, int W, int Registers>
QINGYIN_INLINE void run_blocks(const TileConvJob& job, std::int64_t begin, std::int64_t end) {
  const Rows rows(job);
  Buffers buffers(job.weight, std::min(kBlock, end - begin));
  for (; begin < end; begin += kBlock) {
    const std::int64_t stop = std::min(end, begin + kBlock);
    transform<Taps, W>(job, rows, begin, stop, buffers);
    if (job.weight.vectors == 3)
      multiply_all<Registers / 3, 3, W>(job.weight, stop - begin, buffers);
    else if (job.weight.vectors == 2)
      multiply_all<Registers / 2, 2, W>(job.weight, stop - begin, buffers);
    else
      multiply_all<Registers / 2, 1, W>(job.weight, stop - begin, buffers);
    write<Taps, W>(job, rows, begin, stop, buffers);
  }
}

#if QINGYIN_HAS_TILES
QINGYIN_FOR("x86-64-v4")
void run_wide(const TileConvJob& job, std::int64_t begin, std::int64_t end) {
  if (job.weight.taps == 3)
    run_blocks<3, 16, 24>(job, begin, end);
  else
    run_blocks<4, 16, 24>(job, begin, end);
}

QINGYIN_FOR("x86-64-v3")
void run_narrow(const TileConvJob& job, std::int64_t begin, std::int64_t end) {
  if (job.weight.taps == 3)
    run_blocks<3, 8, 12>(job, begin, end);
  else
    run_blocks<4, 8, 12>(job, begin, end);
}

std::int64_t lanes_here() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return 16;
  return __builtin_cpu_supports("x86-64-v3") ? 8 : 0;
}
#else
void run_wide(const TileConvJob&, std::int64_t, std::int64_t) {}
void run_narrow(const TileConvJob&, std::int64_t, std::int64_t) {}
std::int64_t lanes_here() { return 0; }
#endif

/// How many vectors a panel is wide: little padding, and not one alone where two do.
std::int64_t vectors_for(std::int64_t out, std::int64_t lanes) {
  std::int64_t best = 3;
  double least = 0;
  for (std::int64_t vectors = 3; vectors >= 1; --vectors) {
    const std::int64_t panel = vectors * lanes;
    const double padded = static_cast<double>((out + panel - 1) / panel * panel);
    const double cost = padded * (vectors == 1 ? 1.4 : 1);
    if (vectors < 3 && cost >= least) continue;
    best = vectors;
    least = cost;
  }
  return best;
}

/// The taps of one group, at one point. Taps past the kernel's end are zeros.
template <int Taps>
double at_point(const float* weight, const TileWeight& shape, std::int64_t out, std::int64_t group,
                std::int64_t in, std::int64_t point) {
  double sum = 0;
  for (std::int64_t k = 0; k < Taps; ++k) {
    const std::int64_t tap = group * Taps + k;
    if (tap < shape.kernel)
      sum += kMatrices<Taps>.weights[point][k] *
             static_cast<double>(weight[(out * shape.kernel + tap) * shape.in + in]);
  }
  return sum;
}

}  // namespace

bool can_convolve_by_tiles() {
  static const std::int64_t lanes = lanes_here();
  return lanes > 0;
}

TileWeight tile_weight(const float* weight, std::int64_t in, std::int64_t out,
                       std::int64_t kernel) {
  const std::int64_t lanes = std::max<std::int64_t>(lanes_here(), 1), taps = kernel == 3 ? 3 : 4;
  TileWeight tiles{.in = in,
                   .out = out,
                   .kernel = kernel,
                   .taps = taps,
                   .groups = (kernel + taps - 1) / taps,
                   .lanes = lanes,
                   .vectors = vectors_for(out, lanes),
                   .data = {}};
  const std::int64_t depth = tiles.groups * in, panel = tiles.panel();
  tiles.data.resize(static_cast<std::size_t>(tiles.points() * tiles.panels() * depth * panel));
  for (std::int64_t p = 0; p < tiles.points(); ++p)
    for (std::int64_t o = 0; o < out; ++o) {
      float* const to =
          tiles.data.data() + (p * tiles.panels() + o / panel) * depth * panel + o % panel;
      for (std::int64_t k = 0; k < depth; ++k)
        to[k * panel] =
            static_cast<float>(taps == 3 ? at_point<3>(weight, tiles, o, k / in, k % in, p)
                                         : at_point<4>(weight, tiles, o, k / in, k % in, p));
    }
  return tiles;
}

std::int64_t TileConvJob::rows() const {
  const Rows rows(*this);
  return rows.each * dilation;
}

void run_tile_conv(const TileConvJob& job, std::int64_t begin, std::int64_t end) {
  if (job.weight.lanes == 16)
    run_wide(job, begin, end);
  else
    run_narrow(job, begin, end);
}

}  // namespace qingyin::mmaudio
