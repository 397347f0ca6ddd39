#include "tests/parity/manifest.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "models/checkpoint/load_weights.h"

namespace qingyin::test {

void expect_manifest(const torch::nn::Module& network, const std::filesystem::path& manifest) {
  std::map<std::string, std::string> expected;
  std::ifstream in(manifest);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name, dtype, shape;
    std::getline(fields, name, '\t');
    std::getline(fields, dtype, '\t');
    std::getline(fields, shape, '\t');
    if (!name.empty() && name.front() != '#') expected[name] = shape;
  }
  ASSERT_FALSE(expected.empty()) << manifest << " names no tensor";
  for (const auto& [name, tensor] : weights_of(network)) {
    std::ostringstream shape;  // "[2,3]"
    for (const std::int64_t size : tensor.sizes())
      shape << (shape.str().empty() ? '[' : ',') << size;
    shape << ']';
    const auto found = expected.extract(name);
    if (found.empty()) {
      ADD_FAILURE() << "the network has " << name << ", which the manifest lacks";
    } else {
      EXPECT_EQ(found.mapped(), shape.str()) << name;
    }
  }
  for (const auto& [name, shape] : expected)
    ADD_FAILURE() << "the network lacks " << name << " " << shape;
}

}  // namespace qingyin::test
