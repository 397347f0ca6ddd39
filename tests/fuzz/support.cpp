#include "tests/fuzz/support.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "core/error.h"
#include "tests/fuzz/targets.h"

namespace qingyin::fuzz {
namespace fs = std::filesystem;

ScratchFile::ScratchFile(std::string_view bytes, const std::string& extension) {
  std::error_code error;
  const fs::path memory = "/dev/shm";
  const fs::path folder = fs::is_directory(memory, error) ? memory : fs::temp_directory_path();
  path_ = folder / ("qingyin_fuzz_" + std::to_string(getpid()) + extension);
  std::ofstream(path_, std::ios::binary) << bytes;
}

ScratchFile::~ScratchFile() {
  std::error_code error;
  fs::remove(path_, error);
}

void require_that(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fault: %s\n", what);
  std::abort();
}

void tolerate(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    require_that(error.code() != ErrorCode::kInternal, error.what());
    require_that(error.what()[0] != '\0', "an error without a message");
  }
}

}  // namespace qingyin::fuzz
