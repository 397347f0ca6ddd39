#pragma once

#include <string>
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

/// The module's parameters and buffers by name: what `load_weights` wants and a trainer saves.
TensorMap weights_of(const torch::nn::Module& module);

}  // namespace qingyin
