# qingyin_folder(NAME SOURCES ... HEADERS ... [DEPENDS ...] [USES ...] [TORCH])
#
# One static library `qingyin_NAME` (alias qingyin::NAME) from explicit files of the calling folder.
#   DEPENDS  what its headers show (public)
#   USES     what only its sources see (private)
#   TORCH    its sources include libtorch's headers: they share the one precompiled header
include(GNUInstallDirs)

add_library(qingyin_warnings INTERFACE)
target_compile_options(qingyin_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  # GCC 12 sees overlapping copies in std::string's operator+ (its bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${QINGYIN_WERROR}>:-Werror>)

# Options that every object of the project is compiled with.
add_library(qingyin_options INTERFACE)
target_compile_options(qingyin_options INTERFACE
  -fstack-protector-strong $<$<CONFIG:Release>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
target_link_options(qingyin_options INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)

# Torch sources of a target see the precompiled header of `models`, which is built once.
function(qingyin_use_torch target)
  target_link_libraries(${target} PRIVATE torch::wheel)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    # As the libraries are compiled, so that a program can reuse their precompiled header.
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  if(QINGYIN_PCH AND NOT target STREQUAL "qingyin_models")
    target_precompile_headers(${target} REUSE_FROM qingyin_models)
  elseif(QINGYIN_PCH)
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/models/torch_pch.h)
  endif()
  set_target_properties(${target} PROPERTIES JOB_POOL_COMPILE torch_compile)
endfunction()

# A torch file takes about 1 GB to compile: at most two at a time.
set_property(GLOBAL PROPERTY JOB_POOLS torch_compile=2)

function(qingyin_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;HEADERS;DEPENDS;USES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "qingyin_folder(${name}): unknown words ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(target qingyin_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(qingyin::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
    VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}
    FILES ${arg_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target}
    PUBLIC ${arg_DEPENDS}
    PRIVATE ${arg_USES} $<BUILD_INTERFACE:qingyin_warnings> $<BUILD_INTERFACE:qingyin_options>)
  if(arg_TORCH)
    qingyin_use_torch(${target})
  endif()
endfunction()
