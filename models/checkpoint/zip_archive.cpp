#include "models/checkpoint/zip_archive.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kMostEntries = 100'000;
constexpr std::uint32_t kFull32 = 0xFFFFFFFF;
constexpr std::uint16_t kFull16 = 0xFFFF;
constexpr std::uint16_t kEncrypted = 0x0001, kDescriptor = 0x0008, kStrongEncryption = 0x0040;
constexpr std::uint16_t kKnownFlags = 0x0808;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes.at(at + i))) << (8 * i);
  return value;
}
std::uint16_t number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number(bytes, at, 2));
}
std::uint32_t number32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}
std::uint64_t number64(std::string_view bytes, std::size_t at) { return number(bytes, at, 8); }

/// Where the central directory lies.
struct Directory {
  std::uint64_t offset, size, entries;
};

/// An entry as the central directory has it.
struct CentralEntry {
  std::string name;
  std::uint16_t flags;
  std::uint32_t crc;
  std::uint64_t size, local_offset;
  bool has_zip64;
};

class ZipReader {
 public:
  explicit ZipReader(const CheckpointFile& file) : file_(file) {}

  std::vector<ZipEntry> run() {
    directory_ = read_end();
    read_central();
    std::ranges::sort(central_, {}, &CentralEntry::local_offset);
    std::vector<ZipEntry> entries;
    std::uint64_t end = 0;
    for (const CentralEntry& c : central_) {
      if (c.local_offset < end) refuse("entry " + excerpt(c.name) + " overlaps with another");
      if (c.local_offset > end)
        refuse("there is a gap before the local header of entry " + excerpt(c.name) +
               " (its offset)");
      entries.push_back(read_local(c, end));
    }
    if (end != directory_.offset) refuse("there is a gap before the central directory");
    return entries;
  }

 private:
  [[noreturn]] void refuse(const std::string& defect) const {
    refuse_checkpoint(file_.path(), "zip archive: " + defect);
  }

  Directory read_end() {
    constexpr std::uint64_t kEndSize = 22, kLocatorSize = 20;
    std::string end;
    if (file_.size() >= kEndSize) end = file_.read_text(file_.size() - kEndSize, kEndSize);
    if (!end.starts_with("PK\5\6"))
      refuse("no end record at the very end: it is truncated, has a comment or trailing bytes");
    if (number16(end, 20) != 0) refuse("the end record has a comment");
    const std::uint64_t end_at = file_.size() - kEndSize;
    if (end_at >= kLocatorSize) {
      const std::string locator = file_.read_text(end_at - kLocatorSize, kLocatorSize);
      if (locator.starts_with("PK\6\7")) return read_zip64_end(end, locator, end_at - kLocatorSize);
    }
    if (number16(end, 8) == kFull16 || number16(end, 10) == kFull16 ||
        number32(end, 12) == kFull32 || number32(end, 16) == kFull32)
      refuse("the end record is saturated, and there is no zip64 end record");
    if (number16(end, 4) != 0 || number16(end, 6) != 0) refuse("the end record names another disk");
    if (number16(end, 8) != number16(end, 10))
      refuse("the end record's entry counts of this disk and in total differ");
    return checked({number32(end, 16), number32(end, 12), number16(end, 10)}, end_at);
  }

  Directory read_zip64_end(const std::string& end, const std::string& locator,
                           std::uint64_t locator_at) {
    constexpr std::uint64_t kRecordSize = 56;
    if (number32(locator, 4) != 0 || number32(locator, 16) > 1)
      refuse("the zip64 locator names another disk");
    if (locator_at < kRecordSize || number64(locator, 8) != locator_at - kRecordSize)
      refuse("the zip64 locator has a wrong offset (two archives, one after the other?)");
    const std::string record = file_.read_text(locator_at - kRecordSize, kRecordSize);
    if (!record.starts_with("PK\6\6") || number64(record, 4) != kRecordSize - 12)
      refuse("the zip64 locator points to no zip64 end record");
    if (number32(record, 16) != 0 || number32(record, 20) != 0)
      refuse("the zip64 end record names another disk");
    if (number64(record, 24) != number64(record, 32))
      refuse("the zip64 end record's entry counts differ");
    agree(number16(end, 4), kFull16, 0, "disk");
    agree(number16(end, 6), kFull16, 0, "disk");
    agree(number16(end, 8), kFull16, number64(record, 24), "count");
    agree(number16(end, 10), kFull16, number64(record, 32), "count");
    agree(number32(end, 12), kFull32, number64(record, 40), "directory size");
    agree(number32(end, 16), kFull32, number64(record, 48), "directory offset");
    return checked({number64(record, 48), number64(record, 40), number64(record, 32)},
                   locator_at - kRecordSize);
  }

  void agree(std::uint64_t ordinary, std::uint64_t saturated, std::uint64_t zip64,
             const char* what) const {
    if (ordinary != saturated && ordinary != zip64)
      refuse(std::string("the zip64 and the ordinary end record contradict: ") + what);
  }

  /// @param end_at  where the end records begin: there the directory must end
  Directory checked(Directory d, std::uint64_t end_at) const {
    constexpr std::uint64_t kLeastEntry = 46;
    if (d.entries > kMostEntries) refuse("the end record counts too many entries");
    if (d.offset > end_at || d.size != end_at - d.offset)
      refuse(
          "truncated or damaged: central directory offset and size do not end at the end record");
    if (d.entries * kLeastEntry > d.size)
      refuse("the entry count does not fit the size of the central directory");
    return d;
  }

  void read_central() {
    const std::string bytes = file_.read_text(directory_.offset, directory_.size);
    std::size_t at = 0;
    std::set<std::string> names;
    for (std::uint64_t i = 0; i < directory_.entries; ++i) {
      central_.push_back(read_central_entry(bytes, at));
      if (!names.insert(central_.back().name).second)
        refuse("duplicate entry name " + excerpt(central_.back().name));
    }
    if (at != bytes.size())
      refuse("the entry count and the size of the central directory do not agree");
  }

  CentralEntry read_central_entry(std::string_view bytes, std::size_t& at) {
    constexpr std::size_t kFixed = 46;
    if (bytes.size() - at < kFixed || bytes.substr(at, 4) != "PK\1\2")
      refuse("a central directory header is wrong");
    const std::string_view fixed = bytes.substr(at, kFixed);
    const std::size_t name_size = number16(fixed, 28), extra_size = number16(fixed, 30),
                      comment_size = number16(fixed, 32);
    if (bytes.size() - at - kFixed < name_size + extra_size + comment_size)
      refuse("the name or extra field of an entry reaches beyond the central directory");
    CentralEntry entry{.name = std::string(bytes.substr(at + kFixed, name_size)),
                       .flags = number16(fixed, 8),
                       .crc = number32(fixed, 16),
                       .size = number32(fixed, 24),
                       .local_offset = number32(fixed, 42),
                       .has_zip64 = false};
    const std::string_view extra = bytes.substr(at + kFixed + name_size, extra_size);
    at += kFixed + name_size + extra_size + comment_size;
    check_name(entry.name);
    check_method(entry, number16(fixed, 10));
    if (comment_size != 0) refuse("entry " + excerpt(entry.name) + " has a comment");
    const std::uint16_t disk = number16(fixed, 34);
    if (disk != 0 && disk != kFull16)
      refuse("entry " + excerpt(entry.name) + " is on another disk");
    const std::uint64_t packed = widen(entry, number32(fixed, 20), disk, extra);
    if (packed != entry.size)
      refuse("stored entry " + excerpt(entry.name) + ": compressed and plain size differ");
    return entry;
  }

  void check_name(const std::string& name) const {
    const auto bad = [&](const char* rule) {
      refuse("the entry name " + excerpt(name, 80) + " " + rule);
    };
    if (name.empty()) bad("is empty");
    if (!is_utf8(name)) bad("is not UTF-8");
    if (name.find_first_of(std::string_view("\\:\0", 3)) != std::string::npos || name[0] == '/')
      bad("is no plain path");
    if (name.back() == '/') bad("is a directory");
    const std::string slashed = "/" + name + "/";
    if (slashed.find("/../") != std::string::npos || slashed.find("/./") != std::string::npos ||
        slashed.find("//") != std::string::npos)
      bad("is no plain path");
  }

  void check_method(const CentralEntry& entry, std::uint16_t method) const {
    if ((entry.flags & (kEncrypted | kStrongEncryption)) != 0)
      refuse("entry " + excerpt(entry.name) + " is encrypted");
    if ((entry.flags & ~kKnownFlags) != 0)
      refuse("entry " + excerpt(entry.name) + " has unknown flags");
    if (method != 0)
      refuse("entry " + excerpt(entry.name) + " is compressed (method " + std::to_string(method) +
             (method == 8 ? ", deflate" : "") + "), expected a stored one");
  }

  /// The content of the one zip64 field of an extra area.
  std::optional<std::string_view> zip64_field(std::string_view extra,
                                              const std::string& name) const {
    std::optional<std::string_view> found;
    while (!extra.empty()) {
      if (extra.size() < 4 || number16(extra, 2) > extra.size() - 4)
        refuse("the extra field of entry " + excerpt(name) + " is truncated");
      if (number16(extra, 0) == 1) {
        if (found) refuse("entry " + excerpt(name) + " has a duplicate zip64 extra field");
        found = extra.substr(4, number16(extra, 2));
      }
      extra.remove_prefix(std::size_t{4} + number16(extra, 2));
    }
    return found;
  }

  /// Puts the zip64 values of a central entry in place. @return its compressed size
  std::uint64_t widen(CentralEntry& entry, std::uint64_t packed, std::uint16_t disk,
                      std::string_view extra) const {
    const auto field = zip64_field(extra, entry.name);
    entry.has_zip64 = field.has_value();
    const std::array<std::uint64_t*, 3> values{&entry.size, &packed, &entry.local_offset};
    const auto saturated = static_cast<std::size_t>(
        std::ranges::count_if(values, [](auto* v) { return *v == kFull32; }));
    if (!field) {
      if (saturated > 0 || disk == kFull16)
        refuse("a size or offset of entry " + excerpt(entry.name) +
               " is saturated without a zip64 extra field");
      return packed;
    }
    const std::size_t disk_bytes = disk == kFull16 ? 4 : 0;
    // Either only what is saturated is there, in this order, or everything up to some value is.
    const bool is_minimal = field->size() == 8 * saturated + disk_bytes;
    if (!is_minimal && field->size() != 24 && field->size() != 28 && field->size() != 16)
      refuse("the zip64 extra field of entry " + excerpt(entry.name) + " has a wrong size");
    std::size_t at = 0;
    for (std::uint64_t* value : values) {
      if (is_minimal && *value != kFull32) continue;
      if (at + 8 > field->size()) break;
      const std::uint64_t wide = number64(*field, at);
      at += 8;
      if (*value != kFull32 && *value != wide)
        refuse("the zip64 extra field of entry " + excerpt(entry.name) + " contradicts its header");
      *value = wide;
    }
    if (field->size() >= at + 4 && number32(*field, at) != 0)
      refuse("the zip64 extra field of entry " + excerpt(entry.name) + " names another disk");
    return packed;
  }

  /// @param end  set to where the entry ends
  ZipEntry read_local(const CentralEntry& c, std::uint64_t& end) const {
    constexpr std::uint64_t kFixed = 30;
    const auto wrong = [&](const std::string& what) {
      refuse("the local header of entry " + excerpt(c.name) + " " + what);
    };
    if (c.local_offset > directory_.offset || directory_.offset - c.local_offset < kFixed)
      wrong("has an offset beyond the entries");
    const std::string fixed = file_.read_text(c.local_offset, kFixed);
    if (!fixed.starts_with("PK\3\4")) wrong("is not at its offset");
    const std::uint64_t name_size = number16(fixed, 26), extra_size = number16(fixed, 28);
    const std::uint64_t room = directory_.offset - c.local_offset - kFixed;
    if (name_size + extra_size > room) wrong("has a name or extra field beyond the entries");
    const std::string text = file_.read_text(c.local_offset + kFixed, name_size + extra_size);
    if (text.substr(0, name_size) != c.name) wrong("differs from the central one in its name");
    if (number16(fixed, 6) != c.flags) wrong("differs from the central one in its flags");
    if (number16(fixed, 8) != 0) wrong("differs from the central one in its method");
    const auto field = zip64_field(std::string_view(text).substr(name_size), c.name);
    check_local_sizes(c, fixed, field);

    const std::uint64_t data = c.local_offset + kFixed + name_size + extra_size;
    if (c.size > directory_.offset - data)
      refuse("the size of entry " + excerpt(c.name) + " reaches beyond the entries of the file");
    end = data + c.size;
    if ((c.flags & kDescriptor) != 0) end += check_descriptor(c, end, field || c.has_zip64);
    return {.name = c.name, .offset = data, .size = c.size, .crc = c.crc};
  }

  void check_local_sizes(const CentralEntry& c, const std::string& fixed,
                         const std::optional<std::string_view>& field) const {
    const std::uint64_t crc = number32(fixed, 14);
    std::uint64_t packed = number32(fixed, 18), size = number32(fixed, 22);
    const bool may_be_zero = (c.flags & kDescriptor) != 0;
    if (size == kFull32 || packed == kFull32) {
      if (!field || field->size() < 16)
        refuse("the local size of entry " + excerpt(c.name) +
               " is saturated without a zip64 extra field");
      agree_local(c, size, kFull32, number64(*field, 0));
      agree_local(c, packed, kFull32, number64(*field, 8));
      size = number64(*field, 0);
      packed = number64(*field, 8);
    }
    const auto fits = [&](std::uint64_t local, std::uint64_t central) {
      return local == central || (may_be_zero && local == 0);
    };
    if (!fits(size, c.size) || !fits(packed, c.size))
      refuse("the local header of entry " + excerpt(c.name) +
             " differs from the central one in its size");
    if (!fits(crc, c.crc))
      refuse("the local header of entry " + excerpt(c.name) +
             " differs from the central one in its CRC");
  }

  void agree_local(const CentralEntry& c, std::uint64_t ordinary, std::uint64_t saturated,
                   std::uint64_t zip64) const {
    if (ordinary != saturated && ordinary != zip64)
      refuse("the local zip64 extra field of entry " + excerpt(c.name) + " contradicts its header");
  }

  /// @return the descriptor's length
  std::uint64_t check_descriptor(const CentralEntry& c, std::uint64_t at, bool is_wide) const {
    const std::uint64_t length = is_wide ? 24 : 16;
    if (length > directory_.offset - at)
      refuse("the data descriptor of entry " + excerpt(c.name) + " is beyond the entries");
    const std::string bytes = file_.read_text(at, length);
    const std::size_t width = is_wide ? 8 : 4;
    if (!bytes.starts_with("PK\7\10") || number32(bytes, 4) != c.crc ||
        number(bytes, 8, width) != c.size || number(bytes, 8 + width, width) != c.size)
      refuse("the data descriptor of entry " + excerpt(c.name) +
             " differs from the directory in CRC or size");
    return length;
  }

  const CheckpointFile& file_;
  Directory directory_{};
  std::vector<CentralEntry> central_;
};

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Tables of the CRC-32 of zip (reversed polynomial 0xEDB88320), eight bytes a step.
constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) * 0xEDB88320U);
    tables[0][i] = value;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t i = 0; i < 256; ++i)
      tables[t][i] = (tables[t - 1][i] >> 8U) ^ tables[0][tables[t - 1][i] & 0xFFU];
  return tables;
}

constexpr CrcTables kCrc = make_crc_tables();

std::uint32_t update_crc(std::uint32_t crc, std::string_view bytes) {
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const std::uint32_t low = number32(bytes, 0) ^ crc, high = number32(bytes, 4);
    crc = kCrc[7][low & 0xFFU] ^ kCrc[6][(low >> 8U) & 0xFFU] ^ kCrc[5][(low >> 16U) & 0xFFU] ^
          kCrc[4][low >> 24U] ^ kCrc[3][high & 0xFFU] ^ kCrc[2][(high >> 8U) & 0xFFU] ^
          kCrc[1][(high >> 16U) & 0xFFU] ^ kCrc[0][high >> 24U];
  }
  for (const char c : bytes)
    crc = (crc >> 8U) ^ kCrc[0][(crc ^ static_cast<unsigned char>(c)) & 0xFFU];
  return crc;
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const CheckpointFile& file) {
  return ZipReader(file).run();
}

void check_crc(const CheckpointFile& file, const ZipEntry& entry) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20U;
  std::uint32_t crc = kFull32;
  for (std::uint64_t done = 0; done < entry.size; done += kPiece)
    crc = update_crc(crc, file.read_text(entry.offset + done, std::min(kPiece, entry.size - done)));
  if ((crc ^ kFull32) != entry.crc)
    refuse_checkpoint(file.path(), "zip archive: entry " + excerpt(entry.name) +
                                       " is corrupt: its CRC (checksum) is wrong");
}

}  // namespace qingyin
