#include "pipeline/batch/name_form.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "core/text.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

std::string mapped(const std::string& text, int form) {
  // A NUL would end the text; no name has one, and what has one is no name.
  if (!is_utf8(text) || text.find('\0') != text.npos) return text;
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &result,
                                             static_cast<utf8proc_option_t>(form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  if (size < 0) return text;
  return {reinterpret_cast<const char*>(result), static_cast<std::size_t>(size)};
}

// A folder of ext4 or f2fs can be set to ignore case.
bool folds_by_flag(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  constexpr int kCaseFold = 0x40000000;  // FS_CASEFOLD_FL
  int flags = 0;
  const bool folds = ::ioctl(descriptor, FS_IOC_GETFLAGS, &flags) == 0 && (flags & kCaseFold) != 0;
  ::close(descriptor);
  return folds;
}

}  // namespace

std::string composed(const std::string& text) { return mapped(text, UTF8PROC_COMPOSE); }

std::string name_key(const std::string& name, bool ignores_case) {
  constexpr int kFolded = UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
  return mapped(name, ignores_case ? kFolded : UTF8PROC_COMPOSE);
}

bool ignores_case(const fs::path& folder) {
  // FAT, exFAT, NTFS (two drivers), HFS, HFS+, SMB (three drivers).
  constexpr std::array<std::uint32_t, 9> kKinds = {
      0x4D44, 0x2011BAB0, 0x5346544E, 0x7366746E, 0x4244, 0x482B, 0x517B, 0xFE534D42, 0xFF534D42};
  std::error_code error;
  fs::path place = fs::absolute(folder.empty() ? "." : folder, error);
  while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  struct statfs facts = {};
  if (::statfs(place.c_str(), &facts) != 0) return false;
  const auto kind = static_cast<std::uint32_t>(facts.f_type);
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end() || folds_by_flag(place);
}

}  // namespace qingyin::batch
