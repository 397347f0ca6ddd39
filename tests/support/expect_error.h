#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"

namespace qingyin::test {

/// Passes if `action` throws Error with that code and a message that contains `words`.
template <typename Action>
testing::AssertionResult throws_error(Action&& action, ErrorCode code, const std::string& words) {
  try {
    action();
  } catch (const Error& e) {
    const std::string message = e.what();
    if (e.code() == code && message.find(words) != std::string::npos)
      return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "found " << name_of(e.code()) << ": " << message << "\nexpected " << name_of(code)
           << " with the words: " << words;
  }
  return testing::AssertionFailure() << "nothing was thrown, expected " << name_of(code);
}

}  // namespace qingyin::test
