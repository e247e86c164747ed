#include "core/marc/reader.hpp"
#include "core/marc/writer.hpp"
#include "core/xml/writer.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace lumina;
using namespace lumina::marc;

namespace {

Record sample(std::string title) {
  Record record;
  record.leader = "00000nam a2200000 c 4500";
  record.control("001", "42");
  record.control("008", "261122s1815    xx            000 1 eng d");
  record.add("100", '1', ' ', {{'a', "Austen, Jane"}});
  record.add("245", '1', '0', {{'a', std::move(title)}, {'c', "Jane Austen"}});
  record.add("650", ' ', '0', {{'a', "Sœurs"}, {'x', "Fiction"}});
  return record;
}

std::string iso(const Record& record) {
  std::string out;
  REQUIRE(write_iso2709(record, out));
  return out;
}

struct Read {
  std::vector<Record> records;
  std::vector<Fault> faults;
  std::vector<std::string> warnings;
};
Read all(RecordReader& reader) {
  Read read;
  while (auto item = reader.next()) {
    if (*item) {
      read.records.push_back((*item)->record);
      for (const auto& w : (*item)->warnings) read.warnings.push_back(w);
    } else {
      read.faults.push_back(item->error());
    }
  }
  return read;
}
Read read_iso(const std::string& bytes) {
  std::istringstream in(bytes);
  return all(*iso2709_reader(in));
}
Read read_xml(const std::string& bytes) {
  std::istringstream in(bytes);
  return all(*marcxml_reader(in));
}

bool same_content(const Record& a, const Record& b) { return a.fields == b.fields; }

}  // namespace

TEST_CASE("a record that is written and read again is the same", "[L4]") {
  const Record record = sample("Emma, ou l'éducation: 漢字 & <b>");
  const auto from_iso = read_iso(iso(record));
  REQUIRE(from_iso.records.size() == 1);
  CHECK(same_content(from_iso.records[0], record));
  CHECK(from_iso.warnings.empty());

  std::string text;
  xml::Writer out(text);
  out.open("collection", {{"xmlns", slim_namespace}});
  write_marcxml(record, out, false);
  out.close();
  const auto from_xml = read_xml(text);
  REQUIRE(from_xml.records.size() == 1);
  CHECK(same_content(from_xml.records[0], record));
}

TEST_CASE("a thousand records of any content round-trip in both forms", "[L4]") {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a", "é", "漢", "📚", " ", "&", "<", "\"", ".", "\n", "ż", "1999"};
  std::string iso_text, xml_text;
  xml::Writer out(xml_text);
  std::vector<Record> written;
  out.open("collection");
  for (int n = 0; n < 1000; ++n) {
    Record record;
    record.leader = "00000nam a2200000 c 4500";
    record.control("001", fmt::format("{}", n));
    for (unsigned f = 0; f < 1 + random() % 8; ++f) {
      std::vector<Subfield> parts;
      for (unsigned s = 0; s < 1 + random() % 4; ++s) {
        std::string value = "x";
        for (unsigned p = 0; p < random() % 20; ++p) value += pieces[random() % pieces.size()];
        parts.push_back({static_cast<char>('a' + random() % 26), value + "y"});
      }
      record.add(fmt::format("{}", 100 + random() % 800), random() % 2 ? '1' : ' ', ' ', std::move(parts));
    }
    REQUIRE(write_iso2709(record, iso_text));
    write_marcxml(record, out, true);
    written.push_back(std::move(record));
  }
  out.close();
  const auto from_iso = read_iso(iso_text), from_xml = read_xml(xml_text);
  REQUIRE(from_iso.records.size() == written.size());
  REQUIRE(from_xml.records.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    CAPTURE(i);
    REQUIRE(same_content(from_iso.records[i], written[i]));
    REQUIRE(same_content(from_xml.records[i], written[i]));
  }
}

TEST_CASE("a damaged record is named by its place and loses no other", "[L4]") {
  const std::string first = iso(sample("One")), second = iso(sample("Two")), third = iso(sample("Three"));
  std::string bad_leader = second;
  bad_leader.replace(0, 24, "xxxxxnam a22xxxxx   4500");
  std::string bad_directory = second;
  bad_directory.replace(24 + 3, 4, "00a1");
  bad_directory.erase(bad_directory.find('\x1E', 100), 1);
  for (const std::string& bad : {std::string("garbage without any end of field\x1D"), bad_directory}) {
    const auto read = read_iso(first + bad + third);
    REQUIRE(read.records.size() == 2);
    REQUIRE(read.faults.size() == 1);
    CHECK(read.faults[0].record == 2);
    CHECK(read.faults[0].offset == first.size());
    CHECK(!read.faults[0].message.empty());
    CHECK(read.records[1].find("245")->get('a') == "Three");
  }
  // The separators tell the fields when the leader does not.
  const auto mended = read_iso(first + bad_leader + third);
  REQUIRE(mended.records.size() == 3);
  CHECK(mended.records[1].find("245")->get('a') == "Two");
  CHECK(!mended.warnings.empty());
}

TEST_CASE("a file that is cut off ends in a fault", "[L4]") {
  const std::string whole = iso(sample("One")) + iso(sample("Two"));
  for (std::size_t cut = whole.size() / 2 + 1; cut < whole.size(); cut += 7) {
    const auto read = read_iso(whole.substr(0, cut));
    CHECK(read.records.size() == 1);
    CHECK(read.faults.size() == 1);
  }
  CHECK(read_iso("").records.empty());
  CHECK(read_iso("\r\n\0 ").faults.empty());
}

TEST_CASE("a wrong length is mended when the record ends elsewhere", "[L4]") {
  std::string text = iso(sample("One"));
  text.replace(0, 5, "00100");
  const auto read = read_iso(text + "\r\n" + iso(sample("Two")));
  REQUIRE(read.records.size() == 2);
  CHECK(read.warnings == std::vector<std::string>{"The length in the leader is wrong"});
}

TEST_CASE("the encoding is the one that the bytes show", "[L4]") {
  // Says nothing (MARC-8), is UTF-8.
  std::string text = iso(sample("Sœur"));
  text[9] = ' ';
  auto read = read_iso(text);
  REQUIRE(read.records.size() == 1);
  CHECK(read.records[0].find("245")->get('a') == "Sœur");
  CHECK(read.warnings.size() == 1);
  // Says UTF-8, is MARC-8.
  Record plain = sample("Muuller");
  plain.fields.pop_back();
  text = iso(plain);
  text.replace(text.find("Muuller"), 7, "M\xE8uller");
  read = read_iso(text);
  REQUIRE(read.records.size() == 1);
  CHECK(read.records[0].find("245")->get('a') == "Müller");
}

TEST_CASE("XML that names entities is refused, and a broken record loses no other", "[L4]") {
  const auto bomb = read_xml(
      "<?xml version=\"1.0\"?><!DOCTYPE c [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
      "<collection><record><leader>x</leader><controlfield "
      "tag=\"001\">&b;</controlfield></record></collection>");
  CHECK(bomb.records.empty());
  REQUIRE(bomb.faults.size() == 1);
  CHECK(bomb.faults[0].message.find("document type") != std::string::npos);
  const auto outside =
      read_xml("<collection><record><controlfield tag=\"001\">&file;</controlfield></record></collection>");
  REQUIRE(outside.records.size() == 1);
  CHECK(outside.records[0].fields[0].data == "&file;");

  const auto read = read_xml(
      "<marc:collection xmlns:marc='http://www.loc.gov/MARC21/slim'><!-- <record> -->"
      "<marc:record><marc:leader>00000nam a2200000 c 4500</marc:leader>"
      "<marc:controlfield tag='001'>a &lt; b</marc:controlfield></marc:record>"
      "<marc:record><marc:controlfield tag='001'>b</marc:record>"
      "<marc:record><marc:datafield tag='2x' ind1=' ' ind2=' '/></marc:record>"
      "<marc:record/>"
      "<marc:record><marc:datafield tag='245' ind1='1' ind2='0'><marc:subfield code='a'>x &gt; "
      "<![CDATA[</record>]]></marc:subfield></marc:datafield></marc:record></marc:collection>");
  REQUIRE(read.records.size() == 2);
  CHECK(read.records[0].fields[0].data == "a < b");
  CHECK(read.records[1].find("245")->get('a') == "x > </record>");
  REQUIRE(read.faults.size() == 3);
  CHECK(read.faults[0].record == 2);
  CHECK(read.faults[2].record == 4);
}

TEST_CASE("the record inside an answer of OAI-PMH is found, and a cut one is a fault", "[L4]") {
  const auto read = read_xml(
      "<OAI-PMH><ListRecords><record><header><identifier>1</identifier></header><metadata><record "
      "xmlns=\"http://www.loc.gov/MARC21/slim\"><controlfield "
      "tag=\"001\">7</controlfield></record></metadata>"
      "</record></ListRecords></OAI-PMH>");
  REQUIRE(read.records.size() == 1);
  CHECK(read.records[0].fields[0].data == "7");
  const auto cut = read_xml("<collection><record><controlfield tag=\"001\">7</contr");
  CHECK(cut.records.empty());
  CHECK(cut.faults.size() == 1);
}

TEST_CASE("a file that ends within a comment, or in an open quote, is told as cut off", "[L4]") {
  const std::string record =
      R"(<record><datafield tag="245" ind1="0" ind2="0"><subfield code="a">Emma</subfield></datafield></record>)";
  for (const std::string between : {"<!-- ", "<collection a=\"", "<?x "}) {
    const auto read = read_xml("<collection>" + record + between + record + "</collection>");
    CHECK(read.records.size() == 1);
    CHECK(read.faults.size() == 1);
  }
  CHECK(read_xml("<collection>" + record + "</collection>\n and words\n").faults.empty());
}

TEST_CASE("a record that ISO 2709 cannot hold is not written", "[L4]") {
  Record record = sample("x");
  record.add("520", ' ', ' ', {{'a', std::string(10'000, 'x')}});
  std::string out;
  CHECK_FALSE(write_iso2709(record, out));
  CHECK(out.empty());
  record = sample(
      "a\x1D\x1E\x1F"
      "b");
  CHECK(read_iso(iso(record)).records[0].find("245")->get('a') == "a   b");
}

TEST_CASE("elements nested as deeply as a record is long are read, or refused, without harm", "[L4]") {
  constexpr std::size_t depth = 400'000;
  std::string xml = R"(<record><datafield tag="245" ind1="0" ind2="0"><subfield code="a">)";
  for (std::size_t i = 0; i < depth; ++i) xml += "<a>";
  xml += "Emma";
  for (std::size_t i = 0; i < depth; ++i) xml += "</a>";
  xml += "</subfield></datafield></record>";
  const auto read = read_xml(xml);
  REQUIRE(read.records.size() + read.faults.size() == 1);
  if (!read.records.empty()) CHECK(read.records[0].fields[0].subfields[0].value == "Emma");
}

TEST_CASE("a directory that names one field a thousand times does not multiply it", "[L4]") {
  const std::string field =
      "  \x1F"
      "aEmma\x1E";
  constexpr std::size_t entries = 1000;
  std::string directory;
  for (std::size_t i = 0; i < entries; ++i)
    directory +=
        "650"
        "0009"
        "00000";
  REQUIRE(field.size() == 9);
  const std::size_t base = 24 + directory.size() + 1, length = base + field.size() + 1;
  std::string leader = "00000nam a2200000 c 4500";
  const auto digits = [&](std::size_t at, std::size_t value) {
    const auto text = std::to_string(value);
    leader.replace(at + 5 - text.size(), text.size(), text);
  };
  digits(0, length);
  digits(12, base);
  const auto read = read_iso(leader + directory + "\x1E" + field + "\x1D");
  std::size_t fields = 0;
  for (const auto& record : read.records) fields += record.fields.size();
  CHECK(fields < entries);
}
