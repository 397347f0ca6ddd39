#include "sync/stem_writer.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string_view>
#include <system_error>

#include "core/dsp/audio_file.h"
#include "core/error.h"

namespace qingyin {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

std::string safe_name(std::string_view lane) {
  std::string name;
  for (const char c : lane) {
    const bool is_continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;  // of UTF-8
    if (!is_continuation) name += is_safe(c) ? c : '_';
  }
  name.resize(std::min(name.size(), kLongestName));
  if (name.empty()) return "stem";
  if (name.front() == '.' || name.front() == '-') name.front() = '_';  // hidden file, option
  return name;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  require(std::filesystem::is_directory(folder), ErrorCode::kIo,
          "sync: cannot make the folder " + folder.string() + " for the stems" +
              (error ? ": " + error.message() : std::string()) +
              "; name one in an existing folder");
}

}  // namespace

std::vector<std::string> stem_file_names(const std::vector<std::string>& lanes) {
  std::set<std::string> taken = {"mix"};
  std::vector<std::string> names;
  for (const std::string& lane : lanes) {
    const std::string wanted = safe_name(lane);
    std::string name = wanted;
    for (int number = 2; !taken.insert(lower(name)).second; ++number)
      name = wanted + "_" + std::to_string(number);
    names.push_back(name);
  }
  return names;
}

struct StemWriter::State {
  std::vector<std::filesystem::path> files;
  std::vector<std::unique_ptr<AudioFileWriter>> writers;
  std::int64_t clipped = 0;
};

StemWriter::StemWriter(const std::filesystem::path& folder, const std::vector<std::string>& lanes,
                       Overwrite overwrite)
    : state_(std::make_unique<State>()) {
  make_folder(folder);
  std::vector<std::string> names = stem_file_names(lanes);
  names.emplace_back("mix");
  for (const std::string& name : names) {
    state_->files.push_back(folder / (name + ".wav"));
    state_->writers.push_back(
        std::make_unique<AudioFileWriter>(state_->files.back(),
                                          AudioFileFormat{.sample_rate_hz = kOutputRateHz,
                                                          .channels = 2,
                                                          .samples = SampleFormat::kPcm24,
                                                          .time_reference = 0},
                                          overwrite));
  }
}

StemWriter::~StemWriter() = default;

void StemWriter::write(std::span<const float> mix, const StemBlock& stems) {
  require(stems.stems.size() + 1 == state_->writers.size(), ErrorCode::kInternal,
          "sync: there are not as many stems as lanes");
  for (std::size_t i = 0; i < stems.stems.size(); ++i) {
    const auto& stem = stems.stems[i];
    state_->clipped += std::ranges::count_if(stem, [](float s) { return std::abs(s) > 1.0F; });
    state_->writers[i]->write(stem);
  }
  state_->writers.back()->write(mix);
}

void StemWriter::finish() {
  for (const auto& writer : state_->writers) writer->finish();
}

const std::vector<std::filesystem::path>& StemWriter::files() const { return state_->files; }

std::int64_t StemWriter::clipped() const { return state_->clipped; }

}  // namespace qingyin
