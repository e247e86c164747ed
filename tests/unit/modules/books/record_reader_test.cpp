#include "modules/books/record_reader.hpp"

#include "modules/books/csv_writer.hpp"
#include "modules/books/json_lines_reader.hpp"
#include "modules/books/normalize.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace lumina;
using namespace lumina::books;

namespace {

constexpr ImportOptions options{2027};

struct Import {
  Format format;
  std::vector<ImportedRecord> records;
  const NewBook& book(std::size_t i) const { return records.at(i).book.value(); }
};

Import read(std::istream& in, std::string_view hint = {}) {
  const auto source = RecordSource::open(in, hint, options);
  Import import;
  while (auto record = source->next()) import.records.push_back(std::move(*record));
  import.format = source->format();
  return import;
}

Import read_text(const std::string& text, std::string_view hint = {}) {
  std::istringstream in(text);
  return read(in, hint);
}

Import read_fixture(const std::string& name) {
  std::ifstream in(std::string(LUMINA_SOURCE_DIR) + "/tests/data/import/" + name, std::ios::binary);
  REQUIRE(in);
  return read(in, name);
}

// "isbn:isbn, year_published:range"
std::string kinds(const std::vector<FieldError>& errors) {
  std::string text;
  for (const FieldError& error : errors) {
    CHECK_FALSE(error.message.empty());
    text += text.empty() ? "" : ", ";
    text += error.loc.empty() ? "" : error.loc.front();
    text += ":" + error.type;
  }
  return text;
}

}  // namespace

TEST_CASE("a Goodreads export brings titles, all authors, ISBNs, pages, years and shelves", "[B13][L2]") {
  const Import import = read_fixture("goodreads.csv");
  CHECK(import.format.kind == FormatKind::goodreads);
  REQUIRE(import.records.size() == 3);
  CHECK(import.book(0).title == "Moby-Dick; or, The Whale");
  CHECK(import.book(0).author == "Herman Melville");
  CHECK(import.book(0).isbn == "9780306406157");
  CHECK(import.book(0).publisher == "Example Press");
  CHECK(import.book(0).page_count == 720);
  CHECK(import.book(0).year_published == 2003);
  CHECK(import.book(0).tags == std::vector<std::string>{"sea", "favourites"});
  CHECK_FALSE(import.book(0).description);
  CHECK(import.book(1).author == "Jane Austen, Fiona Stafford, Juliette Wells");
  CHECK_FALSE(import.book(1).isbn);
  CHECK(import.book(1).year_published == 1815);
  CHECK(import.book(1).tags.empty());
  CHECK(import.book(2).isbn == "9780804429573");
  CHECK(import.book(2).year_published == -750);
  CHECK(import.records[1].line == 4);
  for (const ImportedRecord& record : import.records) CHECK(record.warnings.empty());
}

TEST_CASE("books.csv of goodbooks-10k brings ISBNs with their zeros back, whole years and language tags",
          "[B13]") {
  const Import import = read_fixture("goodbooks.csv");
  CHECK(import.format.kind == FormatKind::goodbooks_10k);
  REQUIRE(import.records.size() == 3);
  CHECK(import.book(0).title == "Moby-Dick; or, The Whale");
  CHECK(import.book(0).author == "Herman Melville, Andrew Delbanco");
  CHECK(import.book(0).isbn == "9780306406157");
  CHECK(import.book(0).year_published == 1851);
  CHECK(import.book(0).language == "en");
  CHECK(import.book(0).cover_url == "https://covers.demo.example/1.jpg");
  CHECK(import.records[0].warnings.empty());
  CHECK(import.book(1).language == "en-GB");
  CHECK_FALSE(import.book(1).isbn);
  CHECK(kinds(import.records[1].warnings) == "isbn:isbn");
  CHECK(import.book(2).year_published == -720);
  CHECK_FALSE(import.book(2).language);
}

TEST_CASE("Gutenberg's catalogue brings a genre and tags from its bookshelves", "[B13]") {
  const Import import = read_fixture("gutenberg.csv");
  CHECK(import.format.kind == FormatKind::gutenberg);
  REQUIRE(import.records.size() == 3);
  CHECK(import.book(0).genre == "Drama");
  CHECK(import.book(0).tags == std::vector<std::string>{"Adventure", "Novels", "Plays", "Films", "Dramas"});
  CHECK(import.book(1).author == "Unknown");
  CHECK(import.book(2).title == "Faust: Eine Trag\u00F6die");
  CHECK(import.book(2).language == "de");
}

TEST_CASE("spellings of a genre become one, and the file's own stays in the record", "[B15]") {
  const Import import = read_text(
      "title,author,genre\nA,B,sci-fi\nC,D,SF\nE,F,Science Fiction\nG,H,Sea stories\nI,J,non fiction\n");
  const std::vector<std::string> genres = {"Science Fiction", "Science Fiction", "Science Fiction",
                                           "Sea stories", "Nonfiction"};
  const std::vector<std::string> own = {R"({"genre":"sci-fi"})", R"({"genre":"SF"})", "{}", "{}",
                                        R"({"genre":"non fiction"})"};
  for (std::size_t i = 0; i < genres.size(); ++i) {
    CAPTURE(i);
    CHECK(import.book(i).genre == genres[i]);
    CHECK(import.book(i).metadata.text == own[i]);
  }
}

TEST_CASE("fields in Windows-1252 and rows in UTF-8 may stand in one file", "[B13]") {
  const Import import = read_fixture("windows-1252.tsv");
  CHECK(import.format.delimiter == '\t');
  REQUIRE(import.records.size() == 2);
  CHECK(import.book(0).title == "Les Mis\u00E9rables \u2013 \u00E9dition \u201Ccompl\u00E8te\u201D");
  CHECK(import.book(0).author == "Hugo, Victor");
  CHECK(import.book(0).language == "fr");
  CHECK(import.book(0).tags == std::vector<std::string>{"roman", "mis\u00E8re"});
  CHECK(kinds(import.records[0].warnings) == "Title:encoding, Tags:encoding");
  CHECK(import.book(1).title == "\u00C9mile");
  CHECK(import.records[1].warnings.empty());
}

TEST_CASE("every fault is reported with its line and the good rows are kept", "[B13]") {
  const Import import = read_fixture("messy.csv");
  CHECK(import.format.kind == FormatKind::csv);
  CHECK(import.format.delimiter == ';');
  REQUIRE(import.records.size() == 6);
  CHECK(import.book(0).title == "Persuasion");
  CHECK(import.book(0).language == "en");
  CHECK(import.book(0).copies == 2);
  CHECK(import.records[0].line == 2);

  CHECK(import.records[1].line == 4);
  CHECK(kinds(import.records[1].book.error()) == ":csv");

  const NewBook& kidnapped = import.book(2);
  CHECK(kidnapped.title == "Kidnapped");
  CHECK_FALSE(kidnapped.isbn);
  CHECK_FALSE(kidnapped.year_published);
  CHECK_FALSE(kidnapped.page_count);
  CHECK_FALSE(kidnapped.language);
  CHECK_FALSE(kidnapped.copies);
  CHECK(kinds(import.records[2].warnings) ==
        "isbn:isbn, year_published:range, language:language, page_count:type, copies:range");

  CHECK(kinds(import.records[3].book.error()) == "title:missing");
  CHECK(import.records[3].raw == ";No Title;;;;;;");
  CHECK(kinds(import.records[4].book.error()) == ":columns");
  CHECK(import.records[4].line == 7);
  CHECK(import.book(5).genre == "Children's literature");
}

TEST_CASE("JSON lines are objects of the book's own fields", "[B13]") {
  const Import import = read_fixture("books.jsonl");
  CHECK(import.format.kind == FormatKind::json_lines);
  REQUIRE(import.records.size() == 6);
  CHECK(import.book(0).isbn == "9780306406157");
  CHECK(import.book(0).year_published == 1817);
  CHECK(import.book(0).tags == std::vector<std::string>{"love", "Bath"});
  CHECK(import.book(0).copies == 2);
  CHECK(import.book(1).title == "\u00C9mile");
  CHECK(import.records[1].line == 3);
  CHECK(kinds(import.records[1].warnings) == "shelf:unknown");
  CHECK(kinds(import.records[2].book.error()) == "year_published:type, tags:type");
  CHECK(import.records[2].raw.starts_with("{\"title\":\"Emma\""));
  CHECK(kinds(import.records[3].book.error()) == ":json");
  CHECK(kinds(import.records[4].book.error()) == ":type");
  CHECK(kinds(import.records[5].book.error()) == "title:missing");
  CHECK(kinds(import.records[5].warnings) == "isbn:isbn");
  CHECK(import.records[5].line == 7);
}

TEST_CASE("columns are known by many names in any order and case", "[B13]") {
  struct Row {
    const char* header;
    const char* values;
  };
  const std::vector<Row> rows = {
      {"title,author,isbn,genre,year,description,language,publisher,pages,tags,cover,copies",
       "T,A,0306406152,G,1999,D,en,P,10,x;y,https://a.example/c.jpg,3"},
      {"COPIES,Image URL,Tags,Page Count,Publisher,Language Code,Description,Year "
       "Published,Genre,ISBN13,Authors,Book Title",
       "3,https://a.example/c.jpg,x|y,10,P,eng,D,1999,G,9780306406157,A,T"},
      {"Author(s)\tTitle\tISBN/UID\tCategory\tPublication Date\tSynopsis\tLanguages\tpublisher\tNumber of "
       "Pages\tkeywords\tThumbnail\ttotal_copies",
       "A\tT\t0-306-40615-2\tG\t1999-05-01\tD\tEnglish\tP\t10.0\tx, y\thttps://a.example/c.jpg\t3"},
      {"publication_year;original_publication_year;num_pages;name;creator;ean;genre;blurb;lang;publisher;"
       "shelves;cover_image;copies_total",
       "1999.0;1850;10;T;A;9780306406157;G;D;en;P;x, y;https://a.example/c.jpg;3"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const Import import = read_text(std::string(row.header) + "\n" + row.values + "\n");
    REQUIRE(import.records.size() == 1);
    REQUIRE(import.records[0].book);
    CHECK(import.records[0].warnings.empty());
    CHECK(import.format.unused_columns.empty());
    const NewBook& book = import.book(0);
    CHECK(book.title == "T");
    CHECK(book.author == "A");
    CHECK(book.isbn == "9780306406157");
    CHECK(book.genre == "G");
    CHECK(book.year_published == 1999);
    CHECK(book.description == "D");
    CHECK(book.language == "en");
    CHECK(book.publisher == "P");
    CHECK(book.page_count == 10);
    CHECK(book.tags == std::vector<std::string>{"x", "y"});
    CHECK(book.cover_url == "https://a.example/c.jpg");
    CHECK(book.copies == 3);
  }
  const Import partial = read_text("title,author,rating\nEmma,Jane Austen\n");
  CHECK(partial.format.unused_columns == std::vector<std::string>{"rating"});
  CHECK(partial.book(0).author == "Jane Austen");
}

TEST_CASE("years are read from what files write and impossible ones are left out", "[B13]") {
  struct Row {
    const char* text;
    int year;
  };
  for (const auto& [text, year] : std::vector<Row>{{"1851", 1851},
                                                   {"2008.0", 2008},
                                                   {"-720.0", -720},
                                                   {"c1851", 1851},
                                                   {"[1979]", 1979},
                                                   {"2019-03-05T01:00:00+01:00", 2019},
                                                   {"12/24/2020", 2020},
                                                   {"\xC2\xA9"
                                                    "2001",
                                                    2001},
                                                   {"2027", 2027}}) {
    CAPTURE(text);
    const Import import = read_text(std::string("title;author;year\nT;A;") + text + "\n");
    CHECK(import.book(0).year_published == year);
    CHECK(import.records[0].warnings.empty());
  }
  for (const char* text : {"2028", "-3001", "0", "nineteen", "1851-1852", "12345", "99999999999"}) {
    CAPTURE(text);
    const Import import = read_text(std::string("title;author;year\nT;A;") + text + "\n");
    CHECK_FALSE(import.book(0).year_published);
    CHECK(import.records[0].warnings.size() == 1);
  }
}

TEST_CASE("text is never cut: a title over 500 characters is a fault, 500 are none", "[B13][B1]") {
  std::string letters;
  for (int i = 0; i < 500; ++i) letters += "\u00E9";
  CHECK(read_text("title,author\n" + letters + ",A\n").book(0).title == letters);
  CHECK(kinds(read_text("title,author\n" + letters + "e,A\n").records[0].book.error()) == "title:length");
  CHECK(kinds(read_text("title,author\nT," + std::string(256, 'a') + "\n").records[0].book.error()) ==
        "author:length");
  CHECK(kinds(read_text("title,author\nT,\n").records[0].book.error()) == "author:missing");
}

TEST_CASE("other text that is too long is left out with a warning", "[B13]") {
  const Import import = read_text("title,author,genre,publisher,description,tags\nT,A," +
                                  std::string(101, 'g') + "," + std::string(256, 'p') + "," +
                                  std::string(20'001, 'd') + ",ok;" + std::string(101, 't') + "\n");
  CHECK_FALSE(import.book(0).genre);
  CHECK_FALSE(import.book(0).publisher);
  CHECK_FALSE(import.book(0).description);
  CHECK(import.book(0).tags == std::vector<std::string>{"ok"});
  CHECK(kinds(import.records[0].warnings) ==
        "genre:length, description:length, publisher:length, tags:length");
}

TEST_CASE("a list of authors that is too long ends at a whole name", "[B13]") {
  std::string names = "Name 0";
  for (int i = 1; i < 60; ++i) names += ", Name " + std::to_string(i);
  const Import import = read_text("title,authors\nT,\"" + names + "\"\n");
  CHECK(import.book(0).author.size() <= 255);
  CHECK(names.starts_with(import.book(0).author + ", "));
  CHECK(kinds(import.records[0].warnings) == "author:length");
}

TEST_CASE("a file that is no table of books is refused with one plain sentence", "[B13]") {
  for (const std::string& text :
       {std::string(), std::string("\n\n"), std::string("<?xml version=\"1.0\"?><collection/>"),
        std::string("[{\"title\":\"x\"}]"), std::string("PK\x03\x04zip"), std::string("%PDF-1.4"),
        std::string("alpha,beta\n1,2\n"), std::string("\xFF\xFEt\0i\0", 6), std::string("just a text"),
        std::string("\"title,author\nEmma,Jane\n"), std::string(100'000, '"'), std::string(3'000'000, 'x'),
        std::string(5'000, '\0')}) {
    CAPTURE(text.substr(0, 40));
    const Import import = read_text(text);
    CHECK(import.format.kind == FormatKind::unknown);
    CHECK_FALSE(import.format.problem.empty());
    REQUIRE(import.records.size() == 1);
    CHECK(kinds(import.records[0].book.error()) == ":format");
  }
}

TEST_CASE("hostile JSON lines are faults of their line only", "[B13][K25]") {
  const std::string good = "{\"title\":\"T\",\"author\":\"A\"}";
  for (const std::string& bad :
       {std::string("{"), std::string("null"), std::string("{\"title\":1}"),
        std::string("{\"title\":\"\xFF\"}"), std::string(100'000, '['),
        std::string("{\"a\":") + std::string(5'000, '[') + std::string(5'000, ']') + "}",
        std::string(9'000'000, 'x'), good + good,
        std::string("{\"title\":\"T\",\"author\":\"A\",\"copies\":1e300}"),
        std::string("{\"title\":\"T\",\"author\":\"A\",\"tags\":[1]}"),
        std::string("{\"title\":{},\"author\":[]}")}) {
    CAPTURE(bad.substr(0, 40));
    const Import import = read_text(good + "\n" + bad + "\r\n\n" + good);
    REQUIRE(import.records.size() == 3);
    CHECK(import.records[0].book);
    CHECK_FALSE(import.records[1].book);
    CHECK(import.records[1].line == 2);
    REQUIRE(import.records[2].book);
    CHECK(import.records[2].line == 4);
  }
}

TEST_CASE("a book written by the CSV export and read again is the same book", "[B14]") {
  NewBook book;
  book.title = "=HYPERLINK(\"x\"), \"quoted\"";
  book.author = "-Doe, John";
  book.isbn = "9780306406157";
  book.genre = "+Genre";
  book.year_published = -750;
  book.description = "One\n\nTwo; \"three\"";
  book.language = "de-CH";
  book.publisher = "@home";
  book.page_count = 12;
  book.tags = {"History, British"};
  book.cover_url = "https://a.example/c.jpg";
  book.copies = 0;
  std::string csv =
      "title,author,isbn,genre,year_published,description,language,publisher,page_count,tags,cover_url,"
      "copies\r\n";
  CsvWriter writer(csv);
  writer.text(book.title).text(book.author).text(*book.isbn).text(*book.genre).number(*book.year_published);
  writer.text(*book.description).text(*book.language).text(*book.publisher).number(*book.page_count);
  writer.text(join_tags(book.tags)).text(*book.cover_url).number(*book.copies).end_row();
  const Import import = read_text(csv);
  const NewBook& again = import.book(0);
  CHECK(import.records[0].warnings.empty());
  CHECK(again.title == book.title);
  CHECK(again.author == book.author);
  CHECK(again.isbn == book.isbn);
  CHECK(again.genre == book.genre);
  CHECK(again.year_published == book.year_published);
  CHECK(again.description == book.description);
  CHECK(again.language == book.language);
  CHECK(again.publisher == book.publisher);
  CHECK(again.page_count == book.page_count);
  CHECK(again.tags == book.tags);
  CHECK(again.cover_url == book.cover_url);
  CHECK(again.copies == book.copies);
}

TEST_CASE("the real goodbooks-10k and Goodreads files are read without a fault", "[B13][L2]") {
  const std::filesystem::path data = std::filesystem::path(LUMINA_SOURCE_DIR) / "../shared/data/catalogue";
  struct Row {
    const char* file;
    FormatKind kind;
    std::size_t rows;
    std::size_t with_isbn;
  };
  for (const Row& row :
       std::vector<Row>{{"goodbooks-10k/books.csv", FormatKind::goodbooks_10k, 10'000, 9'277},
                        {"goodbooks-10k/items.csv", FormatKind::csv, 10'000, 9'166},
                        {"exports/goodreads_library_export.csv", FormatKind::goodreads, 326, 184}}) {
    std::ifstream in(data / row.file, std::ios::binary);
    if (!in) {
      WARN("skipped: " << row.file << " is not beside the checkout");
      continue;
    }
    CAPTURE(row.file);
    const Import import = read(in);
    CHECK(import.format.kind == row.kind);
    CHECK(import.records.size() == row.rows);
    std::size_t isbns = 0;
    for (const ImportedRecord& record : import.records) {
      REQUIRE(record.book);
      isbns += record.book->isbn.has_value() ? 1 : 0;
    }
    CHECK(isbns == row.with_isbn);
  }
}
