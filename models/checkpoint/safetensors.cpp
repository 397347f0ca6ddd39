#include "models/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;

std::uint64_t little_endian(std::string_view eight_bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(eight_bytes[i])) << (8 * i);
  return value;
}

std::string looks_like(const CheckpointFile& file) {
  const std::string_view kind = known_file_kind(file.first_bytes(512));
  return kind.empty() ? std::string() : "; it looks like " + std::string(kind);
}

SafetensorsHeader read_header(const CheckpointFile& file) {
  if (file.size() < kLengthBytes)
    refuse_checkpoint(file.path(), "is too short for a safetensors header: " +
                                       std::to_string(file.size()) + " bytes" + looks_like(file));
  const std::uint64_t length = little_endian(file.read_text(0, kLengthBytes));
  if (length > kLongestHeader)
    refuse_checkpoint(file.path(), "header length " + std::to_string(length) +
                                       " is too large (at most 100000000)" + looks_like(file));
  if (length > file.size() - kLengthBytes)
    refuse_checkpoint(file.path(), "is truncated: header length " + std::to_string(length) +
                                       " in a file of " + std::to_string(file.size()) + " bytes" +
                                       looks_like(file));
  if (length == 0)
    refuse_checkpoint(file.path(),
                      "has an empty header: expected a JSON object" + looks_like(file));
  return parse_safetensors_header(file.read_text(kLengthBytes, length), file.size(), file.path());
}

std::uint64_t byte_count(const TensorToWrite& tensor) {
  std::uint64_t bytes = element_bytes(tensor.dtype);
  for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::uint64_t>(size);
  return bytes;
}

std::string header_json(const std::vector<TensorToWrite>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  auto header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t begin = 0;
  for (const TensorToWrite& t : tensors) {
    require(t.bytes.size() == byte_count(t), ErrorCode::kInternal,
            "write_safetensors: the bytes of " + t.name + " do not fit its shape");
    require(!header.contains(t.name) && t.name != "__metadata__", ErrorCode::kInternal,
            "write_safetensors: the name " + t.name + " cannot be used twice");
    const std::uint64_t end = begin + t.bytes.size();
    header[t.name] = {{"dtype", name_of(t.dtype)},
                      {"shape", t.shape},
                      {"data_offsets", std::array<std::uint64_t, 2>{begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(path), header_(read_header(file_)) {}

TensorBytes SafetensorsFile::read(const TensorRecord& tensor) const {
  TensorBytes bytes(tensor.bytes);
  file_.read(tensor.offset, bytes.span());
  return bytes;
}

void write_safetensors_file(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                            const std::map<std::string, std::string>& metadata,
                            Overwrite overwrite) {
  std::ranges::sort(tensors, {}, [](const TensorToWrite& t) {
    return std::tuple(-static_cast<std::int64_t>(element_bytes(t.dtype)), std::string_view(t.name));
  });
  const std::string header = header_json(tensors, metadata);
  AtomicFile file(path, overwrite);
  std::ofstream out(file.temporary(), std::ios::binary | std::ios::trunc);
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    out.put(static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i)));
  out.write(header.data(), static_cast<std::streamsize>(header.size()));
  for (const TensorToWrite& t : tensors)
    out.write(reinterpret_cast<const char*>(t.bytes.data()),
              static_cast<std::streamsize>(t.bytes.size()));
  out.close();
  require(out.good(), ErrorCode::kIo, printable(path) + ": cannot be written; is the disk full?");
  file.commit();
}

}  // namespace qingyin
