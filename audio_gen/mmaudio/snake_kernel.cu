#include "audio_gen/mmaudio/snake_kernel.h"

namespace qingyin::mmaudio {
namespace {

constexpr int kChannelsPerBlock = 64;
constexpr std::int64_t kTimesPerThread = 64;
constexpr std::int64_t kMaxBlocks = 65535;

/// The parameters of one channel, in registers.
struct Channel {
  float frequency, inverse_magnitude;
  float up[kSnakeTaps], down[kSnakeTaps];
};

__device__ std::int64_t clamped(std::int64_t t, std::int64_t length) {
  return t < 0 ? 0 : t >= length ? length - 1 : t;
}

/// The sample of the doubled rate at time t: its even (0) or odd (1) one, after the activation.
__device__ float activated(const SnakeJob& job, const Channel& c, std::int64_t channel,
                           std::int64_t t, int parity) {
  float u = 0;
  for (int k = 0; k < 6; ++k) {
    const std::int64_t from = clamped(t - 3 + k + parity, job.length);
    u += job.x[from * job.channels + channel] * c.up[11 - parity - 2 * k];
  }
  const float sine = sinf(u * c.frequency);
  return u + sine * sine * c.inverse_magnitude;
}

/// Past the ends stand copies of the outermost samples of the doubled rate.
__device__ float outer_activated(const SnakeJob& job, const Channel& c, std::int64_t channel,
                                 std::int64_t t, int parity) {
  if (t < 0) return activated(job, c, channel, 0, 0);
  if (t >= job.length) return activated(job, c, channel, job.length - 1, 1);
  return activated(job, c, channel, t, parity);
}

/// One thread walks over the times of one channel; what it has computed of the doubled rate stays
/// in a window of registers.
__global__ void snake(SnakeJob job) {
  const std::int64_t channel = blockIdx.x * kChannelsPerBlock + threadIdx.x;
  const std::int64_t begin = blockIdx.y * kTimesPerThread;
  if (channel >= job.channels || begin >= job.length) return;
  Channel c{job.frequency[channel], job.inverse_magnitude[channel], {}, {}};
  for (int k = 0; k < kSnakeTaps; ++k) {
    c.up[k] = 2 * job.up_taps[k];
    c.down[k] = job.down_taps[k];
  }
  float even[6], odd[6];  // at times t - 2 .. t + 3, and t - 3 .. t + 2
  for (int k = 1; k < 6; ++k) {
    even[k] = outer_activated(job, c, channel, begin - 3 + k, 0);
    odd[k] = outer_activated(job, c, channel, begin - 4 + k, 1);
  }
  const std::int64_t end = min(begin + kTimesPerThread, job.length);
  for (std::int64_t t = begin; t < end; ++t) {
    for (int k = 0; k < 5; ++k) {
      even[k] = even[k + 1];
      odd[k] = odd[k + 1];
    }
    even[5] = outer_activated(job, c, channel, t + 3, 0);
    odd[5] = outer_activated(job, c, channel, t + 2, 1);
    float y = 0;
    for (int k = 0; k < 6; ++k) y += odd[k] * c.down[2 * k] + even[k] * c.down[2 * k + 1];
    job.y[t * job.channels + channel] = y;
  }
}

}  // namespace

const char* run_snake_cuda(const SnakeJob& job) {
  const std::int64_t blocks = (job.length + kTimesPerThread - 1) / kTimesPerThread;
  if (blocks > kMaxBlocks) return "the sound is too long for one launch";
  const dim3 grid((job.channels + kChannelsPerBlock - 1) / kChannelsPerBlock, blocks);
  snake<<<grid, kChannelsPerBlock>>>(job);
  const cudaError_t status = cudaGetLastError();
  return status == cudaSuccess ? nullptr : cudaGetErrorString(status);
}

}  // namespace qingyin::mmaudio
