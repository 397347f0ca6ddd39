#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"

namespace qingyin {

/// Runs `work`, expects an Error of `code`, and returns its message ("" when there was none).
template <typename Work>
std::string expect_error(ErrorCode code, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(name_of(error.code()), name_of(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown; expected " << name_of(code);
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace qingyin

#define EXPECT_CONTAINS(text, part) \
  EXPECT_TRUE(::qingyin::contains(text, part)) << "in: " << (text) << "\nwanted: " << (part)
