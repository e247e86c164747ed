#include "modules/books/isbn.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace lumina::books;

namespace {

std::string random_digits(std::mt19937& random, std::size_t count) {
  std::uniform_int_distribution<int> digit(0, 9);
  std::string digits;
  while (digits.size() < count) digits += static_cast<char>('0' + digit(random));
  return digits;
}

// Hyphens and spaces in random places: readers may be given any grouping.
std::string grouped(std::mt19937& random, const std::string& digits) {
  std::uniform_int_distribution<int> die(0, 5);
  std::string text;
  for (const char c : digits) {
    text += c;
    if (die(random) == 0) text += die(random) < 3 ? '-' : ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("both forms of an ISBN with any hyphens and spaces are one book", "[B6]") {
  for (const char* text :
       {"0-306-40615-2", "0306406152", "0 306 40615 2", "9780306406157", "978-0-306-40615-7",
        " 978 0 306 40615 7 ", "978\u20110\u2013306\u201340615\u20137", "-9780306406157-"}) {
    CAPTURE(text);
    CHECK(parse_isbn(text) == "9780306406157");
  }
  CHECK(parse_isbn("080442957x") == parse_isbn("978-0-8044-2957-3"));
  CHECK(parse_isbn("0-8044-2957-X") == "9780804429573");
  CHECK(parse_isbn("979-10-90636-07-1") == "9791090636071");
}

TEST_CASE("a wrong ISBN says what is wrong with it", "[B6]") {
  struct Row {
    const char* text;
    IsbnFault fault;
  };
  const std::vector<Row> rows = {
      {"", IsbnFault::empty},
      {" - ", IsbnFault::empty},
      {"0-306-40615-3", IsbnFault::check_digit},
      {"9780306406158", IsbnFault::check_digit},
      {"978030640615X", IsbnFault::character},
      {"X306406152", IsbnFault::character},
      {"03064061X2", IsbnFault::character},
      {"030640615", IsbnFault::length},
      {"030640615XX", IsbnFault::character},
      {"97803064061570", IsbnFault::length},
      {"978030640615", IsbnFault::length},
      {"9770306406157", IsbnFault::prefix},
      {"9790060115615", IsbnFault::prefix},
      {"ISBN 0306406152", IsbnFault::character},
      {"0306406152\n", IsbnFault::character},
      {"\xFF\xFE", IsbnFault::character},
      {"'; DROP TABLE", IsbnFault::character},
      {"٠٣٠٦٤٠٦١٥٢", IsbnFault::character},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = parse_isbn(row.text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error() == row.fault);
    CHECK_FALSE(describe(parsed.error()).empty());
  }
  CHECK(parse_isbn(std::string(1'000'000, '9')).error() == IsbnFault::length);
}

TEST_CASE("every valid ISBN survives the way to thirteen digits and back", "[B6]") {
  std::mt19937 random(6);
  for (int i = 0; i < 5'000; ++i) {
    const std::string nine = random_digits(random, 9);
    const std::string isbn10 = nine + isbn10_check_digit(nine);
    const auto isbn13 = parse_isbn(grouped(random, isbn10));
    REQUIRE(isbn13);
    REQUIRE(isbn13->size() == 13);
    REQUIRE(parse_isbn(grouped(random, *isbn13)) == *isbn13);
    REQUIRE(to_isbn10(*isbn13) == isbn10);
  }
  for (int i = 0; i < 1'000; ++i) {
    std::string twelve = "979" + random_digits(random, 9);
    if (twelve[3] == '0') twelve[3] = '8';
    const std::string isbn13 = twelve + isbn13_check_digit(twelve);
    REQUIRE(parse_isbn(grouped(random, isbn13)) == isbn13);
    REQUIRE_FALSE(to_isbn10(isbn13));
  }
}

TEST_CASE("every wrong digit of an ISBN is noticed", "[B6]") {
  std::mt19937 random(66);
  for (int i = 0; i < 300; ++i) {
    const std::string nine = random_digits(random, 9);
    const std::string isbn10 = nine + isbn10_check_digit(nine);
    for (const std::string& isbn : {isbn10, *parse_isbn(isbn10)}) {
      for (std::size_t place = 0; place < isbn.size(); ++place) {
        for (char digit = '0'; digit <= '9'; ++digit) {
          if (digit == isbn[place]) continue;
          std::string wrong = isbn;
          wrong[place] = digit;
          CAPTURE(wrong);
          REQUIRE_FALSE(parse_isbn(wrong));
        }
      }
    }
  }
}

TEST_CASE("two swapped neighbours are always noticed in an ISBN-10, in an ISBN-13 unless they differ by five",
          "[B6]") {
  std::mt19937 random(666);
  for (int i = 0; i < 2'000; ++i) {
    const std::string nine = random_digits(random, 9);
    const std::string isbn10 = nine + isbn10_check_digit(nine);
    const std::string isbn13 = *parse_isbn(isbn10);
    for (std::size_t place = 0; place + 1 < isbn10.size(); ++place) {
      if (isbn10[place] == isbn10[place + 1]) continue;
      std::string wrong = isbn10;
      std::swap(wrong[place], wrong[place + 1]);
      CAPTURE(isbn10, wrong);
      REQUIRE_FALSE(parse_isbn(wrong));
    }
    for (std::size_t place = 3; place + 1 < isbn13.size(); ++place) {
      const int difference = std::abs(isbn13[place] - isbn13[place + 1]);
      if (difference == 0) continue;
      std::string wrong = isbn13;
      std::swap(wrong[place], wrong[place + 1]);
      CAPTURE(isbn13, wrong);
      REQUIRE(parse_isbn(wrong).has_value() == (difference == 5));
    }
  }
}

TEST_CASE("an imported ISBN may be wrapped, prefixed, one of a list or without its leading zeros",
          "[B13][L2]") {
  for (const char* text :
       {"=\"0306406152\"", "=\"9780306406157\"", "[0306406152]", "ISBN 0306406152",
        "ISBN-13: 978-0-306-40615-7", "isbn10: 0306406152", "ISBN:0306406152", "urn:isbn:9780306406157",
        "9780306406157.0", "306406152", "306406152.0", "0306406152, 9780306406157",
        "9780306406157;0306406152", "'0306406152'", " 0306406152\r"}) {
    CAPTURE(text);
    CHECK(parse_imported_isbn(text) == "9780306406157");
  }
  CHECK(parse_imported_isbn("80442957X") == "9780804429573");
  CHECK(parse_imported_isbn("=\"\"").error() == IsbnFault::empty);
  CHECK(parse_imported_isbn("9.78030640616e+12").error() == IsbnFault::scientific);
  CHECK(parse_imported_isbn("9,78030640616E+12").error() == IsbnFault::scientific);
  CHECK(parse_imported_isbn("306406153").error() == IsbnFault::length);
  CHECK(parse_imported_isbn("=\"Contributor\"").error() == IsbnFault::character);
}

TEST_CASE("leading zeros come back only where the check digit agrees", "[B13]") {
  CHECK(repair_isbn10("7350961").has_value());
  CHECK(repair_isbn10("306406152") == "0306406152");
  CHECK(repair_isbn10("80442957x") == "080442957X");
  for (const char* text :
       {"306406153", "9.78030640616e+12", "123", "", "0306406152", "30640615a", "-06406152"}) {
    CAPTURE(text);
    CHECK_FALSE(repair_isbn10(text));
  }
}

TEST_CASE("only a canonical ISBN with the prefix 978 has an ISBN-10", "[B6]") {
  CHECK(to_isbn10("9780804429573") == "080442957X");
  CHECK_FALSE(to_isbn10("9791090636071"));
  CHECK_FALSE(to_isbn10("978-0306406157"));
  CHECK_FALSE(to_isbn10(""));
}
