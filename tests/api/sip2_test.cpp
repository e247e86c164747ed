// Self-check machines over real sockets, on the application's own services.
#include "core/http/io_threads.hpp"
#include "core/sip2/listener.hpp"
#include "core/sip2/message.hpp"
#include "support/test_app.hpp"
#include "wire/client.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view when = "20261122    100000";

// Up to the next carriage return; empty when the server hangs up. Answers come one at a time.
std::string line_of(wire::Client& wire) {
  if (!wire.reads("\r")) return {};
  const auto text = wire.unread();
  wire.forget();
  return text.substr(0, text.find('\r'));
}

// A terminal at a port, with error detection.
class Machine {
 public:
  explicit Machine(std::uint16_t port, const char* from = "127.0.0.1") : wire_(port, from) {}

  // Nothing when the server hung up.
  std::optional<sip2::Message> say(std::string line) {
    line += fmt::format("AY{}AZ", number_);
    line += sip2::checksum(line);
    number_ = number_ == '9' ? '0' : static_cast<char>(number_ + 1);
    wire_.send(line + "\r");
    return heard();
  }
  std::optional<sip2::Message> heard() {
    const auto line = line_of(wire_);
    if (line.empty()) return {};
    auto message = sip2::parse(line);
    REQUIRE(message);
    return std::move(*message);
  }
  wire::Client& wire() { return wire_; }
  std::string login(std::string_view email, std::string_view password = TestApp::password,
                    std::string_view branch = "") {
    const auto answer = say(
        fmt::format("9300CN{}|CO{}|{}", email, password, branch.empty() ? "" : fmt::format("CP{}|", branch)));
    return answer ? answer->code + answer->fixed : "gone";
  }

 private:
  wire::Client wire_;
  char number_ = '0';
};

struct Library {
  explicit Library(Database kind, const TestApp::Configure& configure = {},
                   sip2::ListenerOptions options = {})
      : app(TestApp::on(kind, configure)) {
    options.listen = {{"127.0.0.1", 0}};
    listener = std::make_unique<sip2::Listener>(io, std::move(options), app->app().self_check());
    listener->start();
    io.start();
  }
  ~Library() {
    listener->stop(1s);
    listener.reset();
    io.stop();
  }
  Machine machine() { return Machine(listener->ports().front()); }
  // Signed in as the librarian.
  Machine desk() {
    app->librarian();
    auto m = machine();
    REQUIRE(m.login("librarian@example.org") == "941");
    return m;
  }
  std::string barcode(std::int64_t book, std::size_t which = 0) {
    const auto copies = app->anybody().get(fmt::format("/api/v1/books/{}/copies", book));
    return std::string(copies[which].at("barcode").as_string());
  }

  http::IoThreads io{2};
  std::unique_ptr<TestApp> app;
  std::unique_ptr<sip2::Listener> listener;
};

std::string checkout(std::string_view patron, std::string_view barcode, std::string_view more = "",
                     std::string_view flags = "NN") {
  return fmt::format("11{}{}{}AOluminalib|AA{}|AB{}|AC|{}", flags, when, when, patron, barcode, more);
}
std::string checkin(std::string_view barcode) {
  return fmt::format("09N{}{}AP|AOluminalib|AB{}|AC|", when, when, barcode);
}
std::string renewal(std::string_view patron, std::string_view barcode) {
  return fmt::format("29NN{}{}AOluminalib|AA{}|AB{}|", when, when, patron, barcode);
}
std::string information(std::string_view patron, std::string_view more = "",
                        std::string_view summary = "          ") {
  return fmt::format("63000{}{}AOluminalib|AA{}|AC|{}", when, summary, patron, more);
}
std::string with_password(std::string_view more = "") {
  return fmt::format("AD{}|{}", TestApp::password, more);
}

}  // namespace

TEST_CASE("a machine signs in, shows a person, lends, renews, takes money and takes back", "[D24][L8]") {
  Library library(GENERATE(from_databases()));
  auto& app = *library.app;
  auto librarian = app.librarian();
  const auto reader = app.patron(1);
  REQUIRE(
      librarian
          .put(fmt::format("/api/v1/circulation/patrons/{}", reader.user_id()), R"({"card_number":"CARD-1"})")
          .status == 200);
  const auto emma = app.book("Emma", "Jane Austen"), dracula = app.book("Dracula", "Bram Stoker");
  const auto barcode = library.barcode(emma);
  auto machine = library.desk();
  CHECK(app.number("SELECT count(*) FROM audit_log WHERE action = 'terminal.signed_in'") == 1);

  const auto status = machine.say("9900302.00");
  REQUIRE(status);
  CHECK(status->code == "98");
  CHECK(status->fixed == "YYYYYY30000320261122    1000002.00");
  CHECK(status->field("AO") == "luminalib");
  CHECK(status->field("BX").size() == 16);

  const auto item = machine.say(fmt::format("17{}AOluminalib|AB{}|", when, barcode));
  REQUIRE(item);
  CHECK(item->code == "18");
  CHECK(item->fixed.substr(0, 2) == "03");
  CHECK(item->field("AJ") == "Emma");
  CHECK(machine.say(fmt::format("17{}AOluminalib|ABnothing|", when))->field("AF") ==
        "No copy has this barcode");

  // Without the password only that there is such a person.
  const auto stranger = machine.say(information("CARD-1"));
  REQUIRE(stranger);
  CHECK(stranger->field("BL") == "Y");
  CHECK(stranger->field("CQ") == "N");
  CHECK(stranger->field("AE").empty());
  CHECK_FALSE(stranger->has("BE"));
  CHECK(machine.say(checkout("CARD-1", barcode))->fixed.substr(0, 1) == "0");
  CHECK(machine.say(information("CARD-1", "ADwrong|"))->field("CQ") == "N");
  CHECK(machine.say(information("nobody"))->field("BL") == "N");

  const auto known = machine.say(information("CARD-1", with_password()));
  REQUIRE(known);
  CHECK(known->field("CQ") == "Y");
  CHECK(known->field("AE") == "Patron 1");
  CHECK(known->field("BE") == "patron1@example.org");
  CHECK(known->part(0, 14) == std::string(14, ' '));

  // Proven once, the password is not needed again while the person stands there.
  const auto lent = machine.say(checkout("CARD-1", barcode));
  REQUIRE(lent);
  CHECK(lent->code == "12");
  CHECK(lent->fixed.substr(0, 4) == "1NNY");
  CHECK(lent->field("AJ") == "Emma");
  CHECK(lent->field("AH") == "20261206    100000");
  CHECK(app.number("SELECT user_id FROM borrows") == reader.user_id());
  CHECK(app.number("SELECT user_id FROM audit_log WHERE action = 'borrow.created'") == librarian.user_id());
  CHECK(machine.say(fmt::format("17{}AOluminalib|AB{}|", when, barcode))->fixed.substr(0, 2) == "04");
  CHECK(machine.say(checkout("CARD-1", barcode))->fixed.substr(0, 1) == "0");
  REQUIRE(machine.say(checkout("CARD-1", library.barcode(dracula)))->fixed.substr(0, 1) == "1");

  app.clock().advance(24h);
  const auto renewed = machine.say(renewal("CARD-1", barcode));
  REQUIRE(renewed);
  CHECK(renewed->code == "30");
  CHECK(renewed->fixed.substr(0, 2) == "1Y");
  CHECK(renewed->field("AH") == "20261207    100000");
  // The same by the way of a loan, where the machine may.
  CHECK(machine.say(checkout("CARD-1", barcode, "", "YN"))->fixed.substr(0, 2) == "1Y");
  const auto all = machine.say(fmt::format("65{}AOluminalib|AACARD-1|", when));
  REQUIRE(all);
  CHECK(all->fixed.substr(0, 9) == "100020000");

  const auto listed = machine.say(information("CARD-1", "", "  Y       "));
  REQUIRE(listed);
  CHECK(listed->part(35, 24) == "000000000002000000000000");
  CHECK(listed->fields.size() > 2);
  CHECK(listed->field("AU") == barcode);
  CHECK(machine.say(information("CARD-1", "BP2|BQ9|", "  Y       "))->field("AU") ==
        library.barcode(dracula));

  // Money: for one fine, for what is owed, never more, and once for a receipt.
  const auto fine = app.librarian().post(
      "/api/v1/fines",
      fmt::format(R"({{"user_id":{},"kind":"damage","amount_minor":350,"note":"wet"}})", reader.user_id()));
  REQUIRE(fine.status == 201);
  const auto pay = [&](std::string_view amount, std::string_view more = "",
                       std::string_view currency = "EUR") {
    return machine.say(fmt::format("37{}0100{}BV{}|AOluminalib|AACARD-1|{}", when, currency, amount, more));
  };
  CHECK(pay("4.00")->fixed.substr(0, 1) == "N");
  CHECK(pay("x")->fixed.substr(0, 1) == "N");
  CHECK(pay("1.00", "", "USD")->fixed.substr(0, 1) == "N");
  CHECK(pay("1.00", "CG4711|")->fixed.substr(0, 1) == "N");
  const auto paid = pay("1.50", fmt::format("CG{}|BKr-1|", fine.id()));
  REQUIRE(paid);
  CHECK(paid->code == "38");
  CHECK(paid->fixed.substr(0, 1) == "Y");
  CHECK(pay("1.50", fmt::format("CG{}|BKr-1|", fine.id()))->fixed.substr(0, 1) == "Y");
  CHECK(machine.say(information("CARD-1"))->field("BV") == "2.00");
  CHECK(pay("2.00")->fixed.substr(0, 1) == "Y");
  CHECK(app.number("SELECT sum(amount_minor) FROM ledger_lines") == 0);

  const auto back = machine.say(checkin(barcode));
  REQUIRE(back);
  CHECK(back->code == "10");
  CHECK(back->fixed.substr(0, 4) == "1YNN");
  CHECK(machine.say(checkin(barcode))->fixed.substr(0, 4) == "0NNY");

  CHECK(machine.say(fmt::format("35{}AOluminalib|AACARD-1|", when))->fixed.substr(0, 1) == "Y");
  CHECK(machine.say(checkout("CARD-1", barcode))->field("AF") == "Please enter your password");
  CHECK(machine.say(checkout("CARD-1", barcode, with_password()))->fixed.substr(0, 1) == "1");
}

TEST_CASE("a copy that somebody waits for is put aside, holds are placed and given up at the machine",
          "[D24][L8]") {
  Library library(GENERATE(from_databases()), [](config::Config& c) { c.sip2_patron_password = false; });
  auto& app = *library.app;
  app.patron(1);
  auto second = app.patron(2);
  const auto barcode = library.barcode(app.book());
  auto machine = library.desk();
  REQUIRE(machine.say(checkout("patron1@example.org", barcode))->fixed.substr(0, 1) == "1");
  const auto hold = [&](char mode) {
    return machine.say(fmt::format("15{}{}AOluminalib|AApatron2@example.org|AB{}|", mode, when, barcode));
  };
  const auto placed = hold('+');
  REQUIRE(placed);
  CHECK(placed->code == "16");
  CHECK(placed->fixed.substr(0, 2) == "1N");
  CHECK(placed->field("BR") == "1");
  CHECK(hold('+')->fixed.substr(0, 1) == "0");
  CHECK(hold('*')->fixed.substr(0, 1) == "0");
  CHECK(hold('-')->fixed.substr(0, 1) == "1");
  CHECK(hold('-')->fixed.substr(0, 1) == "0");
  REQUIRE(hold('+')->fixed.substr(0, 1) == "1");

  CHECK(machine.say(renewal("patron2@example.org", barcode))->fixed.substr(0, 1) == "0");
  const auto back = machine.say(checkin(barcode));
  REQUIRE(back);
  CHECK(back->fixed.substr(0, 4) == "1YNY");
  CHECK(back->field("CV") == "01");
  CHECK(machine.say(fmt::format("17{}AOluminalib|AB{}|", when, barcode))->fixed.substr(0, 2) == "08");
  CHECK(machine.say(information("patron2@example.org", "", "Y         "))->field("AS") == "Emma");
  // Kept for somebody: nobody else gets it, and no machine sets that aside.
  CHECK(machine.say(checkout("patron1@example.org", barcode))->fixed.substr(0, 1) == "0");
  CHECK(machine.say(checkout("patron2@example.org", barcode))->fixed.substr(0, 1) == "1");
  CHECK(app.number("SELECT count(*) FROM holds WHERE status = 'fulfilled'") == 1);
  CHECK(second.user_id() == app.number("SELECT user_id FROM borrows WHERE return_date IS NULL"));
}

TEST_CASE("a blocked card borrows nothing until staff lift the block", "[D24][L8]") {
  Library library(GENERATE(from_databases()), [](config::Config& c) { c.sip2_patron_password = false; });
  auto& app = *library.app;
  const auto reader = app.patron(1);
  const auto barcode = library.barcode(app.book());
  auto machine = library.desk();
  const auto blocked = machine.say(fmt::format("01Y{}AOluminalib|ALretained|AApatron1@example.org|", when));
  REQUIRE(blocked);
  CHECK(blocked->code == "24");
  CHECK(blocked->part(0, 4) == "YYYY");
  CHECK(machine.say(fmt::format("23000{}AOluminalib|AApatron1@example.org|", when))->part(0, 4) == "YYYY");
  CHECK(machine.say(checkout("patron1@example.org", barcode))->fixed.substr(0, 1) == "0");
  REQUIRE(app.librarian().del(fmt::format("/api/v1/users/{}/blocks", reader.user_id())).status == 204);
  CHECK(machine.say(checkout("patron1@example.org", barcode))->fixed.substr(0, 1) == "1");
}

TEST_CASE("what a machine did without a connection is told once and done at its own times",
          "[D24][L8][D25]") {
  Library library(GENERATE(from_databases()));
  auto& app = *library.app;
  app.patron(1);
  const auto barcode = library.barcode(app.book());
  auto machine = library.desk();
  const std::string line =
      fmt::format("11NY20261121    18000020261201    180000AOluminalib|AApatron1@example.org|AB{}|", barcode);
  const auto told = machine.say(line);
  REQUIRE(told);
  CHECK(told->fixed.substr(0, 1) == "1");
  CHECK(told->field("AH") == "20261201    180000");
  CHECK(app.number("SELECT borrow_date FROM borrows") == 1795284000000);
  CHECK(machine.say(line)->fixed.substr(0, 1) == "1");
  CHECK(app.number("SELECT count(*) FROM borrows") == 1);
  const auto conflict =
      fmt::format("11NY20261121    19000020261201    180000AOluminalib|AApatron2@example.org|AB{}|", barcode);
  CHECK(machine.say(conflict)->fixed.substr(0, 1) == "0");
  CHECK(machine.say(conflict)->fixed.substr(0, 1) == "0");
  CHECK(app.number("SELECT count(*) FROM offline_transactions WHERE outcome = 'conflict'") == 1);
  const auto back =
      machine.say(fmt::format("09Y20261122    08000020261122    080000AP|AOluminalib|AB{}|", barcode));
  REQUIRE(back);
  CHECK(back->fixed.substr(0, 1) == "1");
  CHECK(app.number("SELECT count(*) FROM borrows WHERE return_date IS NULL") == 0);
}

TEST_CASE("only an account that may lend signs in, at a branch that there is, and loses it at once",
          "[D24][L8]") {
  Library library(GENERATE(from_databases()));
  auto& app = *library.app;
  auto librarian = app.librarian();
  app.patron(1);
  auto machine = library.machine();
  CHECK(machine.login("patron1@example.org") == "940");
  CHECK(machine.login("librarian@example.org", TestApp::password, "NOWHERE") == "940");
  REQUIRE(librarian.post("/api/v1/branches", R"({"code":"EAST","name":"East"})").status == 201);
  CHECK(machine.login("librarian@example.org", TestApp::password, "EAST") == "941");
  CHECK(machine.say("9900302.00")->field("AN") == "EAST");
  CHECK(machine.say(fmt::format("17{}AOother|ABx|", when))->code == "18");
  CHECK(machine.say(fmt::format("11NN{}{}AOother|AApatron1@example.org|ABx|{}", when, when, with_password()))
            ->field("AF") == "This machine is set up for another library");

  // A third wrong password in a row ends the connection.
  auto guesser = library.machine();
  CHECK(guesser.login("librarian@example.org", "wrong one") == "940");
  CHECK(guesser.login("librarian@example.org", "wrong two") == "940");
  CHECK(guesser.login("nobody@example.org", "wrong three") == "940");
  CHECK_FALSE(guesser.heard());

  // Demoted: the open connection is of no use any more.
  REQUIRE(app.admin()
              .put(fmt::format("/api/v1/users/{}/role", librarian.user_id()), R"({"role":"patron"})")
              .status == 200);
  CHECK_FALSE(machine.say("9900302.00"));
}

TEST_CASE("guessing passwords at a machine is slowed down, for each person", "[D24][L8]") {
  Library library(Database::sqlite, [](config::Config& c) { c.login_rate = 3; });
  auto& app = *library.app;
  app.patron(1);
  app.patron(2);
  auto machine = library.desk();
  for (int i = 0; i < 3; ++i)
    CHECK(machine.say(information("patron1@example.org", "ADwrong|"))->field("CQ") == "N");
  // The right one comes too late, but the next person in the queue is not kept out.
  CHECK(machine.say(information("patron1@example.org", with_password()))->field("CQ") == "N");
  CHECK(machine.say(information("patron2@example.org", with_password()))->field("CQ") == "Y");
}

TEST_CASE("garbage, silence and too many connections end cleanly", "[D24][L8]") {
  sip2::ListenerOptions options;
  options.connections = 2;
  options.login_time = 500ms;
  options.line_time = 500ms;
  Library library(Database::sqlite, {}, options);
  const auto closed = [&](std::string_view octets) {
    auto machine = library.machine();
    machine.wire().send(octets);
    return line_of(machine.wire()).empty();
  };
  CHECK(closed("GET / HTTP/1.1\r\n\r\n"));
  CHECK(closed(std::string_view("\0\x01\xFF\r", 4)));
  CHECK(closed(std::string(8000, 'x')));
  CHECK(closed("9900302.00\r"));  // before the login
  CHECK(closed("93"));            // and then nothing
  CHECK(closed(""));

  library.app->librarian();
  auto desk = library.machine();
  REQUIRE(desk.login("librarian@example.org") == "941");
  // A damaged line is asked for again, three times in a row end it.
  desk.wire().send("9900302.00AY5AZ0000\r");
  CHECK(line_of(desk.wire()) == "96AZFEF6");
  desk.wire().send("97\r");
  CHECK(line_of(desk.wire()).starts_with("941"));
  CHECK(desk.say("9900302.00")->code == "98");
  auto second = library.machine();
  auto third = library.machine();
  CHECK(line_of(third.wire()).empty());
  CHECK(library.listener->open() <= 2);
  for (int i = 0; i < 2; ++i) {
    desk.wire().send("zzzz\r");
    CHECK(line_of(desk.wire()) == "96AZFEF6");
  }
  desk.wire().send("zzzz\r");
  CHECK(line_of(desk.wire()).empty());
}
