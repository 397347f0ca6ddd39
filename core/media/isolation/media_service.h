#pragma once

namespace qingyin::media {

/// The other end of a MediaChild: takes one request from the socket of `kService`, shuts the
/// process in and does the work on the descriptors it was given.
/// @param has_output  `kService.output` is a file to write
/// @returns the exit status
int serve_media(bool has_output);

}  // namespace qingyin::media
