#include "core/config/nearest.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>

using lumina::nearest;

TEST_CASE("a mistyped name is answered with the one that was meant", "[K8]") {
  constexpr std::array<std::string_view, 4> known{"http_addr", "data_dir", "log_level", "db_pool_size"};
  CHECK(nearest("htp_addr", known) == "http_addr");
  CHECK(nearest("http-addr", known) == "http_addr");
  CHECK(nearest("HTTP_ADDR", known) == "http_addr");
  CHECK(nearest("dtaa_dir", known) == "data_dir");
  CHECK(nearest("loglevel", known) == "log_level");
  CHECK_FALSE(nearest("colour", known));
  CHECK_FALSE(nearest("", known));
  CHECK_FALSE(nearest("x", known));
  CHECK_FALSE(nearest(std::string(100000, 'a'), known));
  CHECK_FALSE(nearest("http_addr", {}));
}
