#include "modules/books/class_mark.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace lumina::books;

namespace {

// Whatever order they come in, the keys bring them back.
void check_order(const std::vector<std::string>& shelf, std::optional<std::string> (*key)(std::string_view)) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    auto mixed = shelf;
    std::ranges::shuffle(mixed, random);
    std::ranges::sort(mixed, {}, [&](const std::string& mark) {
      INFO(mark);
      const auto found = key(mark);
      REQUIRE(found);
      return *found;
    });
    CHECK(mixed == shelf);
  }
}

}  // namespace

TEST_CASE("Dewey marks stand by decimals, then by the marks of the item", "[B19]") {
  check_order({"005", "005 ABC", "005.1", "005.1 ABC", "005.13", "005.133 CPP", "005.2", "100", "823",
               "823.12", "823.7 AUS", "823.7 BRO", "823.91 ADA"},
              &ddc_shelf_key);
  CHECK(ddc_shelf_key("823/.7") == ddc_shelf_key("823.7"));
  CHECK(ddc_shelf_key("823.7'2") == ddc_shelf_key("823.72"));
  for (const auto* bad : {"", "82", "8234", "Fic", "[E]", "823x", "-823", "823,7"})
    CHECK_FALSE(ddc_shelf_key(bad));
}

TEST_CASE("Library of Congress marks stand by letters, whole numbers, decimals and cutters", "[B19]") {
  check_order({"B1", "P1", "PR4034 .E45", "PR4034 .E5", "PR4034 .E5 1815", "PR4034 .E5 1990", "PR4034.5 .A1",
               "PR40340", "PS3515", "QA9 .B12", "QA76", "QA76 .A1", "QA76.73 .C15", "QA76.73 .C153",
               "QA76.73 .C2", "QA76.9 .A1", "QA100"},
              &lcc_shelf_key);
  CHECK(lcc_shelf_key("PR4034.E5") == lcc_shelf_key("pr 4034 .e5"));
  for (const auto* bad : {"", "PR", "PRXY12", "4034", "P-1", "PR1234567", "Ü12"})
    CHECK_FALSE(lcc_shelf_key(bad));
}
