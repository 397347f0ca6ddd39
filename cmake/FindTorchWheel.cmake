# torch::wheel: libtorch out of the pip wheel, CPU or CUDA.
#
# The wheel's own find_package(Torch) refuses a CUDA wheel on a machine without the CUDA toolkit,
# although nothing of the toolkit is needed to link it. So the libraries are named here.
#   QINGYIN_TORCH_DIR  folder of the installed Python package `torch`; asked of Python when empty
set(QINGYIN_TORCH_DIR "" CACHE PATH "Folder of the Python package torch")
if(NOT QINGYIN_TORCH_DIR)
  find_program(QINGYIN_PYTHON NAMES python3
    HINTS ${CMAKE_SOURCE_DIR}/.venv/bin ENV VIRTUAL_ENV PATH_SUFFIXES bin NO_CMAKE_SYSTEM_PATH)
  execute_process(
    COMMAND ${QINGYIN_PYTHON} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')"
    OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(torch_dir)
    set(QINGYIN_TORCH_DIR "${torch_dir}" CACHE PATH "Folder of the Python package torch" FORCE)
  endif()
endif()

find_library(TORCH_LIBRARY torch PATHS ${QINGYIN_TORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(TORCH_CPU_LIBRARY torch_cpu PATHS ${QINGYIN_TORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(C10_LIBRARY c10 PATHS ${QINGYIN_TORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(TORCH_CUDA_LIBRARY torch_cuda PATHS ${QINGYIN_TORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(C10_CUDA_LIBRARY c10_cuda PATHS ${QINGYIN_TORCH_DIR}/lib NO_DEFAULT_PATH)
find_path(TORCH_INCLUDE_DIR torch/script.h PATHS ${QINGYIN_TORCH_DIR}/include NO_DEFAULT_PATH)

if(EXISTS ${QINGYIN_TORCH_DIR}/version.py)
  file(STRINGS ${QINGYIN_TORCH_DIR}/version.py version_line REGEX "^__version__")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+[^']*" TorchWheel_VERSION "${version_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchWheel
  REQUIRED_VARS TORCH_LIBRARY TORCH_CPU_LIBRARY C10_LIBRARY TORCH_INCLUDE_DIR
  VERSION_VAR TorchWheel_VERSION
  REASON_FAILURE_MESSAGE "Install the wheel (pip install torch) or set QINGYIN_TORCH_DIR")

if(TorchWheel_FOUND AND NOT TARGET torch::wheel)
  add_library(torch::wheel INTERFACE IMPORTED)
  target_include_directories(torch::wheel SYSTEM INTERFACE
    ${TORCH_INCLUDE_DIR} ${TORCH_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(torch::wheel INTERFACE ${TORCH_CPU_LIBRARY} ${C10_LIBRARY})
  if(TORCH_CUDA_LIBRARY)
    # Loaded for its registrations only: nothing of ours names a symbol in it.
    target_link_libraries(torch::wheel INTERFACE
      -Wl,--push-state,--no-as-needed ${TORCH_CUDA_LIBRARY} ${C10_CUDA_LIBRARY} ${TORCH_LIBRARY}
      -Wl,--pop-state)
  endif()
  # The wheel's libraries find their own dependencies beside them and in sibling packages.
  target_link_options(torch::wheel INTERFACE
    -Wl,--unresolved-symbols=ignore-in-shared-libs -Wl,-rpath,${QINGYIN_TORCH_DIR}/lib)
endif()
mark_as_advanced(TORCH_LIBRARY TORCH_CPU_LIBRARY C10_LIBRARY TORCH_CUDA_LIBRARY C10_CUDA_LIBRARY
  TORCH_INCLUDE_DIR QINGYIN_PYTHON)
