// Files that mean harm, are larger than usual, or are several things at once.
#include "api/documents.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

using namespace lumina;
using namespace lumina::test;

namespace {

// Pages that are a picture each, as a scanner makes them: PDF with one tiny image and no text.
std::string scanned_pdf() {
  std::string out = "%PDF-1.4\n";
  std::vector<std::size_t> places;
  const auto object = [&](const std::string& text) {
    places.push_back(out.size());
    out += fmt::format("{} 0 obj\n{}\nendobj\n", places.size(), text);
  };
  const std::string draw = "q 500 0 0 700 40 40 cm /Im Do Q";
  object("<< /Type /Catalog /Pages 2 0 R >>");
  object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
  object(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
      "/Resources << /XObject << /Im 5 0 R >> >> >>");
  object(fmt::format("<< /Length {} >>\nstream\n{}\nendstream", draw.size(), draw));
  object(
      "<< /Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 "
      "/Length 4 >>\nstream\nabcd\nendstream");
  const auto table = out.size();
  out += fmt::format("xref\n0 {}\n0000000000 65535 f \n", places.size() + 1);
  for (const auto place : places) out += fmt::format("{:010} 00000 n \n", place);
  return out +
         fmt::format("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n", places.size() + 1, table);
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string outcome(Client person, std::string_view name, std::string_view bytes) {
  const auto made = upload(person, name, bytes);
  if (made.status != 201) return made.code();
  const auto done = settled(person, made.id());
  CHECK(done["processed"].as_bool() == (done["status"] == "ready"));
  return done["error_code"].is_string() ? done["error_code"].as_string().c_str()
                                        : std::string(done["status"].as_string());
}

// An EPUB whose list names `named` items although it holds a few; the spine names them all.
std::string listing_epub(int named) {
  std::string items, spine;
  for (int i = 0; i < named; ++i) {
    items += fmt::format("<item id=\"i{}\" href=\"{}.xhtml\" media-type=\"application/xhtml+xml\"/>", i, i);
    spine += fmt::format("<itemref idref=\"i{}\"/>", i);
  }
  return make_zip({{"mimetype", "application/epub+zip"},
                   {"META-INF/container.xml",
                    "<container><rootfiles><rootfile full-path=\"a.opf\"/></rootfiles></container>"},
                   {"a.opf",
                    "<package><metadata><dc:title>Long list</dc:title></metadata><manifest>" + items +
                        "</manifest><spine>" + spine + "</spine></package>",
                    true},
                   {fmt::format("{}.xhtml", named - 1), "<p>The last chapter tells of herons.</p>"}});
}

}  // namespace

TEST_CASE("scanned pages say that they need to be read by a machine", "[G6][G8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto person = app->patron();
  const auto made = upload(person, "scan.pdf", scanned_pdf());
  REQUIRE(made.status == 201);
  const auto done = settled(person, made.id());
  CHECK(done["status"] == "needs_ocr");
  CHECK(done["error_code"] == "needs_ocr");
  CHECK(done["processed"] == false);
  CHECK(outcome(person, "blank.pdf", make_pdf({"", ""})) == "no_text");
  CHECK(person.get("/api/v1/documents?status=needs_ocr").size() == 1);
  CHECK(person.get("/api/v1/documents?status=failed").size() == 1);
  const auto versions = person.get(fmt::format("/api/v1/documents/{}/versions", made.id()));
  CHECK(versions[0].at("status") == "needs_ocr");
}

TEST_CASE("an EPUB that lists thirty thousand items is read in time", "[G6][G30]") {
  auto app = TestApp::on(Database::sqlite, every_kind);
  auto person = app->patron();
  const auto made = upload(person, "list.epub", listing_epub(30'000));
  REQUIRE(made.status == 201);
  const auto done = settled(person, made.id());
  CHECK(done["status"] == "ready");
  CHECK(done["title"] == "Long list");
  CHECK(person.get("/api/v1/documents/search?q=herons").body.find("herons") != std::string::npos);
}

TEST_CASE("a PDF of ten thousand pages is read to its last", "[G6]") {
  auto app = TestApp::on(Database::sqlite);
  auto person = app->patron();
  std::vector<std::string> pages(10'000);
  for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = fmt::format("This is page {} of many.", i + 1);
  pages.back() = "The last page tells of cormorants.";
  const auto made = upload(person, "long.pdf", make_pdf(pages, "Long"));
  REQUIRE(made.status == 201);
  const auto done = settled(person, made.id());
  CHECK(done["status"] == "ready");
  CHECK(done["page_count"] == 10'000);
  const auto text = person.get(fmt::format("/api/v1/documents/{}/text?page=10000", made.id()));
  CHECK(text.body.find("cormorants") != std::string::npos);
}

TEST_CASE("bombs of every kind are told from files that are large", "[G30]") {
  auto app = TestApp::on(Database::sqlite, every_kind);
  auto person = app->patron();
  const auto docx = [](const std::string& document) {
    return make_zip({{"[Content_Types].xml", "x"}, {"word/document.xml", document, true}});
  };
  CHECK(outcome(person, "spaces.docx", docx(std::string(60 << 20, ' '))) == "too_large");
  CHECK(outcome(person, "giant.docx", docx(std::string(70 << 20, ' '))) == "too_large");
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "<w:p>";
  CHECK(outcome(person, "nested.docx", docx("<w:document>" + nested)) != "ready");
  std::string closed = nested;
  for (int i = 0; i < 100'000; ++i) closed += "</w:p>";
  CHECK(outcome(person, "deep.docx", docx("<w:document>" + closed + "</w:document>")) == "too_large");
  CHECK(outcome(
            person, "laughs.docx",
            docx("<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><w:document><w:p><w:r><w:t>&b;"
                 "</w:t></w:r></w:p></w:document>")) == "ready");
  // The same chapter again and again, each small enough by itself.
  std::string items = "<item id=\"c\" href=\"c.xhtml\"/>", spine;
  for (int i = 0; i < 1000; ++i) spine += "<itemref idref=\"c\"/>";
  CHECK(outcome(person, "again.epub",
                make_zip({{"mimetype", "application/epub+zip"},
                          {"META-INF/container.xml",
                           "<container><rootfiles><rootfile full-path=\"a.opf\"/></rootfiles></container>"},
                          {"a.opf", "<package><manifest>" + items + "</manifest><spine>" + spine +
                                        "</spine></package>"},
                          {"c.xhtml", "<p>" + std::string(1 << 19, 'x') + "</p>", true}})) == "too_large");
  std::vector<ZipEntry> many{{"[Content_Types].xml", "x"}, {"word/document.xml", "<w:document/>"}};
  for (int i = 0; i < 10'001; ++i) many.push_back({fmt::format("{}", i), ""});
  CHECK(outcome(person, "many.docx", make_zip(many)) == "too_large");
  CHECK(outcome(person, "page.html", "<html>" + std::string(2'000'000, '<') + "words") == "ready");
  CHECK(app->anybody().get("/health").status == 200);
}

TEST_CASE("a file that is two things is what its first bytes say, and is sent as that", "[G3][G14]") {
  auto app = TestApp::on(Database::sqlite, every_kind);
  auto person = app->patron();
  const auto pdf = make_pdf({"Herons wade."}, "Herons");
  const auto zip = make_docx({"Owls fly."}, "Owls");
  const auto page = std::string("<html><script>alert(1)</script><p>Gulls.</p></html>");
  const auto both = upload(person, "both.docx", pdf + zip);
  REQUIRE(both.status == 201);
  CHECK(both["media_type"] == "application/pdf");
  CHECK(settled(person, both.id())["status"] == "ready");
  const auto text = person.get(fmt::format("/api/v1/documents/{}/text", both.id()));
  CHECK(text.body.find("Herons") != std::string::npos);
  CHECK(text.body.find("Owls") == std::string::npos);
  // A reader of archives would take these too; nothing here guesses.
  CHECK(upload(person, "a.pdf", "GIF89a" + pdf).code() == "wrong_kind");
  CHECK(upload(person, "b.pdf", "\x89PNG\r\n" + pdf).code() == "wrong_kind");
  CHECK(upload(person, "c.epub", zip + pdf)["media_type"] ==
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
  const auto html = upload(person, "d.pdf", page + pdf);
  REQUIRE(html.status == 201);
  CHECK(html["media_type"] == "text/html");
  const auto view = person.get(fmt::format("/api/v1/documents/{}/view", html.id()));
  CHECK(view.header("Content-Security-Policy").starts_with("sandbox"));
  CHECK(view.header("X-Content-Type-Options") == "nosniff");
}

// Every file of the corpus as it is and damaged in ways that are the same every time. In the suite a sample;
// all of it, with LUMINALIB_ALL_DOCUMENTS=<damaged copies of each>.
TEST_CASE("files of other programs, whole and damaged, never harm the server", "[G6][G30]") {
  const auto folder = std::filesystem::path(LUMINA_SOURCE_DIR) / "../shared/data/documents";
  if (!std::filesystem::is_directory(folder)) {
    WARN("the corpus of documents is not here");
    return;
  }
  const char* const all = std::getenv("LUMINALIB_ALL_DOCUMENTS");
  const int copies = all != nullptr ? std::max(1, std::atoi(all)) : 1;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension().string().size() > 1)
      files.push_back(entry.path());
  std::ranges::sort(files);
  REQUIRE(files.size() >= 20);
  auto app = TestApp::on(Database::sqlite, every_kind);
  auto person = app->patron();
  std::map<std::string, int> outcomes;
  std::vector<std::int64_t> made;
  const auto put = [&](const std::filesystem::path& path, const std::string& bytes) {
    const auto answer = upload(person, path.filename().string(), bytes);
    INFO(path << ": " << answer.body);
    CHECK((answer.status == 200 || answer.status == 201 || answer.status == 400));
    if (answer.status == 400) ++outcomes[answer.code()];
    if (answer.status == 201) made.push_back(answer.id());
  };
  std::mt19937 random(20261122);
  for (std::size_t f = 0; f < files.size(); ++f) {
    const auto whole = read(files[f]);
    if (all == nullptr && whole.size() > 600'000) continue;
    put(files[f], whole);
    if (all == nullptr && f % 2 == 1) continue;
    for (int copy = 0; copy < copies; ++copy) {
      auto bytes = whole;
      if ((f + static_cast<std::size_t>(copy)) % 3 == 0) bytes.resize(bytes.size() / 10 * (1 + random() % 9));
      for (auto n = 1 + random() % 40; n > 0; --n)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 3 == 0) bytes.insert(random() % bytes.size(), bytes.substr(0, 3000));
      put(files[f], bytes);
    }
  }
  for (const auto id : made) {
    const auto done = settled(person, id);
    const std::string status(done["status"].as_string());
    CHECK((status == "ready" || status == "failed" || status == "needs_ocr"));
    CHECK((status == "ready") == done["error_code"].is_null());
    ++outcomes[done["error_code"].is_string() ? std::string(done["error_code"].as_string()) : status];
  }
  std::string summary;
  for (const auto& [what, count] : outcomes) summary += fmt::format("{} {}, ", count, what);
  INFO(summary);
  CHECK(outcomes["ready"] >= 10);
  CHECK(app->anybody().get("/health").status == 200);
  if (all != nullptr) WARN(summary);
}
