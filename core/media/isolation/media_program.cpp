#include <cstdio>
#include <cstring>
#include <exception>

#include "core/media/isolation/media_service.h"

// `qingyin-media serve [output]`: reads one media file for the program, inside a sandbox. Only the
// program starts it.
int main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "serve") != 0) {
    std::fputs("qingyin-media: a part of qingyin, which starts it; see qingyin --help\n", stderr);
    return 2;
  }
  try {
    return qingyin::media::serve_media(argc > 2 && std::strcmp(argv[2], "output") == 0);
  } catch (const std::exception&) {
    return 70;
  }
}
