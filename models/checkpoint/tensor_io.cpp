#include "models/checkpoint/tensor_io.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/partial_tensors.h"
#include "models/checkpoint/safetensors.h"

namespace qingyin {
namespace {

constexpr std::array<std::pair<DType, at::ScalarType>, 15> kTypes{{
    {DType::kBool, at::kBool},
    {DType::kU8, at::kByte},
    {DType::kI8, at::kChar},
    {DType::kU16, at::kUInt16},
    {DType::kI16, at::kShort},
    {DType::kU32, at::kUInt32},
    {DType::kI32, at::kInt},
    {DType::kU64, at::kUInt64},
    {DType::kI64, at::kLong},
    {DType::kF8E4M3, at::kFloat8_e4m3fn},
    {DType::kF8E5M2, at::kFloat8_e5m2},
    {DType::kF16, at::kHalf},
    {DType::kBF16, at::kBFloat16},
    {DType::kF32, at::kFloat},
    {DType::kF64, at::kDouble},
}};

at::ScalarType scalar_type(DType dtype) {
  return std::ranges::find(kTypes, dtype, &std::pair<DType, at::ScalarType>::first)->second;
}

DType dtype_of(const std::string& name, at::ScalarType type) {
  const auto found = std::ranges::find(kTypes, type, &std::pair<DType, at::ScalarType>::second);
  require(found != kTypes.end(), ErrorCode::kInternal,
          "write_safetensors: tensor " + name + " has a type that the format cannot hold");
  return found->first;
}

TensorMap to_tensors(const Checkpoint& checkpoint) {
  TensorMap tensors;
  for (const auto& [name, stored] : checkpoint.tensors) tensors.emplace(name, to_tensor(stored));
  return tensors;
}

}  // namespace

at::Tensor to_tensor(const StoredTensor& stored) {
  if (stored.dtype == DType::kBool)
    for (std::byte& value : stored.bytes.span()) value = std::byte(value != std::byte{0} ? 1 : 0);
  return at::from_blob(
      stored.bytes.data(), stored.shape, [owner = stored.bytes.owner()](void*) {},
      at::TensorOptions(scalar_type(stored.dtype)));
}

TensorMap read_tensors(const std::filesystem::path& path) {
  return to_tensors(read_checkpoint(path));
}

TensorMap read_tensors(const std::filesystem::path& path, const TensorFilter& wanted) {
  TensorMap tensors;
  stream_tensors(
      path, wanted, [&](const TensorMap& shapes) { tensors = shapes; },
      [&](const std::string& name, at::Tensor tensor) { tensors.at(name) = std::move(tensor); });
  return tensors;
}

void stream_tensors(const std::filesystem::path& path, const TensorFilter& wanted,
                    const std::function<void(const TensorMap& shapes)>& check,
                    const std::function<void(const std::string& name, at::Tensor)>& take) {
  const auto check_shapes = [&](const Checkpoint& stored) {
    TensorMap shapes;
    for (const auto& [name, each] : stored.tensors)
      shapes.emplace(
          name, at::empty(each.shape, at::TensorOptions(at::kMeta).dtype(scalar_type(each.dtype))));
    check(shapes);
  };
  stream_checkpoint(path, wanted, check_shapes, [&](const std::string& name, StoredTensor stored) {
    take(name, to_tensor(stored));
  });
}

TensorsAndMetadata read_safetensors(const std::filesystem::path& path) {
  Checkpoint checkpoint = read_checkpoint(path);
  return {.tensors = to_tensors(checkpoint), .metadata = std::move(checkpoint.metadata)};
}

void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata, Overwrite overwrite) {
  TensorMap contiguous;
  std::vector<TensorToWrite> records;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor& t =
        contiguous.emplace(name, tensor.detach().cpu().contiguous()).first->second;
    records.push_back({.name = name,
                       .dtype = dtype_of(name, t.scalar_type()),
                       .shape = t.sizes().vec(),
                       .bytes = {static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()}});
  }
  write_safetensors_file(path, std::move(records), metadata, overwrite);
}

TensorMap with_float_type(TensorMap tensors, at::ScalarType wanted) {
  for (auto& [name, tensor] : tensors)
    if (tensor.is_floating_point()) tensor = tensor.to(wanted);
  return tensors;
}

}  // namespace qingyin
