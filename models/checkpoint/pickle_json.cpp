#include "models/checkpoint/pickle_json.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "models/checkpoint/pickle_globals.h"

namespace qingyin {
namespace {

using nlohmann::json;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

json float_json(double value) {
  if (std::isfinite(value)) return value;
  const char* const text = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return {{"$float", text}};
}

template <typename T>
T raw(const std::string& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// "float64" and the value of a numpy scalar; other dtypes and sizes keep their bytes.
json numpy_json(const std::string& dtype, const std::string& bytes) {
  const auto scalar = [&](const char* name, const json& value) -> json {
    return {{"$numpy", name}, {"value", value}};
  };
  if (std::to_string(bytes.size()) == dtype.substr(1)) {
    if (dtype == "f8") return scalar("float64", float_json(raw<double>(bytes)));
    if (dtype == "f4") return scalar("float32", float_json(raw<float>(bytes)));
    if (dtype == "i8") return scalar("int64", raw<std::int64_t>(bytes));
    if (dtype == "i4") return scalar("int32", raw<std::int32_t>(bytes));
    if (dtype == "i2") return scalar("int16", raw<std::int16_t>(bytes));
    if (dtype == "i1") return scalar("int8", raw<std::int8_t>(bytes));
    if (dtype == "u8") return scalar("uint64", raw<std::uint64_t>(bytes));
    if (dtype == "u4") return scalar("uint32", raw<std::uint32_t>(bytes));
    if (dtype == "u2") return scalar("uint16", raw<std::uint16_t>(bytes));
    if (dtype == "u1") return scalar("uint8", raw<std::uint8_t>(bytes));
    if (dtype == "b1") return scalar("bool", bytes[0] != 0);
  }
  return scalar(dtype.c_str(), {{"$bytes", hex(bytes)}});
}

class Writer {
 public:
  explicit Writer(const PickledObject& object) : object_(object) {}

  // The depth is at most 64: read_pickle has checked it.
  json write(std::uint32_t id, const std::string& name) const {
    const PickleValue& v = object_.at(id);
    switch (v.kind) {
      case PickleKind::kNone:
        return nullptr;
      case PickleKind::kBool:
        return v.payload != 0;
      case PickleKind::kInt:
        return v.payload;
      case PickleKind::kFloat:
        return float_json(std::bit_cast<double>(v.payload));
      case PickleKind::kString:
        return object_.text(v);
      case PickleKind::kMagic:
      case PickleKind::kBytes:
        return {{"$bytes", hex(object_.text(v))}};
      case PickleKind::kList:
      case PickleKind::kTuple:
        return list(object_.items_of(v), name);
      case PickleKind::kDict:
      case PickleKind::kOrderedDict:
        return dict(object_.items_of(v), name);
      case PickleKind::kTensor:
        return {{"$tensor", name}};
      case PickleKind::kSize:
        return {{"$opaque", "torch.Size"}, {"value", list(object_.items_of(v), name)}};
      case PickleKind::kNumpyDtype:
        return {{"$opaque", "numpy.dtype"}, {"value", object_.text(v)}};
      case PickleKind::kNumpyScalar: {
        const auto& parts = object_.items_of(v);
        return numpy_json(object_.text(object_.at(parts[0])), object_.text(object_.at(parts[1])));
      }
      case PickleKind::kGlobal: {
        const PickleGlobal& global = global_at(static_cast<std::size_t>(v.payload));
        return {{"$opaque", std::string(global.module) + "." + std::string(global.name)}};
      }
      case PickleKind::kStorage:
        break;
    }
    return {{"$opaque", "storage"}};
  }

 private:
  static std::string below(const std::string& name, const std::string& part) {
    return name.empty() ? part : name + '.' + part;
  }

  json list(const std::vector<std::uint32_t>& items, const std::string& name) const {
    json values = json::array();
    for (std::size_t i = 0; i < items.size(); ++i)
      values.push_back(write(items[i], below(name, std::to_string(i))));
    return values;
  }

  json dict(const std::vector<std::uint32_t>& items, const std::string& name) const {
    json members = json::object();
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const PickleValue& key = object_.at(items[i]);
      const std::string text =
          key.kind == PickleKind::kString ? object_.text(key) : std::to_string(key.payload);
      members[text] = write(items[i + 1], below(name, text));
    }
    return members;
  }

  const PickledObject& object_;
};

}  // namespace

std::string to_json(const PickledObject& object) {
  return Writer(object).write(object.root, "").dump();
}

}  // namespace qingyin
