#include "core/media/media_log.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <set>

#include "core/media/ffmpeg.h"
#include "core/text.h"

namespace qingyin::media {
namespace {

thread_local MediaLog* current_log = nullptr;

// Logs that are alive: `opaque` of a context that is not ours may hold anything.
struct Registry {
  std::mutex mutex;
  std::set<const void*> logs;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

void* opaque_of(void* context) {
  if (!context) return nullptr;
  const AVClass* kind = *static_cast<const AVClass**>(context);
  if (kind == avcodec_get_class()) return static_cast<AVCodecContext*>(context)->opaque;
  if (kind == avformat_get_class()) return static_cast<AVFormatContext*>(context)->opaque;
  return nullptr;
}

void receive(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR) return;
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  // Streams beside the picture may well be coded in ways that are not decoded here.
  if (std::string_view(text).starts_with("Codec (")) return;
  if (void* opaque = opaque_of(context)) {
    const std::lock_guard lock(registry().mutex);
    if (registry().logs.contains(opaque)) {
      static_cast<MediaLog*>(opaque)->add(text);
      return;
    }
  }
  if (current_log) current_log->add(text);
}

}  // namespace

MediaLog::MediaLog() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(receive); });
  const std::lock_guard lock(registry().mutex);
  registry().logs.insert(this);
}

MediaLog::~MediaLog() {
  const std::lock_guard lock(registry().mutex);
  registry().logs.erase(this);
}

MediaLog::Scope::Scope(MediaLog& log) : previous_(current_log) { current_log = &log; }
MediaLog::Scope::~Scope() { current_log = previous_; }

void MediaLog::add(const std::string& message) {
  const std::lock_guard lock(mutex_);
  ++errors_;
  if (first_.empty()) first_ = cleaned(message);
}

std::int64_t MediaLog::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

std::string MediaLog::first() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

std::string cleaned(std::string_view text) {
  // Enough for any title; a tag of megabytes is nobody's.
  constexpr std::size_t kLongest = 4096;
  const bool is_cut = text.size() > kLongest;
  text = text.substr(0, kLongest);
  std::string result;
  while (!text.empty()) {
    const std::size_t good = std::min(find_bad_utf8(text), text.size());
    result += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) break;
    result += "\xEF\xBF\xBD";
    text.remove_prefix(1);
  }
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  while (result.ends_with(' ')) result.pop_back();
  return is_cut ? result + "..." : result;
}

}  // namespace qingyin::media
