# How everything is compiled. Warnings become errors in the presets only, so that a newer compiler of a user
# does not fail on a warning that we have not met yet.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(OPENXPC_TESTS "Build the tests" ON)
option(OPENXPC_FUZZ "Build the fuzzers (clang only)" OFF)
option(OPENXPC_BENCH "Build the benchmarks" ON)
set(OPENXPC_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow)
# Thread-local variables of a shared library by descriptors: as good as those of a program unless it was dlopened.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mtls-dialect=gnu2 OPENXPC_HAS_TLS_DESCRIPTORS)
if(OPENXPC_HAS_TLS_DESCRIPTORS AND NOT OPENXPC_SANITIZE)
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-mtls-dialect=gnu2>)
endif()
# So that libxpc can be linked in the order of a call (src/capi).
if(NOT OPENXPC_SANITIZE AND NOT OPENXPC_FUZZ)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-ffunction-sections>)
endif()
if(OPENXPC_SANITIZE)
  # What sanitizers add hides from g++ what is initialized; its manual says so. The check of virtual tables opens a pipe for
  # what it sees first, and where a test has used up the descriptors takes the failure for a broken object.
  add_compile_options(-fsanitize=${OPENXPC_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer -fno-sanitize-recover=all
    -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=${OPENXPC_SANITIZE})
endif()

if(OPENXPC_FUZZ)
  # Everything is watched and reports its branches; only the fuzzers themselves get libFuzzer's main().
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

find_package(Threads REQUIRED)
if(OPENXPC_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
