# Every third-party library, found once: here when Millrace is built, and by a job's find_package,
# since Millrace is a static library. scripts/setup names the Debian package of each.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CAF REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(CAPNP REQUIRED IMPORTED_TARGET capnp)  # its CMake package fails in Debian 12
pkg_check_modules(ROCKSDB REQUIRED IMPORTED_TARGET rocksdb)  # the CMake package asks for more
find_path(ZOOKEEPER_INCLUDE_DIR zookeeper/zookeeper.h REQUIRED)
find_library(ZOOKEEPER_LIBRARY zookeeper_mt REQUIRED)
if(NOT TARGET ZooKeeper::zookeeper)  # it brings no CMake or pkg-config file
  add_library(ZooKeeper::zookeeper UNKNOWN IMPORTED)
  set_target_properties(ZooKeeper::zookeeper PROPERTIES
                        IMPORTED_LOCATION ${ZOOKEEPER_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${ZOOKEEPER_INCLUDE_DIR}
                        INTERFACE_COMPILE_DEFINITIONS THREADED)
endif()

if(CMAKE_FIND_PACKAGE_NAME STREQUAL "Millrace")
  return()  # a job needs no more
endif()
find_program(CAPNP_COMPILER capnp REQUIRED)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
if(MILLRACE_TESTS)
  find_package(GTest REQUIRED)
endif()
