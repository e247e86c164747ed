// Documents: taken in, processed, read, shared, replaced and deleted.
#include "api/documents.hpp"

#include "cli/commands.hpp"
#include "core/blobs/store.hpp"
#include "core/security/random.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace lumina;
using namespace lumina::test;

namespace {

const std::string whales =
    make_pdf({"The whale is a mammal.\nIt breathes air.", "Nothing on this page.",
              "Captain Ahab lost his leg to a white whale\nand chased it over the seas."},
             "On Whales", "I. Smith");

std::string at(std::int64_t id, std::string_view rest = "") {
  return fmt::format("/api/v1/documents/{}{}", id, rest);
}

}  // namespace

TEST_CASE("a document is taken in, processed and deleted with all that was made of it",
          "[G1][G4][G5][G7][G9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  CHECK(app->anybody().get("/api/v1/documents").status == 401);
  const auto made = upload(reader, "../../x.pdf", whales);
  REQUIRE(made.status == 201);
  CHECK(made["filename"] == "x.pdf");
  CHECK(made["processed"] == false);
  CHECK(made["status"] == "pending");
  CHECK(made["media_type"] == "application/pdf");
  CHECK(made["user_id"] == reader.user_id());
  CHECK(made["upload_date"].is_string());
  CHECK(made.header("Location") == at(made.id()));
  const auto ready = settled(reader, made.id());
  REQUIRE(ready["status"] == "ready");
  CHECK(ready["processed"] == true);
  CHECK(ready["page_count"] == 3);
  CHECK(ready["title"] == "On Whales");
  CHECK(ready["author"] == "I. Smith");
  CHECK(ready["language"] == "en");
  CHECK(ready["chunks"].as_int64() == 3);
  CHECK(reader.get(fmt::format("/api/v1/tasks/{}", made["task_id"].as_string().c_str()))["status"] ==
        "succeeded");
  const auto text = reader.get(at(made.id(), "/text?page=3"));
  REQUIRE(text["pages"].as_array().size() == 1);
  CHECK(text["pages"].at(0).at("text").as_string().find("white whale") != std::string::npos);
  CHECK(text["total_pages"] == 3);
  const auto picture = reader.get(at(made.id(), "/thumbnail"));
  CHECK(picture.status == 200);
  CHECK(picture.header("Content-Type") == "image/png");
  CHECK(picture.header("Cache-Control").find("immutable") != std::string::npos);
  CHECK(reader.get("/api/v1/documents").size() == 1);
  CHECK(reader.get("/api/v1/documents?q=whale&status=ready&mine=true").size() == 1);
  CHECK(reader.get("/api/v1/documents?q=sailor").size() == 0);
  CHECK(reader.get("/api/v1/documents?cursor=zzz").status == 422);

  auto stranger = app->patron(2);
  CHECK(stranger.get(at(made.id())).status == 404);
  CHECK(stranger.del(at(made.id())).status == 404);
  CHECK(stranger.get("/api/v1/documents").size() == 0);
  CHECK(app->librarian().get("/api/v1/documents").size() == 1);
  CHECK(app->admin().get("/api/v1/audit?action=document.processed").size() == 1);

  CHECK(reader.del(at(made.id())).status == 204);
  CHECK(reader.get(at(made.id())).status == 404);
  for (const auto* table : {"documents", "document_versions", "document_pages", "document_chunks"})
    CHECK(app->number(fmt::format("SELECT count(*) FROM {}", table)) == 0);
  CHECK(app->number("SELECT count(*) FROM blobs WHERE refs > 0") == 0);
}

TEST_CASE("files of other kinds, too large or broken ones are refused with the reason", "[G1][G2][G3]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.document_kinds = {"pdf"}; });
  auto reader = app->patron();
  const auto refused = [&](std::string_view name, std::string_view bytes) {
    return upload(reader, name, bytes);
  };
  const auto text = refused("notes.txt", "plain words");
  CHECK(text.status == 400);
  CHECK(text.detail() == "Only PDF files allowed");
  CHECK(refused("fake.pdf", "not a PDF at all").detail() == "Only PDF files allowed");
  CHECK(refused("zip.pdf", make_zip({{"a", "b"}})).code() == "wrong_kind");
  CHECK(refused("letter.docx", make_docx({"Words"})).code() == "wrong_kind");
  CHECK(refused("empty.pdf", "").code() == "empty_file");
  CHECK(refused("page.pdf", "<html>%PDF-1.4 1 0 obj</html>").code() == "wrong_kind");
  auto large = whales;
  large.resize((10 << 20) + 1, ' ');
  const auto too_large = refused("large.pdf", large);
  CHECK(too_large.status == 400);
  CHECK(too_large.detail() == "File too large");
  CHECK(reader.post("/api/v1/documents", "{}").status == 400);
  CHECK(reader.post("/api/v1/documents").status == 422);
  auto [body, type] = make_form("a.pdf", whales, {{"visibility", "nobody"}});
  CHECK(reader.post("/api/v1/documents", body, {{"Content-Type", type}}).status == 422);
  CHECK(upload(reader, "a.pdf", whales, {{"book_id", "4711"}}).code() == "no_such_book");
  CHECK(upload(reader, "a.pdf", whales, {{"visibility", "borrowers"}}).code() == "book_needed");
  const auto long_name = upload(reader, std::string(300, 'n') + ".pdf", whales);
  CHECK(long_name.status == 201);
  CHECK(long_name["filename"].as_string().size() <= 255);
  CHECK(app->number("SELECT count(*) FROM documents") == 1);
}

TEST_CASE("files that cannot be read make the document failed, never the server", "[G6][G30]") {
  auto app = TestApp::on(GENERATE(from_databases()), every_kind);
  auto reader = app->patron();
  const auto outcome = [&](std::string_view name, std::string_view bytes) {
    const auto made = upload(reader, name, bytes);
    REQUIRE(made.status == 201);
    const auto done = settled(reader, made.id());
    CHECK(done["status"] == "failed");
    CHECK(done["processed"] == false);
    return std::string(done["error_code"].is_string() ? done["error_code"].as_string().c_str() : "none");
  };
  CHECK(outcome("blank.pdf", make_pdf({"", ""})) == "no_text");
  CHECK(outcome("cut.pdf", "%PDF-1.4\n1 0 obj\n<< /Type /Catalog") == "damaged");
  CHECK(outcome("cut.docx", make_docx({"Words"}).substr(0, 300)) == "damaged");
  CHECK(outcome("bomb.docx", make_zip({{"[Content_Types].xml", "x"},
                                       {"word/document.xml", std::string(40 << 20, ' '), true}})) ==
        "too_large");
  CHECK(outcome("lie.docx", make_zip({{"[Content_Types].xml", "x"},
                                      {"word/document.xml", "<w:p>" + std::string(5000, 'x'), true, 10}})) !=
        "none");
  CHECK(app->anybody().get("/health").status == 200);
}

TEST_CASE("DOCX, EPUB, HTML, Markdown and text in old encodings are read", "[G6][G7]") {
  auto app = TestApp::on(Database::sqlite, every_kind);
  auto reader = app->patron();
  const auto page = [&](std::int64_t id, int number) {
    const auto text = reader.get(at(id, fmt::format("/text?page={}&pages=1", number)));
    return std::string(text["pages"].at(0).at("text").as_string());
  };
  const auto letter = document(reader, "a.docx",
                               make_docx({"Dear reader,", "first page.", "\f", "Second page."}, "A letter"));
  CHECK(page(letter, 2).find("Second page.") != std::string::npos);
  CHECK(reader.get(at(letter))["title"] == "A letter");
  CHECK(reader.get(at(letter))["page_count"] == 2);
  const auto book = document(
      reader, "b.epub",
      make_epub("Two chapters", {"It began here.", "It ended &amp; was good."}, "\x89PNG\r\n\x1a\nrest"));
  CHECK(page(book, 2) == "It ended & was good.");
  CHECK(reader.get(at(book))["author"] == "Nobody");
  CHECK(reader.get(at(book, "/thumbnail")).status == 200);
  const auto web = document(reader, "c.html",
                            "<!doctype html><html lang=de><title>Seite</title><body><h1>Grüße</h1><p>Ein "
                            "<b>Wort</b>&nbsp;mehr.<script>alert('no')</script>");
  CHECK(page(web, 1) == "Grüße\n\nEin Wort mehr.");
  const auto notes = document(reader, "d.md", "# Title of it\n\nSome *words* here.");
  CHECK(reader.get(at(notes))["title"] == "Title of it");
  const auto latin = document(reader, "e.txt", "Ein sch\xF6ner Tag in K\xF6ln.\r\nMehr nicht.");
  CHECK(page(latin, 1) == "Ein schöner Tag in Köln.\nMehr nicht.");
  const auto wide = document(reader, "f.txt", std::string("\xFF\xFEH\0i\0 \0y\0o\0u\0.\0", 16));
  CHECK(page(wide, 1) == "Hi you.");
}

TEST_CASE("the same bytes are one document of a person and one file of all", "[G11][G12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(), other = app->patron(2);
  const auto first = document(reader, "a.pdf", whales);
  const auto again = upload(reader, "b.pdf", whales);
  CHECK(again.status == 200);
  CHECK(again.id() == first);
  CHECK(again["duplicate_of"] == first);
  const auto theirs = document(other, "c.pdf", whales);
  CHECK(theirs != first);
  CHECK(app->number("SELECT count(*) FROM blobs b WHERE b.sha256 = (SELECT sha256 FROM documents LIMIT 1)") ==
        1);
  CHECK(app->number("SELECT refs FROM blobs WHERE sha256 = (SELECT sha256 FROM documents LIMIT 1)") == 2);
  CHECK(reader.del(at(first)).status == 204);
  CHECK(other.get(at(theirs, "/content")).body == whales);
  CHECK(other.del(at(theirs)).status == 204);
  app->clock().advance(std::chrono::hours(2));
  CHECK(app->admin().post("/api/v1/admin/schedules/blobs.sweep/run").status < 300);
  CHECK(eventually([&] { return app->number("SELECT count(*) FROM blobs") == 0; }));
  const auto folder = std::filesystem::path(app->app().config().data_dir) / "blobs";
  CHECK(eventually([&] {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) return false;
    return true;
  }));
}

TEST_CASE("files that were damaged on the disk are named by luminalib verify", "[G12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  document(reader, "a.pdf", whales);
  auto& store = app->app().blobs();
  auto seen = store.verify();
  REQUIRE(seen);
  CHECK(seen->blobs == app->number("SELECT count(*) FROM blobs"));
  CHECK(seen->bytes >= static_cast<std::int64_t>(whales.size()));
  CHECK(seen->damages.empty());
  CHECK(cli::verify(app->app().config()) == 0);
  const auto digest = security::sha256_hex(whales);
  const auto path = store.path(digest);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  const auto write = [&](std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  };
  const auto damage = [&] {
    auto found = store.verify();
    REQUIRE(found);
    REQUIRE(found->damages.size() == 1);
    CHECK(found->damages[0].sha256 == digest);
    CHECK(cli::verify(app->app().config()) == 1);
    return found->damages[0].what;
  };
  auto other = whales;
  other[other.size() / 2] ^= 1;
  write(other);
  CHECK(damage() == "content");
  write(whales.substr(1));
  CHECK(damage() == "size");
  std::filesystem::remove(path);
  CHECK(damage() == "missing");
  write(whales);
  CHECK(cli::verify(app->app().config()) == 0);
  const auto stray = path.parent_path() / std::string(64, 'a');
  std::ofstream(stray) << "nobody's";
  std::filesystem::last_write_time(stray,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  CHECK(cli::verify(app->app().config()) == 1);
}

TEST_CASE("files are sent whole, in parts and in a sandbox, and readers are counted", "[G14][G17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(), other = app->patron(2);
  const auto id = document(reader, "Über whales.pdf", whales, {{"visibility", "public"}});
  const auto whole = other.get(at(id, "/content"));
  CHECK(whole.status == 200);
  CHECK(whole.body == whales);
  CHECK(whole.header("Content-Disposition").starts_with("attachment; filename=\""));
  CHECK(whole.header("Content-Disposition").find("filename*=UTF-8''%C3%9Cber%20") != std::string::npos);
  CHECK(whole.header("Content-Security-Policy").starts_with("sandbox"));
  CHECK(whole.header("X-Content-Type-Options") == "nosniff");
  const auto tag = whole.header("ETag");
  CHECK(other.get(at(id, "/content"), {{"If-None-Match", tag}}).status == 304);
  const auto part = other.get(at(id, "/download"), {{"Range", "bytes=5-9"}});
  CHECK(part.status == 206);
  CHECK(part.body == whales.substr(5, 5));
  CHECK(part.header("Content-Range") == fmt::format("bytes 5-9/{}", whales.size()));
  CHECK(other.get(at(id, "/content"), {{"Range", "bytes=-7"}}).body == whales.substr(whales.size() - 7));
  CHECK(other.get(at(id, "/content"), {{"Range", "bytes=99999999-"}}).status == 416);
  CHECK(other.get(at(id, "/content"), {{"Range", "bytes=5-9"}, {"If-Range", "\"x\""}}).status == 200);
  CHECK(other.get(at(id, "/view")).header("Content-Disposition").starts_with("inline"));
  const auto before = app->number("SELECT views * 100 + downloads FROM documents");
  CHECK(other.get(at(id, "/view"), {{"User-Agent", "SomeBot/1.0"}}).status == 200);
  CHECK(reader.get(at(id, "/content")).status == 200);
  CHECK(app->number("SELECT views * 100 + downloads FROM documents") == before);
  CHECK(app->number("SELECT views FROM documents") == 1);
  CHECK(reader.get("/api/v1/documents/popular")[0].at("id") == id);
}

TEST_CASE("a document can be shared, changed and taken back", "[G15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron(), other = app->patron(2);
  const auto id = document(owner, "a.pdf", whales);
  const auto grant = at(id, fmt::format("/grants/{}", other.user_id()));
  CHECK(other.get("/api/v1/documents/search?q=whale").size() == 0);
  CHECK(owner.put(at(id, "/grants/424242"), R"({"access":"view"})").status == 404);
  CHECK(other.put(grant, R"({"access":"edit"})").status == 404);
  CHECK(owner.put(grant, R"({"access":"view"})").size() == 1);
  CHECK(other.get(at(id)).status == 200);
  CHECK(other.get("/api/v1/documents").size() == 1);
  CHECK(other.get("/api/v1/documents/search?q=whale").size() > 0);
  CHECK(other.patch(at(id), R"({"title":"Mine"})").status == 403);
  CHECK(other.get(at(id, "/grants")).status == 403);
  CHECK(owner.put(grant, R"({"access":"edit"})").status == 200);
  CHECK(other.patch(at(id), R"({"title":"Better"})").status == 200);
  CHECK(other.patch(at(id), R"({"visibility":"public"})").status == 403);
  CHECK(other.del(at(id)).status == 403);
  CHECK(owner.get(at(id, "/grants"))[0].at("access") == "edit");
  CHECK(owner.del(grant).status == 204);
  CHECK(owner.del(grant).status == 404);
  CHECK(other.get(at(id)).status == 404);
  CHECK(other.get("/api/v1/documents/search?q=whale").size() == 0);
  CHECK(owner.patch(at(id), R"({"title":null})").status == 422);
  CHECK(owner.patch(at(id), R"({"title":"x"})", {{"If-Match", "\"1-0\""}}).status == 412);
  CHECK(owner.patch(at(id), R"({"visibility":"public"})").status == 200);
  CHECK(other.get("/api/v1/documents/search?q=whale").size() > 0);
}

TEST_CASE("a replaced file keeps its earlier versions", "[G10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron();
  const auto id = document(owner, "a.pdf", whales);
  const auto second = make_pdf({"The dolphin is a mammal as well."});
  auto [body, type] = make_form("b.pdf", second);
  const auto replaced = owner.put(at(id, "/file"), body, {{"Content-Type", type}});
  REQUIRE(replaced.status == 200);
  CHECK(replaced["current_version"] == 2);
  CHECK(settled(owner, id)["status"] == "ready");
  CHECK(owner.get("/api/v1/documents/search?q=dolphin").size() == 1);
  CHECK(owner.get("/api/v1/documents/search?q=Ahab").size() == 0);
  CHECK(owner.get(at(id, "/content?version=1")).body == whales);
  CHECK(owner.get(at(id, "/content?version=9")).status == 404);
  CHECK(owner.get(at(id, "/versions")).size() == 2);
  CHECK(owner.post(at(id, "/versions/7/restore")).status == 404);
  CHECK(owner.post(at(id, "/versions/1/restore"))["current_version"] == 3);
  CHECK(settled(owner, id)["status"] == "ready");
  CHECK(owner.get("/api/v1/documents/search?q=Ahab").size() == 1);
  const auto other = document(owner, "c.pdf", make_pdf({"Yet another one."}));
  CHECK(owner.put(at(other, "/file"), make_form("a.pdf", whales).first, {{"Content-Type", type}}).status ==
        409);
}

TEST_CASE("several files come and go at once", "[G16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron();
  auto [one, type] = make_form("a.pdf", whales);
  auto two = make_form("b.txt", "not allowed").first,
       three = make_form("c.pdf", make_pdf({"Third file."})).first;
  for (auto* part : {&one, &two}) part->resize(part->size() - std::string_view("--edge--\r\n").size());
  const auto accepted = owner.post("/api/v1/documents/batch", one + two + three, {{"Content-Type", type}});
  REQUIRE(accepted.status == 202);
  const auto task = fmt::format("/api/v1/tasks/{}", accepted["task_id"].as_string().c_str());
  REQUIRE(eventually([&] { return owner.get(task)["status"] == "succeeded"; }));
  const auto result = owner.get(task)["result"].as_array();
  REQUIRE(result.size() == 3);
  CHECK(result[1].at("error_code") == "wrong_kind");
  const auto first = result[0].at("document_id").as_int64(), last = result[2].at("document_id").as_int64();
  CHECK(settled(owner, last)["status"] == "ready");
  const auto gone =
      owner.post("/api/v1/documents/batch/delete", fmt::format(R"({{"ids":[{},{},4242]}})", first, last));
  REQUIRE(gone.size() == 3);
  CHECK(gone[2].at("error_code") == "not_found");
  CHECK(owner.get("/api/v1/documents").size() == 0);
}

TEST_CASE("a document outlives its owner", "[G29]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron();
  const auto id = document(owner, "a.pdf", whales, {{"visibility", "public"}});
  CHECK(owner.del("/api/v1/users/me").status == 204);
  const auto left = app->librarian().get(at(id));
  CHECK(left.status == 200);
  CHECK(left["user_id"].is_null());
  CHECK(app->patron(2).get(at(id, "/content")).body == whales);
}

TEST_CASE("a book's file is read while the book is on loan", "[G31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Moby Dick", "Herman Melville");
  const auto id = document(app->librarian(), "moby.pdf", whales,
                           {{"book_id", std::to_string(book)}, {"visibility", "borrowers"}});
  auto reader = app->patron();
  CHECK(reader.get(at(id, "/content")).status == 403);
  CHECK(reader.get(at(id, "/content")).code() == "loan_needed");
  CHECK(reader.get("/api/v1/documents/search?q=whale").size() == 0);
  CHECK(reader.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  CHECK(reader.get(at(id, "/content"), {{"Range", "bytes=0-3"}}).status == 206);
  CHECK(reader.get("/api/v1/documents/search?q=whale").size() > 0);
  CHECK(reader.post(fmt::format("/api/v1/borrows/{}/return", book)).status == 200);
  CHECK(reader.get(at(id, "/content")).status == 403);
  CHECK(reader.get("/api/v1/documents/search?q=whale").size() == 0);
}

TEST_CASE("a book's file goes with its loan when the book becomes part of another", "[G31][B32]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto from = app->book("Moby-Dick", "Melville, Herman");
  const auto into = app->book("Moby Dick", "Herman Melville");
  const auto id = document(app->librarian(), "moby.pdf", whales,
                           {{"book_id", std::to_string(from)}, {"visibility", "borrowers"}});
  auto reader = app->patron();
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", from)).status == 201);
  const auto merged =
      app->librarian().post("/api/v1/books/merge", fmt::format(R"({{"into":{},"from":[{}]}})", into, from));
  REQUIRE(merged.status == 200);
  CHECK(reader.get(at(id, "/content")).status == 200);
  CHECK(reader.get(at(id))["book_id"] == into);
  CHECK(reader.get("/api/v1/documents/search?q=whale").size() > 0);
  REQUIRE(app->librarian().post(fmt::format("/api/v1/admin/change-sets/{}/undo", merged.id())).status == 200);
  CHECK(reader.get(at(id, "/content")).status == 200);
  CHECK(reader.get(at(id))["book_id"] == from);
}
