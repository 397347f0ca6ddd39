#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/json_events.h"
#include "models/checkpoint/safetensors.h"

namespace qingyin {
namespace {

constexpr std::size_t kMostDimensions = 8;

struct Entry {
  std::string name;
  std::optional<std::string> dtype;
  std::optional<std::vector<std::uint64_t>> shape, data_offsets;
};

/// Gathers a header's entries. It keeps the first fault of meaning instead of throwing, so that a
/// text that is no JSON at all is called that.
class HeaderEvents : public JsonEvents {
 public:
  const std::string& fault() const { return fault_; }
  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;

  void begin_object() override {
    if (fault_.empty() && depth_ > 1) fail_value("a nested object");
    if (fault_.empty() && depth_ == 1) {
      in_metadata_ = name_ == "__metadata__";
      if (!in_metadata_)
        entries.push_back({.name = name_, .dtype = {}, .shape = {}, .data_offsets = {}});
    }
    ++depth_;
  }
  void key(const std::string& name) override {
    if (!fault_.empty()) return;
    if (depth_ == 1) {
      name_ = name;
      return;
    }
    field_ = name;
    if (in_metadata_ || name == "dtype" || name == "shape" || name == "data_offsets") return;
    fail(place() + " has an unknown field " + excerpt(name));
  }
  void end_object() override {
    if (depth_-- == 2 && fault_.empty() && !in_metadata_) check_complete();
  }
  void begin_array() override {
    if (fault_.empty() && depth_ == 2 && list() != nullptr)
      list()->emplace();
    else if (fault_.empty())
      fail_value(depth_ > 2 ? "a nested array" : "an array");
    ++depth_;
  }
  void end_array() override { --depth_; }
  void string(const std::string& value) override {
    if (!fault_.empty()) return;
    if (depth_ == 2 && in_metadata_)
      metadata.emplace(field_, value);
    else if (depth_ == 2 && field_ == "dtype")
      entries.back().dtype = value;
    else
      fail_value("the string " + excerpt(value));
  }
  void integer(std::uint64_t value) override {
    if (!fault_.empty()) return;
    if (depth_ != 3 || list() == nullptr) return fail_value("the number " + std::to_string(value));
    // A shape longer than the limit is refused later, by its length.
    if ((*list())->size() <= kMostDimensions) (*list())->push_back(value);
  }
  void other(const std::string& what) override {
    if (fault_.empty()) fail_value(what);
  }

 private:
  void fail(const std::string& fault) { fault_ = fault; }

  std::string place() const { return "the entry of tensor " + excerpt(name_); }

  /// The list that the current field is; none if it is not one.
  std::optional<std::vector<std::uint64_t>>* list() {
    if (in_metadata_) return nullptr;
    if (field_ == "shape") return &entries.back().shape;
    if (field_ == "data_offsets") return &entries.back().data_offsets;
    return nullptr;
  }

  void fail_value(const std::string& found) {
    if (depth_ == 1 && name_ == "__metadata__")
      fail("__metadata__ is " + found + ", expected an object of strings");
    else if (depth_ == 1)
      fail(place() + " is " + found + ", expected an object");
    else if (in_metadata_)
      fail("__metadata__ key " + excerpt(field_) + " holds " + found + ", expected a string");
    else
      fail(place() + ": " + field_ + " holds " + found + ", expected " +
           (field_ == "dtype" ? "a string" : "a list of non-negative 64-bit integers"));
  }

  void check_complete() {
    const Entry& e = entries.back();
    if (!e.dtype)
      fail(place() + " has no dtype");
    else if (!e.shape)
      fail(place() + " has no shape");
    else if (!e.data_offsets)
      fail(place() + " has no data_offsets");
    else if (e.data_offsets->size() != 2)
      fail(place() + ": data_offsets must be two integers");
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  std::string name_, field_, fault_;
};

/// Bytes of a tensor by its shape; none if the count does not fit 63 bits.
std::optional<std::uint64_t> byte_count(const std::vector<std::uint64_t>& shape, DType dtype) {
  // Strides are computed as if zero-size dimensions were one, so that product must fit too.
  std::uint64_t bytes = element_bytes(dtype);
  bool is_empty = false;
  for (const std::uint64_t size : shape) {
    is_empty = is_empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::uint64_t>(size, 1), &bytes) ||
        bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return std::nullopt;
  }
  return is_empty ? 0 : bytes;
}

/// Turns an entry into a record whose `offset` still counts from the start of the data.
TensorRecord checked_record(Entry entry, std::uint64_t data_bytes,
                            const std::filesystem::path& file) {
  const std::string tensor = "tensor " + excerpt(entry.name);
  const auto dtype = dtype_named(*entry.dtype);
  if (!dtype) refuse_checkpoint(file, tensor + ": unknown dtype " + excerpt(*entry.dtype));
  if (entry.shape->size() > kMostDimensions)
    refuse_checkpoint(file, tensor + ": its shape has more than 8 dimensions");
  const auto bytes = byte_count(*entry.shape, *dtype);
  if (!bytes) refuse_checkpoint(file, tensor + ": the size of its shape overflows 64 bits");
  const std::uint64_t begin = entry.data_offsets->front(), end = entry.data_offsets->back();
  if (begin > end) refuse_checkpoint(file, tensor + ": data_offsets end before they begin");
  if (end - begin != *bytes)
    refuse_checkpoint(file, tensor + ": its shape needs " + std::to_string(*bytes) +
                                " bytes, data_offsets give " + std::to_string(end - begin));
  if (end > data_bytes)
    refuse_checkpoint(file, tensor + ": data_offsets end at " + std::to_string(end) +
                                ", beyond the " + std::to_string(data_bytes) +
                                " bytes of data; is the file truncated?");
  return {.name = std::move(entry.name),
          .dtype = *dtype,
          .shape = {entry.shape->begin(), entry.shape->end()},
          .offset = begin,
          .bytes = *bytes};
}

void check_cover(const std::vector<TensorRecord>& sorted, std::uint64_t data_bytes,
                 const std::filesystem::path& file) {
  std::uint64_t covered = 0;
  for (const TensorRecord& t : sorted) {
    if (t.offset > covered)
      refuse_checkpoint(file, "hole of " + std::to_string(t.offset - covered) +
                                  " bytes before the data_offsets of tensor " + excerpt(t.name));
    if (t.offset < covered)
      refuse_checkpoint(file, "data_offsets of tensor " + excerpt(t.name) +
                                  " overlap with those of another tensor");
    covered += t.bytes;
  }
  if (covered != data_bytes)
    refuse_checkpoint(
        file, std::to_string(data_bytes - covered) + " trailing bytes that belong to no tensor");
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t file_size,
                                           const std::filesystem::path& file) {
  if (!json.starts_with('{'))
    refuse_checkpoint(file, "the header is not a JSON object: it does not begin with {");
  HeaderEvents events;
  scan_json(json, events, file);
  if (!events.fault().empty()) refuse_checkpoint(file, events.fault());

  const std::uint64_t data_begin = 8 + json.size();
  const std::uint64_t data_bytes = file_size - data_begin;
  SafetensorsHeader header{.metadata = std::move(events.metadata), .tensors = {}};
  header.tensors.reserve(events.entries.size());
  for (Entry& entry : events.entries)
    header.tensors.push_back(checked_record(std::move(entry), data_bytes, file));
  std::ranges::sort(header.tensors, {}, [](const TensorRecord& t) {
    return std::tuple(t.offset, t.bytes, std::string_view(t.name));
  });
  check_cover(header.tensors, data_bytes, file);
  for (TensorRecord& t : header.tensors) t.offset += data_begin;
  return header;
}

}  // namespace qingyin
