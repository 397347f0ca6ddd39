# opencv::flow: OpenCV's dense optical flow. The video module is linked statically: Debian's shared
# libopencv_video pulls in libopencv_dnn and libprotobuf, whose symbols clash with those inside
# libsentencepiece and crash the program before main().
find_path(OPENCV_INCLUDE_DIR opencv2/video/tracking.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_VIDEO_STATIC libopencv_video.a REQUIRED)
find_library(OPENCV_IMGPROC opencv_imgproc REQUIRED)
find_library(OPENCV_CORE opencv_core REQUIRED)

add_library(opencv::flow INTERFACE IMPORTED)
target_include_directories(opencv::flow SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
target_link_libraries(opencv::flow INTERFACE
  ${OPENCV_VIDEO_STATIC} ${OPENCV_IMGPROC} ${OPENCV_CORE})
