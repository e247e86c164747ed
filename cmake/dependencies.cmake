# Everything here is a Debian 12 package that script/bootstrap installs.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(fmt REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlienc)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc icu-i18n)

# SOCI and Snowball ship no CMake config in Debian 12.
find_path(EIGEN3_INCLUDE Eigen/Core PATH_SUFFIXES eigen3 REQUIRED)
find_path(PUGIXML_INCLUDE pugixml.hpp REQUIRED)
find_library(PUGIXML pugixml REQUIRED)
find_library(ZIP zip REQUIRED)
find_library(SECCOMP seccomp REQUIRED)
find_path(SOCI_INCLUDE soci/soci.h REQUIRED)
find_library(SOCI_CORE soci_core REQUIRED)
find_library(SOCI_SQLITE soci_sqlite3 REQUIRED)
find_library(SOCI_POSTGRESQL soci_postgresql REQUIRED)
find_library(CRYPT crypt REQUIRED)
find_library(STEMMER stemmer REQUIRED)

add_library(lumina_soci INTERFACE)
target_include_directories(lumina_soci SYSTEM INTERFACE ${SOCI_INCLUDE} ${SOCI_INCLUDE}/soci ${PostgreSQL_INCLUDE_DIRS})
target_link_libraries(lumina_soci INTERFACE ${SOCI_SQLITE} ${SOCI_POSTGRESQL} ${SOCI_CORE} SQLite::SQLite3
  PostgreSQL::PostgreSQL ${CMAKE_DL_LIBS})

# What every library of ours compiles and links with.
add_library(lumina_settings INTERFACE)
target_include_directories(lumina_settings INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(lumina_settings INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE LUMINA_VERSION="${PROJECT_VERSION}" TOML_HEADER_ONLY=0)
target_link_libraries(lumina_settings INTERFACE lumina_warnings lumina_sanitizers Boost::json Boost::url
  OpenSSL::SSL OpenSSL::Crypto fmt::fmt PkgConfig::TOMLPLUSPLUS PkgConfig::ICU PkgConfig::BROTLI ZLIB::ZLIB CURL::libcurl ${CRYPT} ${STEMMER}
  lumina_soci Threads::Threads)
if(NOT LUMINA_SANITIZE)
  target_compile_options(lumina_settings INTERFACE $<$<CONFIG:Release>:-O2 -g1>)
endif()
