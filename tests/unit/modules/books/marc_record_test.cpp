#include "modules/books/marc_record.hpp"

#include "core/marc/reader.hpp"
#include "core/marc/writer.hpp"
#include "core/xml/writer.hpp"
#include "modules/books/record_reader.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace lumina;
using namespace lumina::books;

namespace {

marc::Record real_record() {
  marc::Record record;
  record.leader = "00000cam a22000004a 4500";
  record.control("008", "020805r19921815enka          000 1 eng d");
  record.add("020", ' ', ' ', {{'a', "0306406152 (pbk.) :"}, {'c', "$9.95"}});
  record.add("100", '1', ' ', {{'a', "Austen, Jane,"}, {'d', "1775-1817."}});
  record.add("245", '1', '0',
             {{'a', "Emma :"}, {'b', "a novel /"}, {'c', "by Jane Austen ; with drawings."}});
  record.add("260", ' ', ' ', {{'a', "London :"}, {'b', "Example Press,"}, {'c', "c1992."}});
  record.add("300", ' ', ' ', {{'a', "xii, 345 p. :"}, {'b', "ill. ;"}, {'c', "21 cm."}});
  record.add("500", ' ', ' ', {{'a', "Includes index."}});
  record.add("650", ' ', '0', {{'a', "Young women"}, {'z', "England"}, {'v', "Fiction."}});
  record.add("655", ' ', '7', {{'a', "Love stories."}, {'2', "lcgft"}});
  record.add("700", '1', ' ', {{'a', "Thomson, Hugh,"}, {'e', "ill."}});
  record.add("700", '1', ' ', {{'a', "Stafford, Fiona J."}});
  return record;
}

NewBook imported(const marc::Record& record) { return to_record(draft_of(record), 1, 2027).book.value(); }

struct Import {
  std::size_t read = 0, refused = 0;
  std::vector<NewBook> books;
  std::vector<std::string> faults;
  FormatKind kind = FormatKind::unknown;
};
Import read(std::istream& in) {
  const auto source = RecordSource::open(in, {}, {2027});
  Import import;
  import.kind = source->format().kind;
  while (auto record = source->next()) {
    ++import.read;
    if (record->book) {
      import.books.push_back(std::move(*record->book));
    } else {
      ++import.refused;
      import.faults.push_back(record->book.error().front().message);
    }
  }
  return import;
}

void check_equal(const NewBook& again, const Book& book) {
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
  CHECK(again.subjects == book.subjects);
  CHECK(again.series == book.series);
  CHECK(again.series_index == book.series_index);
  CHECK(again.ddc == book.ddc);
  CHECK(again.lcc == book.lcc);
  CHECK(again.cover_url == book.cover_url);
  CHECK(again.copies == book.copies_total);
}

}  // namespace

TEST_CASE("a catalogue record becomes a book as people speak of it", "[L4]") {
  const NewBook book = imported(real_record());
  CHECK(book.title == "Emma: a novel");
  CHECK(book.author == "Jane Austen, Fiona J. Stafford");
  CHECK(book.isbn == "9780306406157");
  CHECK(book.year_published == 1815);  // a reprint: the year of the original
  CHECK(book.language == "en");
  CHECK(book.publisher == "Example Press");
  CHECK(book.page_count == 345);
  CHECK(book.description == "Includes index.");
  CHECK(book.subjects == std::vector<std::string>{"Young women -- England -- Fiction"});
  CHECK(book.tags.empty());
  CHECK(book.genre == "Love stories");
}

TEST_CASE("names come out in the order people say them", "[L4][B15]") {
  CHECK(direct_order("Austen, Jane, 1775-1817") == "Jane Austen");
  CHECK(direct_order("Doyle, Arthur Conan, Sir, 1859-1930.") == "Arthur Conan Doyle");
  CHECK(direct_order("Homer") == "Homer");
  CHECK(direct_order("Plato, 427-347 B.C.") == "Plato");
  CHECK(direct_order("") == "");
  CHECK(marc_language("en-GB") == "eng");
  CHECK(marc_language("de") == "ger");
  CHECK(marc_language("fr") == "fre");
  CHECK(marc_language("zh-Hant") == "chi");
  CHECK(marc_language("tlh") == "tlh");
}

TEST_CASE("a record without an author or with an odd title is a book all the same", "[L4]") {
  auto record = real_record();
  std::erase_if(record.fields, [](const auto& f) { return f.tag == "100" || f.tag == "700"; });
  CHECK(imported(record).author == "by Jane Austen ; with drawings");
  std::erase_if(record.fields, [](const auto& f) { return f.tag == "245"; });
  record.add("240", '1', '0', {{'a', "Emma."}});
  CHECK(imported(record).title == "Emma");
  CHECK(imported(record).author == "Example Press");
  std::erase_if(record.fields, [](const auto& f) { return f.tag == "260"; });
  CHECK(imported(record).author == "Unknown");
  std::erase_if(record.fields, [](const auto& f) { return f.tag == "240"; });
  CHECK_FALSE(to_record(draft_of(record), 1, 2027).book);
}

TEST_CASE("a book that is exported as MARC and imported is the same book", "[L4][B14]") {
  Book full;
  full.id = {7};
  full.title = "Moby-Dick; or, The Whale: a \"tale\". ";
  full.title.pop_back();
  full.author = "Herman Melville";
  full.isbn = "9780306406157";
  full.genre = "Fiction.";
  full.year_published = 1851;
  full.description = "Call me Ishmael.\nSome years ago -\n\nnever mind <how> & why";
  full.language = "pt-BR";
  full.publisher = "Harper & Brothers,";
  full.page_count = 635;
  full.tags = {"sea", "whales; and more", "Łódź"};
  full.subjects = {"Whaling -- Fiction", "Sea stories"};
  full.series = "Great Books";
  full.series_index = 2.5;
  full.ddc = "813.3 MEL";
  full.lcc = "PS2384 .M6 1851";
  full.cover_url = "https://example.org/c.jpg?a=1&b=2";
  full.copies_total = 3;
  Book bare;
  bare.id = {8};
  bare.title = "Iliad";
  bare.author = "Homer";
  bare.copies_total = 0;
  std::vector<Book> books{full, bare};
  for (const auto& [author, year] :
       std::vector<std::pair<std::string, int>>{{"Jane Austen, Fiona Stafford", -750},
                                                {"Austen, Jane", 9},
                                                {"NASA", 1},
                                                {"Sammy Davis Jr.", 2026},
                                                {"United Nations (UN)", 99},
                                                {"漱石 夏目", 1905},
                                                {"J. R. R. Tolkien", 1937},
                                                {"Plato 2", -3000}}) {
    Book book = bare;
    book.author = author;
    book.year_published = year;
    books.push_back(std::move(book));
  }
  Book wordy = full;
  wordy.description.reset();
  std::string text;
  for (int i = 0; i < 3900; ++i) text += i % 7 == 0 ? "é漢" : "word ";
  wordy.description = text.substr(0, text.find_last_not_of(' ') + 1);
  books.push_back(std::move(wordy));

  std::string iso, xml_text;
  xml::Writer out(xml_text);
  out.open("collection", {{"xmlns", marc::slim_namespace}});
  for (const Book& book : books) {
    REQUIRE(marc::write_iso2709(to_marc(book), iso));
    marc::write_marcxml(to_marc(book), out, false);
  }
  out.close();
  std::istringstream iso_in(iso), xml_in(xml_text);
  for (const Import& import : {read(iso_in), read(xml_in)}) {
    REQUIRE(import.books.size() == books.size());
    for (std::size_t i = 0; i < books.size(); ++i) {
      CAPTURE(i);
      check_equal(import.books[i], books[i]);
    }
  }
  const auto record = to_marc(full);
  REQUIRE(record.find("008"));
  CHECK(record.find("008")->data.size() == 40);
  CHECK(record.find("008")->data.substr(35, 3) == "por");
  CHECK(record.find("100")->get('a') == "Melville, Herman");
  CHECK(record.leader.size() == 24);
}

TEST_CASE("XML without records is refused in words", "[L4]") {
  std::istringstream in("<html><body>no</body></html>");
  const Import import = read(in);
  CHECK(import.kind == FormatKind::unknown);
  REQUIRE(import.faults.size() == 1);
  CHECK(import.faults[0] == "The file is XML or HTML without MARC records");
}

TEST_CASE("every real MARC file has the records that an independent reader finds", "[L4]") {
  const std::filesystem::path data =
      std::filesystem::path(LUMINA_SOURCE_DIR) / "../shared/data/catalogue/marc";
  if (!std::filesystem::exists(data)) {
    WARN("skipped: the files are not beside the checkout");
    return;
  }
  // As yaz-marcdump counts them; every other file has one.
  const std::map<std::string, std::size_t> counts = {
      {"FSL.marc", 52},    {"jazz_1k.mrc", 1000},   {"lul_fre_100.mrc", 100}, {"oss.marc", 42},
      {"brkrtest.mrc", 8}, {"chabon-loc.mrc", 2},   {"chabon.mrc", 2},        {"chabon.xml", 2},
      {"marc.dat", 20},    {"loongboonmee.mrc", 2}, {"selectedRecs.mrc", 11}, {"test.dat", 10},
      {"batch.xml", 2}};
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".json") continue;
    const std::string name = entry.path().filename();
    CAPTURE(name);
    ++files;
    std::ifstream in(entry.path(), std::ios::binary);
    const Import import = read(in);
    const auto expected = counts.find(name);
    CHECK(import.read == (expected == counts.end() ? 1 : expected->second));
    INFO((import.faults.empty() ? "" : import.faults.front()));
    CHECK(import.refused == 0);
    for (const NewBook& book : import.books) {
      CHECK(book.title.find('\xEF') == std::string::npos);
      CHECK(!book.author.empty());
    }
  }
  CHECK(files == 62);
}
