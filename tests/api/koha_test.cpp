// Moving in from Koha: patrons, items and loans, once however often the files are run.
#include "cli/koha_import.hpp"
#include "cli/koha_table.hpp"
#include "support/eventually.hpp"
#include "support/smtp_peer.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace lumina;
using namespace lumina::test;
using cli::KohaFiles;

namespace {

class Files {
 public:
  Files() {
    static int count = 0;
    folder_ = std::filesystem::temp_directory_path() / fmt::format("lumina-koha-{}-{}", ::getpid(), ++count);
    std::filesystem::create_directories(folder_);
    files.patrons =
        write("patrons.csv",
              "borrowernumber,cardnumber,surname,firstname,email,categorycode,password\n"
              "1,23529000035676,Lovelace,Ada,ada@example.org,ADULT,$2a$08$abcdefghijklmnopqrstuv\n"
              "2,23529000035677,\"Müller, geb. Meier\",Zoë,zoe@example.org,KIDS,\n"
              "3,,Nobody,,nobody@example.org,ADULT,\n"
              "4,23529000035679,Addressless,Al,,ADULT,\n"
              "5,23529000035680,Copycat,Cat,ADA@example.org,ADULT,\n");
    files.items = write("items.csv",
                        "barcode,title,author,isbn,copyrightdate,itype,homebranch,itemlost,withdrawn\n"
                        "39999000001,Emma,Jane Austen,9780141439587,1815,BK,CPL,0,0\n"
                        "39999000002,Emma,Jane Austen,9780141439587,1815,BK,MPL,0,0\n"
                        "39999000003,Persuasion,Jane Austen,,1817,BK,CPL,1,0\n"
                        ",Without barcode,Somebody,,,BK,CPL,0,0\n"
                        "39999000005,,Somebody,,,BK,CPL,0,0\n");
    files.loans = write("loans.csv",
                        "issue_id,cardnumber,barcode,issuedate,date_due,returndate\n"
                        "1,23529000035676,39999000001,2026-11-10 10:30:00,2026-11-24 23:59:00,\n"
                        "2,23529000035677,39999000002,2026-10-01 09:00:00,2026-10-15,2026-10-14 12:00:00\n"
                        "3,99,39999000001,2026-11-10 10:30:00,2026-11-24 23:59:00,\n"
                        "4,23529000035677,nothing,2026-11-10 10:30:00,2026-11-24 23:59:00,\n"
                        "5,23529000035677,39999000002,2026-11-10,2026-11-01,\n"
                        "6,23529000035677,39999000001,2026-11-11 10:30:00,2026-11-25 23:59:00,\n");
    files.mapping = write("mapping.toml",
                          "[categories]\nADULT = \"adult\"\nKIDS = \"child\"\n"
                          "[item_types]\nBK = \"book\"\n"
                          "[options]\ntime_zone = \"Europe/Berlin\"\n");
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  KohaFiles files;

 private:
  std::filesystem::path folder_;
};

cli::KohaReport moved(TestApp& app, const KohaFiles& files) {
  auto report = cli::import_koha(app.app(), files);
  if (!report) FAIL(report.error().detail);
  return std::move(*report);
}
std::string counts(const cli::KohaReport& report) {
  std::string out;
  for (const auto& c : report.counts)
    out += fmt::format("{}{} {}/{}/{}/{}/{}", out.empty() ? "" : "; ", c.what, c.rows, c.created, c.updated,
                       c.unchanged, c.refused);
  return out;
}
std::vector<std::int64_t> tables(TestApp& app) {
  std::vector<std::int64_t> all;
  for (const std::string table : {"users", "library_cards", "patrons", "patron_categories", "books", "copies",
                                  "branches", "borrows", "audit_log", "outbox"})
    all.push_back(app.number("SELECT count(*) FROM " + table));
  return all;
}

}  // namespace

TEST_CASE("patrons, items and loans move in once, and faults are told by line", "[L15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto desk = app->librarian();
  const Files files;
  const auto first = moved(*app, files.files);
  CHECK(counts(first) == "patrons 5/2/0/0/3; items 5/3/0/0/2; loans 6/2/0/0/4");
  std::vector<std::string> faults;
  for (const auto& f : first.faults) faults.push_back(fmt::format("{} {}: {}", f.file, f.line, f.what));
  CHECK(faults == std::vector<std::string>{
                      "patrons 4: the card number is missing or too long",
                      "patrons 5: there is no e-mail address; options.email_domain can stand in",
                      "patrons 6: ADA@example.org belongs to the card 23529000035676",
                      "items 5: the barcode is missing", "items 6: the title is missing",
                      "loans 4: nobody has the card 99", "loans 5: no copy has the barcode nothing",
                      "loans 6: it was due before it was lent",
                      "loans 7: This copy is on loan; take it back first"});

  const auto ada = desk.get("/api/v1/circulation/patrons/" +
                            std::to_string(app->number("SELECT user_id FROM library_cards WHERE card_number "
                                                       "= '23529000035676'")));
  CHECK(ada["full_name"] == "Ada Lovelace");
  CHECK(ada["email"] == "ada@example.org");
  CHECK(ada["category"] == "adult");
  CHECK(app->number("SELECT count(*) FROM users WHERE full_name = 'Zoë Müller, geb. Meier'") == 1);
  CHECK(app->number("SELECT count(*) FROM books WHERE title = 'Emma'") == 1);
  CHECK(app->number("SELECT copies_total FROM book_stats s JOIN books b ON b.id = s.book_id "
                    "WHERE b.title = 'Emma'") == 2);
  CHECK(desk.get("/api/v1/copies?barcode=39999000003")[0].at("status") == "lost");
  CHECK(app->number("SELECT count(*) FROM branches WHERE code IN ('CPL', 'MPL')") == 2);

  const auto open = desk.get("/api/v1/borrows/all?status=active");
  REQUIRE(open.size() == 1);
  CHECK(open[0].at("borrow_date") == "2026-11-10T09:30:00Z");  // Berlin's clocks
  CHECK(open[0].at("due_date") == "2026-11-24T22:59:00Z");
  const auto closed = desk.get("/api/v1/borrows/all?status=returned");
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].at("due_date") == "2026-10-15T21:59:59Z");
  CHECK(closed[0].at("return_date") == "2026-10-14T10:00:00Z");

  // Again: nothing changes, and nobody hears of what is long past.
  const auto before = tables(*app);
  const auto second = moved(*app, files.files);
  CHECK(counts(second) == "patrons 5/0/0/2/3; items 5/0/0/3/2; loans 6/0/0/2/4");
  CHECK(tables(*app) == before);
  CHECK(app->number("SELECT count(*) FROM notifications") == 0);

  // A later report: a new name, and the loan came back.
  auto later = files.files;
  later.items.clear();
  later.patrons = files.write("later.csv",
                              "cardnumber,surname,firstname,email,categorycode\n"
                              "23529000035676,King,Ada,ada@example.org,ADULT\n");
  later.loans =
      files.write("later_loans.csv",
                  "cardnumber,barcode,issuedate,date_due,returndate\n"
                  "23529000035676,39999000001,2026-11-10 10:30:00,2026-11-24 23:59:00,2026-11-20\n");
  CHECK(counts(moved(*app, later)) == "patrons 1/0/1/0/0; loans 1/0/1/0/0");
  CHECK(desk.get("/api/v1/borrows/all?status=active").size() == 0);
}

TEST_CASE("a dry run tells the same and leaves no trace", "[L15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->librarian();
  Files files;
  files.files.dry_run = true;
  const auto before = tables(*app);
  const auto writes = app->app().database().statistics().writes;
  const auto dry = moved(*app, files.files);
  CHECK(counts(dry) == "patrons 5/2/0/0/3; items 5/3/0/0/2; loans 6/2/0/0/4");
  CHECK(tables(*app) == before);
  // On SQLite nobody has to wait for it: it writes into a copy, which is gone.
  if (app->app().database().dialect() == db::Dialect::sqlite) {
    CHECK(app->app().database().statistics().writes == writes);
    for (const auto& entry : std::filesystem::directory_iterator(app->app().config().data_dir))
      CHECK(entry.path().string().find(".trial-") == std::string::npos);
  }
  files.files.dry_run = false;
  CHECK(counts(moved(*app, files.files)) == counts(dry));
}

TEST_CASE("accounts that moved in are opened by a reset, not by any password", "[L15][A12]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), [&](config::Config& c) {
    c.mail_host = "127.0.0.1";
    c.mail_port = peer.port();
    c.mail_security = config::MailSecurity::none;
    c.mail_from = "library@example.org";
    c.public_url = "https://library.example";
  });
  Files files;
  files.files.invite = true;
  const auto report = moved(*app, files.files);
  CHECK(report.invited == 2);
  REQUIRE(peer.has(2));
  for (const std::string password : {"!", "", "$2a$08$abcdefghijklmnopqrstuv"})
    CHECK(app->anybody()
              .post("/api/v1/auth/login",
                    fmt::format(R"({{"email":"ada@example.org","password":"{}"}})", password))
              .status >= 400);
  std::string mail;
  for (const auto& m : peer.received())
    if (m.to == "ada@example.org") mail = m.text();
  CHECK(mail.find("made an account for you") != std::string::npos);
  const auto token = mail.substr(mail.find("#token=") + 7, 43);
  app->clock().advance(std::chrono::hours(24 * 6));
  REQUIRE(app->anybody()
              .post("/api/v1/auth/password-reset/confirm",
                    fmt::format(R"({{"token":"{}","new_password":"another quiet room"}})", token))
              .status == 204);
  app->login("ada@example.org", "another quiet room");
  CHECK(moved(*app, files.files).invited == 0);
  CHECK(peer.received().size() == 2);
}

TEST_CASE("files and mappings that cannot be used are told before anything is changed", "[L15]") {
  auto app = TestApp::on(Database::sqlite);
  const Files files;
  const auto why = [&](KohaFiles wanted) {
    const auto report = cli::import_koha(app->app(), wanted);
    return report ? std::string() : report.error().detail;
  };
  KohaFiles wanted;
  wanted.patrons = "/nowhere/patrons.csv";
  CHECK(why(wanted).find("cannot be read") != std::string::npos);
  wanted.patrons = files.write("odd.csv", "name,card\nAda,1\n");
  CHECK(why(wanted).find("has no column cardnumber") != std::string::npos);
  wanted.patrons = files.write("empty.csv", "");
  CHECK(why(wanted).find("is empty") != std::string::npos);
  wanted.patrons = files.files.patrons;
  const std::vector<std::pair<std::string, std::string>> faults{
      {"[patrons]\ncolour = \"x\"\n", "patrons.colour has no meaning"},
      {"[options]\ntime_zone = \"Nowhere/Here\"\n", "options.time_zone has no meaning"},
      {"[categories\n", "mapping.toml:1"},
      {"[categories]\nA = 1\n", "must be a text"}};
  for (const auto& [text, part] : faults) {
    wanted.mapping = files.write("mapping.toml", text);
    CHECK(why(wanted).find(part) != std::string::npos);
  }
  CHECK(app->number("SELECT count(*) FROM users") == 0);
  wanted.mapping = files.write("mapping.toml",
                               "[patrons]\nlast_name = \"name\"\ncard_number = \"card\"\n"
                               "[options]\nemail_domain = \"cards.example.org\"\n");
  wanted.patrons = files.write("odd.csv", "name;card\r\nAda;1\r\n\r\nBob;2\r\n");
  CHECK(why(wanted).empty());
  CHECK(app->number(
            "SELECT count(*) FROM users WHERE email IN ('1@cards.example.org', '2@cards.example.org')") == 2);
}

TEST_CASE("Koha's times are those of the library's clocks", "[L15]") {
  const auto berlin = *TimeZone::find("Europe/Berlin");
  const auto at = [&](std::string_view text, bool ends = false) {
    const auto t = cli::koha_time(text, berlin, ends);
    return t ? to_rfc3339(*t) : std::string();
  };
  CHECK(at("2026-11-22 10:00:00") == "2026-11-22T09:00:00Z");
  CHECK(at("2026-06-22T10:00") == "2026-06-22T08:00:00Z");
  CHECK(at("2026-11-22") == "2026-11-21T23:00:00Z");
  CHECK(at("2026-11-22", true) == "2026-11-22T22:59:59Z");
  CHECK(at("2026-11-22T10:00:00Z") == "2026-11-22T10:00:00Z");
  CHECK(at("2026-11-22T10:00:00-05:00") == "2026-11-22T15:00:00Z");
  for (const auto* wrong : {"", "22/11/2026", "2026-13-01", "2026-11-22 25:00:00", "2026-11-22 10", "x"})
    CHECK(at(wrong).empty());
}
