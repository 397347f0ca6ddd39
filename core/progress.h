#pragma once

#include <functional>
#include <string_view>

namespace qingyin {

/// Called between units of work with the step's name and the fraction done in [0, 1].
/// Returns false to stop the work early. An empty function means: nobody watches.
using Progress = std::function<bool(std::string_view step, double fraction)>;

/// Reports to `progress` if somebody watches. @throws Error kCancelled if the watcher said stop
void report(const Progress& progress, std::string_view step, double fraction);

/// The part [begin, end] of `whole`: a sub-task's 0..1 is mapped into it.
Progress part_of(const Progress& whole, double begin, double end);

}  // namespace qingyin
