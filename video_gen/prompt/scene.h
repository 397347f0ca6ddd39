#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qingyin::prompt {

/// A line taken apart: what the formulas of a prompt ask for, in English.
struct Scene {
  std::string subject;               // "a small white cat"
  std::string motion;                // "running after a butterfly"; may be empty
  std::string place;                 // "in the forest, at night"; may be empty
  std::vector<std::string> sounds;   // what the words sound of, the first word's first
  std::vector<std::string> unknown;  // parts of a Chinese line that no word covers
};

/// Takes an English or Chinese line apart. Chinese goes word by word through the table in
/// `words.h`: what it does not hold is left out and listed.
/// @throws Error kUsage if the line is empty, no UTF-8, or holds no known word at all
Scene read_scene(std::string_view line);

}  // namespace qingyin::prompt
