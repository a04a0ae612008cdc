# One static library per folder of src/. A layer sees the layers that it names and no others; its
# test binary links that layer alone, so an include that breaks the order fails to link.

set(MILLRACE_INCLUDE_DIR ${CMAKE_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${MILLRACE_INCLUDE_DIR}/millrace)
set_property(GLOBAL PROPERTY MILLRACE_LAYERS "")

add_library(millrace_options INTERFACE)
target_compile_features(millrace_options INTERFACE cxx_std_20)
# Loops over batches are worth vectorising at -O2 too, where g++ 12 is shy of it; jobs inherit this.
target_compile_options(millrace_options INTERFACE
                       $<$<CXX_COMPILER_ID:GNU>:-fvect-cost-model=dynamic>)
if(MILLRACE_SANITIZE)
  # g++ 12 takes variants for uninitialised in what sanitizers make of them.
  target_compile_options(millrace_options INTERFACE -fsanitize=${MILLRACE_SANITIZE}
                         -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  target_link_options(millrace_options INTERFACE -fsanitize=${MILLRACE_SANITIZE})
endif()

add_library(millrace_warnings INTERFACE)
target_compile_options(millrace_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow=local
                       -Wno-missing-field-initializers
                       -Wnon-virtual-dtor -Woverloaded-virtual -Werror)

# millrace_layer(name SOURCES file... DEPENDS layer... USES private-library...)
function(millrace_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;USES" ${ARGN})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${MILLRACE_INCLUDE_DIR}/millrace/${name} SYMBOLIC)
  add_library(millrace_${name} STATIC ${ARG_SOURCES})
  target_include_directories(millrace_${name} PUBLIC ${MILLRACE_INCLUDE_DIR})
  target_link_libraries(millrace_${name} PUBLIC millrace_options
                        PRIVATE $<BUILD_INTERFACE:millrace_warnings> ${ARG_USES})
  foreach(layer IN LISTS ARG_DEPENDS)
    target_link_libraries(millrace_${name} PUBLIC millrace_${layer})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY MILLRACE_LAYERS ${name})
endfunction()

# millrace_umbrella(file...): headers of this folder that a job includes as <millrace/file>.
function(millrace_umbrella)
  foreach(file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH file OUTPUT_VARIABLE path)
    cmake_path(GET path FILENAME name)
    file(CREATE_LINK ${path} ${MILLRACE_INCLUDE_DIR}/millrace/${name} SYMBOLIC)
    set_property(GLOBAL APPEND PROPERTY MILLRACE_UMBRELLAS ${path})
  endforeach()
endfunction()

# millrace_test(layer SOURCES file... USES library...): one test binary, which links that layer alone.
function(millrace_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;USES" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE millrace_warnings millrace_options ${ARG_USES}
                        GTest::gtest GTest::gmock GTest::gtest_main)
  foreach(layer IN LISTS ARG_DEPENDS)
    target_link_libraries(${name}_test PRIVATE millrace_${layer})
  endforeach()
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name}_test)
endfunction()
