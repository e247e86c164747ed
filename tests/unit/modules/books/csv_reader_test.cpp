#include "modules/books/csv_reader.hpp"

#include "modules/books/csv_writer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace lumina::books;

namespace {

using Fields = std::vector<std::string>;

struct Outcome {
  std::vector<CsvRow> rows;
  std::vector<CsvFault> faults;
};

Outcome read_in_chunks(std::string_view text, std::size_t chunk, CsvLimits limits = {}) {
  CsvReader reader(0, limits);
  Outcome outcome;
  const auto drain = [&] {
    while (auto item = reader.next()) {
      if (*item) {
        outcome.rows.push_back(std::move(**item));
      } else {
        outcome.faults.push_back(std::move(item->error()));
      }
    }
  };
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    reader.feed(text.substr(at, chunk));
    drain();
  }
  reader.finish();
  drain();
  return outcome;
}

// Whatever the size of the chunks, the outcome must be the same.
Outcome read(std::string_view text, CsvLimits limits = {}) {
  Outcome whole = read_in_chunks(text, text.size() + 1, limits);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
    const Outcome parts = read_in_chunks(text, chunk, limits);
    REQUIRE(parts.rows.size() == whole.rows.size());
    REQUIRE(parts.faults.size() == whole.faults.size());
    for (std::size_t i = 0; i < whole.rows.size(); ++i) {
      REQUIRE(parts.rows[i].fields == whole.rows[i].fields);
      REQUIRE(parts.rows[i].line == whole.rows[i].line);
    }
    for (std::size_t i = 0; i < whole.faults.size(); ++i) {
      REQUIRE(parts.faults[i].line == whole.faults[i].line);
      REQUIRE(parts.faults[i].problem == whole.faults[i].problem);
    }
  }
  return whole;
}

std::vector<Fields> fields(const Outcome& outcome) {
  std::vector<Fields> all;
  for (const CsvRow& row : outcome.rows) all.push_back(row.fields);
  return all;
}

}  // namespace

TEST_CASE("CSV is read as RFC 4180 and as spreadsheets write it", "[B13]") {
  struct Row {
    std::string text;
    std::vector<Fields> expected;
  };
  const std::vector<Row> rows = {
      {"", {}},
      {"\n\n\r\n", {}},
      {"a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
      {"a,b\r\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"a,b\r1,2\r", {{"a", "b"}, {"1", "2"}}},
      {"\xEF\xBB\xBFtitle,b\n", {{"title", "b"}}},
      {"a,b\n,\n", {{"a", "b"}, {"", ""}}},
      {"a,b\n1,", {{"a", "b"}, {"1", ""}}},
      {"a\n\"\"\n", {{"a"}, {""}}},
      {"a,b\n\"1,5\",\"say \"\"hi\"\"\"\n", {{"a", "b"}, {"1,5", "say \"hi\""}}},
      {"a,b\n\"two\nlines\",\"three\r\n\r\nlines\"\n1,2\n",
       {{"a", "b"}, {"two\nlines", "three\r\n\r\nlines"}, {"1", "2"}}},
      {"a;b\n1,5;2\n", {{"a", "b"}, {"1,5", "2"}}},
      {"a\tb\n1,5\t2\n", {{"a", "b"}, {"1,5", "2"}}},
      {"a|b\n1|2\n", {{"a", "b"}, {"1", "2"}}},
      {"\"a,a,a\";b\n1;2\n", {{"a,a,a", "b"}, {"1", "2"}}},
      {"sep=;\na,x;b\n1;2\n", {{"a,x", "b"}, {"1", "2"}}},
      {"a,b\n=\"007\",5\" disk\n", {{"a", "b"}, {"=\"007\"", "5\" disk"}}},
      {"a,b\n\"The \"Best\" Book\",2\n3,4\n", {{"a", "b"}, {"The \"Best\" Book", "2"}, {"3", "4"}}},
      {"a,b\nlone\rreturn,2\n", {{"a", "b"}, {"lone\rreturn", "2"}}},
      {"a,b\n 1 , 2 \n", {{"a", "b"}, {" 1 ", " 2 "}}},
      {std::string("a,b\n\0,2\n", 8), {{"a", "b"}, {std::string(1, '\0'), "2"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Outcome outcome = read(row.text);
    CHECK(fields(outcome) == row.expected);
    CHECK(outcome.faults.empty());
  }
}

TEST_CASE("the line of a row is where it begins in the file", "[B13]") {
  const Outcome outcome = read("a,b\r\n\r\n\"1\r\n\r\n1\",2\r\n3,4\r\n");
  REQUIRE(outcome.rows.size() == 3);
  CHECK(outcome.rows[0].line == 1);
  CHECK(outcome.rows[1].line == 3);
  CHECK(outcome.rows[2].line == 6);
  CHECK(read("a\rb\rc").rows.back().line == 3);
  CHECK(read("sep=,\na\nb").rows.back().line == 3);
}

TEST_CASE("an unterminated quote costs its own row and no other", "[B13]") {
  SECTION("at the end of the file") {
    const Outcome outcome = read("a,b\n1,\"2\n3,4\n5,6\n");
    CHECK(fields(outcome) == std::vector<Fields>{{"a", "b"}, {"3", "4"}, {"5", "6"}});
    REQUIRE(outcome.faults.size() == 1);
    CHECK(outcome.faults[0].line == 2);
    CHECK(outcome.faults[0].problem == CsvProblem::unterminated_quote);
    CHECK(outcome.faults[0].beginning.starts_with("1,\"2"));
  }
  SECTION("when the next quoted field shows it") {
    const Outcome outcome = read("a,b\n1,\"2\n3,\"4\"\n5,6\n");
    CHECK(fields(outcome) == std::vector<Fields>{{"a", "b"}, {"3", "4"}, {"5", "6"}});
    REQUIRE(outcome.faults.size() == 1);
    CHECK(outcome.faults[0].line == 2);
  }
  SECTION("in every row") {
    const Outcome outcome = read("a,b\n1,\"2\n3,\"4\n5,\"6");
    CHECK(outcome.rows.size() == 1);
    REQUIRE(outcome.faults.size() == 3);
    CHECK(outcome.faults[2].line == 4);
  }
  SECTION("in the header") {
    const Outcome outcome = read("a,\"b\n1,2\n");
    CHECK(fields(outcome) == std::vector<Fields>{{"1", "2"}});
    CHECK(outcome.faults.size() == 1);
  }
}

TEST_CASE("a row over a limit is a fault and the next row is read", "[B13]") {
  CsvLimits limits;
  limits.field_bytes = 20;
  limits.row_bytes = 60;
  limits.columns = 5;
  const std::string twenty(20, 'x');
  const std::string long_field(21, 'x');
  struct Row {
    std::string bad;
    CsvProblem problem;
  };
  const std::vector<Row> rows = {
      {long_field + ",b", CsvProblem::field_too_long},
      {"a," + long_field, CsvProblem::field_too_long},
      {"\"" + long_field + "\",b", CsvProblem::field_too_long},
      {"1,2,3,4,5,6", CsvProblem::too_many_columns},
      {twenty + "," + twenty + "," + twenty + ",a", CsvProblem::row_too_long},
      {"\"" + std::string(38, '"') + "\",\"" + std::string(38, '"') + "\"", CsvProblem::row_too_long},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bad);
    const Outcome outcome = read("a,b\n" + row.bad + "\n1,2\n", limits);
    CHECK(fields(outcome) == std::vector<Fields>{{"a", "b"}, {"1", "2"}});
    REQUIRE(outcome.faults.size() == 1);
    CHECK(outcome.faults[0].line == 2);
    CHECK(outcome.faults[0].problem == row.problem);
    CHECK_FALSE(describe(row.problem).empty());
  }
  CHECK(read("a,b\n" + twenty + ",1\n", limits).faults.empty());
}

TEST_CASE("UTF-16 is recognised and refused once", "[B13]") {
  for (const std::string& mark : {std::string("\xFF\xFE"), std::string("\xFE\xFF")}) {
    const Outcome outcome = read(mark + std::string("t\0i\0t\0l\0e\0\n\0a\0\n\0", 16));
    CHECK(outcome.rows.empty());
    REQUIRE(outcome.faults.size() == 1);
    CHECK(outcome.faults[0].problem == CsvProblem::utf16);
  }
}

TEST_CASE("what the writer writes the reader reads, for any bytes", "[B14]") {
  std::mt19937 random(14);
  constexpr std::string_view letters = "ab ,;\"\t\r\n=+-@'|\xC3\xA9\xFF";
  std::uniform_int_distribution<std::size_t> letter(0, letters.size() - 1);
  std::uniform_int_distribution<std::size_t> length(0, 8);
  for (int round = 0; round < 500; ++round) {
    // A header keeps the delimiter from being guessed from random text.
    std::string text = "h1,h2,h3\r\n";
    std::vector<Fields> expected = {{"h1", "h2", "h3"}};
    CsvWriter writer(text);
    for (int row = 0; row < 5; ++row) {
      Fields cells;
      for (int column = 0; column < 3; ++column) {
        std::string cell;
        for (std::size_t n = length(random); n > 0; --n) cell += letters[letter(random)];
        writer.text(cell);
        cells.push_back(cell);
      }
      writer.end_row();
      expected.push_back(std::move(cells));
    }
    Outcome outcome = read_in_chunks(text, 5);
    CAPTURE(text);
    REQUIRE(outcome.faults.empty());
    for (std::size_t i = 1; i < outcome.rows.size(); ++i) {
      for (std::string& cell : outcome.rows[i].fields) cell = std::string(unguard_formula(cell));
    }
    REQUIRE(fields(outcome) == expected);
  }
}

TEST_CASE("hostile text of any kind ends, keeps its good rows and counts its lines", "[B13][K25]") {
  std::mt19937 random(25);
  constexpr std::string_view letters = "a,\"\n\r;\"\"\t";
  std::uniform_int_distribution<std::size_t> letter(0, letters.size() - 1);
  CsvLimits limits;
  limits.field_bytes = 30;
  limits.row_bytes = 80;
  limits.columns = 8;
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (int i = 0; i < 120; ++i) text += letters[letter(random)];
    CAPTURE(text);
    const Outcome outcome = read(text, limits);
    const auto lines =
        static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r'; })) +
        1;
    for (const CsvRow& row : outcome.rows) REQUIRE(row.line <= lines);
    for (std::size_t i = 1; i < outcome.rows.size(); ++i)
      REQUIRE(outcome.rows[i - 1].line < outcome.rows[i].line);
  }
}
