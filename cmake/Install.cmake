# The package: one archive with the objects of all layers, so that a job links a single library
# and a layer is no concern of its author; and beside it what jobs are tested with.
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY MILLRACE_LAYERS)
get_property(umbrellas GLOBAL PROPERTY MILLRACE_UMBRELLAS)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Millrace)

# millrace_package_library(name file layer...): an archive of these layers under the package's name.
function(millrace_package_library name file)
  set(objects)
  set(libraries)
  foreach(layer IN LISTS ARGN)
    list(APPEND objects $<TARGET_OBJECTS:millrace_${layer}>)
    get_target_property(used millrace_${layer} LINK_LIBRARIES)
    list(APPEND libraries ${used})
  endforeach()
  list(FILTER libraries EXCLUDE REGEX "millrace_|NOTFOUND")  # third-party libraries remain
  list(REMOVE_DUPLICATES libraries)

  add_library(${name} STATIC ${objects})
  add_library(Millrace::${name} ALIAS ${name})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${file} LINKER_LANGUAGE CXX
                        ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/package)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_compile_options(${name} INTERFACE
                         $<$<CXX_COMPILER_ID:GNU>:-fvect-cost-model=dynamic>)  # see Layers.cmake
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${MILLRACE_INCLUDE_DIR}>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:millrace_options> PRIVATE ${libraries})
  install(TARGETS ${name} EXPORT MillraceTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

set(engine ${layers} schemas)
list(REMOVE_ITEM engine testing web tools)
millrace_package_library(millrace millrace ${engine})
if(testing IN_LIST layers)
  millrace_package_library(testing millrace_testing testing)
  target_link_libraries(testing PUBLIC millrace)
endif()

list(REMOVE_ITEM layers web tools)
foreach(layer IN LISTS layers)
  get_target_property(folder millrace_${layer} SOURCE_DIR)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/${layer}
          FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${umbrellas} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace)

configure_package_config_file(cmake/MillraceConfig.cmake.in
                              ${CMAKE_BINARY_DIR}/package/MillraceConfig.cmake
                              INSTALL_DESTINATION ${package_folder}
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/MillraceConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(EXPORT MillraceTargets NAMESPACE Millrace:: DESTINATION ${package_folder})
install(FILES ${CMAKE_BINARY_DIR}/package/MillraceConfig.cmake
              ${CMAKE_BINARY_DIR}/package/MillraceConfigVersion.cmake
              cmake/Dependencies.cmake cmake/FindCAF.cmake
        DESTINATION ${package_folder})
