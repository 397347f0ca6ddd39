#include "models/checkpoint/pth.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/pickle.h"
#include "models/checkpoint/pickle_json.h"
#include "models/checkpoint/zip_archive.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;

/// Bytes of a storage; none if the count overflows.
std::optional<std::uint64_t> byte_count(const PickledStorage& storage) {
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(storage.numel, element_bytes(storage.dtype), &bytes))
    return std::nullopt;
  return bytes;
}

/// Copies views out of the storages of a file, each into contiguous memory of its own.
class TensorCopier {
 public:
  /// @param offsets  of each storage's first byte in the file
  TensorCopier(const CheckpointFile& file, const PickledObject& object,
               std::vector<std::uint64_t> offsets)
      : file_(file), object_(object), offsets_(std::move(offsets)) {}

  void run(const std::map<std::string, std::size_t>& names, const TensorFilter& wanted,
           const ShapeCheck& check, const TensorSink& take) {
    check_total(names);
    // In the order of storages, so that a shared one is read once.
    std::vector<std::pair<std::string, const PickledTensor*>> views;
    for (const auto& [name, tensor] : names) views.emplace_back(name, &object_.tensors[tensor]);
    std::ranges::stable_sort(views, {}, [](const auto& view) { return view.second->storage; });
    Checkpoint shapes;
    for (const auto& [name, view] : views) shapes.tensors.emplace(name, without_bytes(*view));
    check(shapes);
    for (const auto& [name, view] : views)
      if (wanted(name)) take(name, copy_one(*view));
  }

 private:
  std::uint64_t element(const PickledTensor& t) const {
    return element_bytes(object_.storages[t.storage].dtype);
  }

  /// Bytes of a view in contiguous form; none if the count overflows.
  std::optional<std::uint64_t> contiguous_bytes(const PickledTensor& t) const {
    if (std::ranges::find(t.sizes, 0) != t.sizes.end()) return 0;
    std::uint64_t bytes = element(t);
    for (const std::int64_t size : t.sizes)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
        return std::nullopt;
    return bytes;
  }

  void check_total(const std::map<std::string, std::size_t>& names) const {
    const std::uint64_t limit = 256 * kMebibyte + 4 * file_.size();
    std::uint64_t total = 0;
    for (const auto& [name, tensor] : names) {
      const auto bytes = contiguous_bytes(object_.tensors[tensor]);
      if (!bytes || __builtin_add_overflow(total, *bytes, &total) || total > limit)
        refuse_checkpoint(file_.path(), "its tensors expand to more bytes than the limit of " +
                                            std::to_string(limit) + ": too large");
    }
  }

  static bool is_contiguous(const PickledTensor& t) {
    std::int64_t expected = 1;
    for (std::size_t i = t.sizes.size(); i-- > 0;) {
      if (t.sizes[i] != 1 && t.strides[i] != expected) return false;
      expected *= t.sizes[i];
    }
    return true;
  }

  StoredTensor without_bytes(const PickledTensor& t) const {
    return {.dtype = object_.storages[t.storage].dtype, .shape = t.sizes, .bytes = TensorBytes(0)};
  }

  StoredTensor copy_one(const PickledTensor& t) {
    const std::uint64_t bytes = contiguous_bytes(t).value_or(0);
    StoredTensor copy{
        .dtype = object_.storages[t.storage].dtype, .shape = t.sizes, .bytes = TensorBytes(bytes)};
    if (bytes == 0) return copy;
    if (is_contiguous(t)) {
      file_.read(offsets_[t.storage] + t.offset * element(t), copy.bytes.span());
      return copy;
    }
    if (!storage_ || storage_index_ != t.storage) {
      storage_.reset();
      storage_.emplace(*byte_count(object_.storages[t.storage]));
      storage_index_ = t.storage;
      file_.read(offsets_[t.storage], storage_->span());
    }
    gather(t, storage_->data(), copy.bytes.data());
    return copy;
  }

  /// Copies a strided view, last dimension fastest.
  void gather(const PickledTensor& t, const std::byte* from, std::byte* to) const {
    const std::uint64_t size = element(t);
    std::vector<std::int64_t> index(t.sizes.size(), 0);
    std::uint64_t at = t.offset;
    for (;;) {
      std::memcpy(to, from + at * size, static_cast<std::size_t>(size));
      to += size;
      std::size_t d = t.sizes.size();
      while (d-- > 0) {
        at += static_cast<std::uint64_t>(t.strides[d]);
        if (++index[d] < t.sizes[d]) break;
        at -= static_cast<std::uint64_t>(t.strides[d]) * static_cast<std::uint64_t>(t.sizes[d]);
        index[d] = 0;
        if (d == 0) return;
      }
    }
  }

  const CheckpointFile& file_;
  const PickledObject& object_;
  std::vector<std::uint64_t> offsets_;
  std::optional<TensorBytes> storage_;
  std::size_t storage_index_ = 0;
};

/// The entries of a checkpoint's archive by their name below its one folder.
std::map<std::string, ZipEntry> entries_below_prefix(const CheckpointFile& file) {
  std::map<std::string, ZipEntry> entries;
  std::string prefix;
  for (ZipEntry& entry : read_zip_directory(file)) {
    const std::size_t slash = entry.name.find('/');
    const std::string below =
        slash == std::string::npos ? entry.name : entry.name.substr(slash + 1);
    if (below.starts_with("code/") || below == "constants.pkl")
      refuse_checkpoint(file.path(), "is a TorchScript archive (code/, constants.pkl)");
    const std::string folder = slash == std::string::npos ? "" : entry.name.substr(0, slash);
    if (folder.empty() || (!prefix.empty() && folder != prefix))
      refuse_checkpoint(file.path(), "zip archive: entry " + excerpt(entry.name) +
                                         " is not under the one prefix folder of data.pkl");
    prefix = folder;
    entries.emplace(below, std::move(entry));
  }
  if (!entries.contains("data.pkl"))
    refuse_checkpoint(file.path(), "zip archive: there is no data.pkl: it is not a checkpoint");
  return entries;
}

void check_magic(const CheckpointFile& file, const PickledObject& magic) {
  const PickleValue& m = magic.at(magic.root);
  if (m.kind != PickleKind::kMagic ||
      magic.text(m) != std::string_view("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10))
    refuse_checkpoint(file.path(), "is no legacy torch file: wrong magic number (a bare pickle?)");
}

void check_legacy_head(const CheckpointFile& file, const PickledObject& version,
                       const PickledObject& info) {
  const PickleValue& v = version.at(version.root);
  if (v.kind != PickleKind::kInt || v.payload != 1001)
    refuse_checkpoint(file.path(), "legacy torch file: its protocol version is not 1001");
  const PickleValue& s = info.at(info.root);
  if (s.kind != PickleKind::kDict)
    refuse_checkpoint(file.path(), "legacy torch file: its sys_info is not a dict");
  const auto& items = info.items_of(s);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const PickleValue& key = info.at(items[i]);
    const PickleValue& value = info.at(items[i + 1]);
    if (key.kind == PickleKind::kString && info.text(key) == "little_endian" &&
        value.kind == PickleKind::kBool && value.payload == 1)
      return;
  }
  refuse_checkpoint(file.path(), "legacy torch file: sys_info does not say little_endian");
}

/// Where each storage of `object` lies behind the pickles, in the order of the key list.
std::vector<std::uint64_t> legacy_offsets(const CheckpointFile& file, const PickledObject& object,
                                          const PickledObject& keys, std::uint64_t at) {
  const auto refuse = [&](const std::string& defect) {
    refuse_checkpoint(file.path(), "legacy torch file: " + defect);
  };
  std::map<std::string, std::size_t> by_key;
  for (std::size_t i = 0; i < object.storages.size(); ++i) by_key[object.storages[i].key] = i;
  const PickleValue& list = keys.at(keys.root);
  if (list.kind != PickleKind::kList) refuse("the storage keys are not a list");
  std::vector<std::uint64_t> offsets(object.storages.size());
  std::set<std::string> seen;
  for (const std::uint32_t item : keys.items_of(list)) {
    const PickleValue& key = keys.at(item);
    if (key.kind != PickleKind::kString) refuse("a storage key is not a string");
    const auto found = by_key.find(keys.text(key));
    if (found == by_key.end()) refuse("the key list names a storage that nobody uses");
    if (!seen.insert(found->first).second) refuse("duplicate storage key " + found->first);
    const PickledStorage& storage = object.storages[found->second];
    if (file.size() - at < 8) refuse("truncated before the elements of storage " + storage.key);
    std::uint64_t numel = 0;
    const std::string raw = file.read_text(at, 8);
    std::memcpy(&numel, raw.data(), 8);
    at += 8;
    if (numel != storage.numel)
      refuse("storage " + storage.key + " has another numel than its pickle says");
    const auto bytes = byte_count(storage);
    if (!bytes || *bytes > file.size() - at)
      refuse("truncated: storage " + storage.key + " needs more bytes than are left");
    offsets[found->second] = at;
    at += *bytes;
  }
  if (seen.size() != by_key.size()) refuse("the key list lacks a storage that a tensor uses");
  if (at != file.size()) refuse("trailing bytes after the last storage");
  return offsets;
}

/// The object of a file, and where each of its storages begins.
struct PthContent {
  PickledObject object;
  std::vector<std::uint64_t> offsets;
};

PthContent open_zip(const CheckpointFile& file) {
  const auto entries = entries_below_prefix(file);
  for (const auto& [name, entry] : entries) check_crc(file, entry);
  if (const auto order = entries.find("byteorder"); order != entries.end())
    if (order->second.size != 6 || file.read_text(order->second.offset, 6) != "little")
      refuse_checkpoint(file.path(), "its byteorder is not little (endian)");

  const ZipEntry& pickle = entries.at("data.pkl");
  const std::string bytes = file.read_text(pickle.offset, pickle.size);
  std::size_t consumed = 0;
  PickledObject object = read_pickle(bytes, PersistentIds::kZip, file.path(), consumed);
  if (consumed != bytes.size())
    refuse_checkpoint(file.path(), "its pickle has trailing bytes after STOP");
  std::vector<std::uint64_t> offsets;
  for (const PickledStorage& storage : object.storages) {
    const auto entry = entries.find("data/" + storage.key);
    if (entry == entries.end())
      refuse_checkpoint(file.path(), "storage " + storage.key + " is missing in the archive");
    if (byte_count(storage) != entry->second.size)
      refuse_checkpoint(file.path(), "storage " + storage.key + " has " +
                                         std::to_string(entry->second.size) +
                                         " bytes, its numel needs another size");
    offsets.push_back(entry->second.offset);
  }
  return {.object = std::move(object), .offsets = std::move(offsets)};
}

PthContent open_legacy(const CheckpointFile& file) {
  // The pickles come first and are small; what follows them is not needed in memory.
  constexpr std::uint64_t kMostPickled = 256 * kMebibyte;
  const std::string bytes = file.first_bytes(kMostPickled);
  std::size_t at = 0;
  const auto next = [&](PersistentIds ids) {
    std::size_t consumed = 0;
    PickledObject part =
        read_pickle(std::string_view(bytes).substr(at), ids, file.path(), consumed);
    at += consumed;
    return part;
  };
  const PickledObject magic = next(PersistentIds::kNone);
  check_magic(file, magic);
  const PickledObject version = next(PersistentIds::kNone);
  const PickledObject info = next(PersistentIds::kNone);
  check_legacy_head(file, version, info);
  PickledObject object = next(PersistentIds::kLegacy);
  const PickledObject keys = next(PersistentIds::kNone);
  std::vector<std::uint64_t> offsets = legacy_offsets(file, object, keys, at);
  return {.object = std::move(object), .offsets = std::move(offsets)};
}

PthContent open_pth(const CheckpointFile& file) {
  return file.first_bytes(4) == "PK\3\4" ? open_zip(file) : open_legacy(file);
}

}  // namespace

bool is_pth(std::string_view first_bytes) {
  if (first_bytes.starts_with("PK\3\4")) return true;
  return first_bytes.size() > 1 && first_bytes[0] == '\x80' && first_bytes[1] >= 2 &&
         first_bytes[1] <= 4;
}

void stream_pth(const CheckpointFile& file, const TensorFilter& wanted, const ShapeCheck& check,
                const TensorSink& take) {
  PthContent content = open_pth(file);
  const auto names = named_tensors(content.object, file.path());
  TensorCopier(file, content.object, std::move(content.offsets)).run(names, wanted, check, take);
}

std::string read_pth_as_json(const CheckpointFile& file) {
  const PthContent content = open_pth(file);
  named_tensors(content.object, file.path());
  return to_json(content.object);
}

}  // namespace qingyin
