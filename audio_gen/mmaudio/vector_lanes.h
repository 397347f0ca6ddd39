#pragma once

#include <cstring>

#define QINGYIN_INLINE inline __attribute__((always_inline))

namespace qingyin::mmaudio {

/// W float numbers side by side, which the compiler puts into registers of the processor that the
/// surrounding function is built for. For kernels alone.
template <int W>
struct Lanes {
  typedef float Type __attribute__((vector_size(W * sizeof(float))));
};
template <int W>
using Vec = typename Lanes<W>::Type;

template <int W>
QINGYIN_INLINE void load(const float* from, Vec<W>& to) {
  std::memcpy(&to, from, sizeof(to));
}

template <int W>
QINGYIN_INLINE void store(const Vec<W>& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}

}  // namespace qingyin::mmaudio
