# The helpers that keep each folder's CMakeLists.txt a plain list.

# xpc_layer(NAME SOURCES a.cpp ... [USES layer ...] [LIBRARIES lib ...] [TESTS a_test.cpp ...])
# One layer of the house: a static library xpc_NAME, and the test program NAME_test out of the tests that stand
# beside the sources. USES names the layers below it; src/LAYERS is the law, this is what gets linked.
function(xpc_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES;TESTS" ${ARGN})
  add_library(xpc_${name} STATIC ${ARG_SOURCES})
  target_include_directories(xpc_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(xpc_${name} PUBLIC Threads::Threads ${ARG_LIBRARIES})
  foreach(layer ${ARG_USES})
    target_link_libraries(xpc_${name} PUBLIC xpc_${layer})
  endforeach()
  if(ARG_TESTS)
    xpc_test(${name}_test SOURCES ${ARG_TESTS} LIBRARIES xpc_${name})
  endif()
endfunction()

# xpc_test(NAME SOURCES ... LIBRARIES ... [TIMEOUT seconds] [LABELS ...])
# A GoogleTest program on the harness of tests/support; ctest runs each of its tests in a process of its own.
function(xpc_test name)
  if(NOT OPENXPC_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} test_support)
  # Tests take most of a build's time, and are not what has to be fast. With so little optimisation g++ guesses
  # wrong what is initialised; what is tested is compiled with the warning.
  if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
    target_compile_options(${name} PRIVATE -Og -g1 -Wno-maybe-uninitialized)
  endif()
  # The watchdog barks shortly before ctest would kill without a word.
  math(EXPR watchdog "${ARG_TIMEOUT} - ${ARG_TIMEOUT} / 10")
  # An empty value would be dropped and the next word taken in its place.
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  # What a process says that the test lets go on, whatever becomes of it.
  set(reports)
  if(OPENXPC_SANITIZE)
    set(reports FAIL_REGULAR_EXPRESSION "runtime error: |(Address|Leak|Thread)Sanitizer")
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT OPENXPC_TEST_WATCHDOG=${watchdog} ${reports})
endfunction()

# xpc_fuzzer(NAME SOURCES ... LIBRARIES ...)
# A libFuzzer program; NAME ends in _fuzz. Only with OPENXPC_FUZZ, which instruments everything (OpenxpcSettings).
function(xpc_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
