#include "core/dsp/sound_libraries.h"

#include <ebur128.h>
#include <fftw3.h>
#include <sndfile.h>
#include <soxr.h>

namespace qingyin {

std::map<std::string, std::string> sound_libraries() {
  int major = 0, minor = 0, patch = 0;
  ebur128_get_version(&major, &minor, &patch);
  return {{"fftw", fftwf_version},
          {"libebur128",
           std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch)},
          {"libsndfile", sf_version_string()},
          {"soxr", soxr_version()}};
}

}  // namespace qingyin
