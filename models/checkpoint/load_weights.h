#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/tensor_io.h"

namespace torch::nn {
class Module;
}

namespace qingyin {

/// Every way in which `tensors` do not fit the parameters and buffers of `module`, one line each:
/// "missing     NAME", "unexpected  NAME", "misshapen   NAME: found [..], expected [..]",
/// "mistyped    NAME: found .., expected ..". Empty means that they fit.
std::vector<std::string> weight_problems(const torch::nn::Module& module, const TensorMap& tensors);

/// Throws kBadCheckpoint naming every one of `weight_problems`.
/// @param source  what the tensors came from, stands in the message
void require_fit(const torch::nn::Module& module, const TensorMap& tensors,
                 const std::string& source);

/// Copies tensors into the module's parameters and buffers of the same name, converting between
/// floating-point types.
/// @param source  what the tensors came from, stands in the message
/// @throws Error  kBadCheckpoint naming every missing, unexpected, misshapen and mistyped tensor;
///                the module is then unchanged
void load_weights(torch::nn::Module& module, const TensorMap& tensors,
                  const std::string& source = "weights");

/// The same without a second copy: the tensors become the module's own, in the wanted type and
/// place, and each is let go as soon as it is converted. For networks that only run.
/// @param tensors  consumed
/// @throws Error   as `load_weights`
void adopt_weights(torch::nn::Module& module, TensorMap tensors, const at::TensorOptions& wanted,
                   const std::string& source = "weights");

/// As the first `load_weights`, for tensors that nobody else needs: each is let go when it has been
/// copied.
void load_weights(torch::nn::Module& module, TensorMap&& tensors,
                  const std::string& source = "weights");

/// What a file's tensor is called in a module; none: it is left aside.
using WeightName = std::function<std::optional<std::string>(std::string_view name)>;

/// Loads a module from a file tensor by tensor, converting between floating-point types: in memory
/// are the module in its own types and one tensor of the file.
/// @param on_loaded  told of each weight, by its name in the module, once it is there
/// @throws Error     kModelMissing; kBadCheckpoint as `load_weights`, the module is then unchanged;
///                   kBadCheckpoint if the file cannot be read to its end
void stream_weights(torch::nn::Module& module, const std::filesystem::path& file,
                    const WeightName& name_of,
                    const std::function<void(const std::string& name)>& on_loaded = {});

/// The module's parameters and buffers by name: what `load_weights` wants and a trainer saves.
TensorMap weights_of(const torch::nn::Module& module);

}  // namespace qingyin
