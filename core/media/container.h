#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "core/media/ffmpeg.h"

namespace qingyin::media {

enum class Container { kMp4, kMov, kMatroska, kWebm };

/// By the extension of a name, in any case: mp4, m4v, mov, mkv, webm.
std::optional<Container> container_of(const std::filesystem::path& path);

/// FFmpeg's muxer.
const AVOutputFormat& format_of(Container container);

/// The extension that says this container, with its dot.
std::string_view extension_of(Container container);

/// True if packets of the codec may be stored as they are.
bool can_hold(Container container, AVCodecID codec);

/// The container that suits a picture's codec best: MP4 where it can hold it, else MOV, else MKV.
Container best_container(AVCodecID picture);

/// How our sound is coded. MP4 and MOV: AAC, the only one that every player knows there. MKV: FLAC,
/// which loses nothing and has no encoder delay that a player could overlook. WebM: Opus, because
/// nothing else is allowed that FFmpeg encodes well.
AVCodecID sound_codec(Container container);

/// True for the MP4 family, whose edit lists hide what comes before time 0.
bool has_edit_lists(Container container);

}  // namespace qingyin::media
