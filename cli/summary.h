#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/error.h"

namespace qingyin::cli {

/// What a run did, for `--json`: one document (schema qingyin.result/1) with every item.
class Summary {
 public:
  struct Item {
    std::string input;
    std::string status = "ok";  // ok, skipped, planned, failed, cancelled
    int exit_code = 0;
    std::string reason, message;
    std::vector<std::string> outputs, warnings;
    std::map<std::string, double> timings_s;
    std::string facts_json;  // a verb's own facts: an object's text, or empty
  };

  std::string command;
  std::vector<Item> items;
  std::string status;      // of the whole; empty: that of the last item
  std::string facts_json;  // of the whole: an object's text, or empty

  /// The item that is being worked on; there is one after the first call.
  Item& item();
  /// Enters the fault into the current item.
  void fail(int exit_code, const std::string& reason, const std::string& message);

  std::string to_json(int exit_code) const;
};

}  // namespace qingyin::cli
