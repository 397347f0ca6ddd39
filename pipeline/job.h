#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/event_io.h"
#include "core/media/audio_reader.h"
#include "pipeline/outputs.h"
#include "pipeline/pipeline.h"
#include "pipeline/resources.h"
#include "sync/mastering.h"

namespace qingyin {

/// One result on its way: what is asked for, what is known of it so far, and its open files.
struct Pipeline::Job {
  const SoundOptions& options;
  const OutputRequest& output;
  const ClipInfo* clip = nullptr;  // none: sound only
  Seconds duration{0};
  Report report;
  int channels = 2;
  Stopwatch stopwatch = {};
  std::unique_ptr<AudioReader> original = {};  // the clip's own sound, where it is wanted
  std::unique_ptr<SoundSink> mix = {};

  std::filesystem::path report_file() const;
  std::filesystem::path folder() const;

  /// Sets the report's key. True if the very same result is there already.
  /// @throws Error kIo if something else is there, and must not be overwritten
  bool is_made(const std::string& said);

  /// Takes the place of the output before the long work begins.
  /// @throws Error kIo (not writable, too little space), kUsage
  void open_outputs();

  using Sinks = std::vector<std::unique_ptr<SoundSink>>;
  /// Everything that the finished sound goes to.
  Sinks open_sinks(const std::vector<std::string>& lanes);
  /// Commits them and enters them into the report.
  void close(Sinks& sinks);

  void write_timeline(const EventDocument& document);
  void take(const MasteringReport& mastered);
  /// Writes the report.
  Result finish();

 private:
  void open_original();
};

}  // namespace qingyin
