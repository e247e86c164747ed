// Mails that really go out: resets, new addresses, the test button, retries, and what stands in the database.
#include "core/mail/mailer.hpp"
#include "support/eventually.hpp"
#include "support/smtp_peer.hpp"
#include "support/test_app.hpp"
#include "wire/certificate.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

TestApp::Configure mailing_by(const SmtpPeer& peer) {
  return [port = peer.port()](config::Config& c) {
    c.mail_host = "127.0.0.1";
    c.mail_port = port;
    c.mail_security = config::MailSecurity::none;
    c.mail_from = "library@example.org";
    c.mail_from_name = "City Library";
    c.mail_reply_to = "desk@example.org";
    c.public_url = "https://library.example";
    c.mail_timeout_seconds = 20;
  };
}

Answer ask_reset(TestApp& app, std::string_view email) {
  return app.anybody().post("/api/v1/auth/password-reset", fmt::format(R"({{"email":"{}"}})", email));
}
std::string token_in(const std::string& text) {
  const auto at = text.find("#token=");
  return at == std::string::npos ? "" : text.substr(at + 7, 43);
}
std::int64_t waiting(TestApp& app) {
  return app.number("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')");
}

}  // namespace

TEST_CASE("a forgotten password is reset with the token from the mail", "[A12][I9]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1);
  CHECK(ask_reset(*app, "patron1@example.org").status == 202);
  REQUIRE(peer.has(1));
  const auto mail = peer.received()[0];
  CHECK(mail.from == "library@example.org");
  CHECK(mail.to == "patron1@example.org");
  CHECK(mail.header("From") == "\"City Library\" <library@example.org>");
  CHECK(mail.header("Reply-To") == "<desk@example.org>");
  CHECK(mail.header("Subject") == "Choose a new password");
  CHECK(mail.text().find("https://library.example/reset-password#token=") != std::string::npos);
  const auto token = token_in(mail.text());
  REQUIRE(token.size() == 43);
  CHECK(mail.part("html").find("href=\"https://library.example/reset-password#token=" + token) !=
        std::string::npos);

  // Once it was sent, and before, the database does not hold the token.
  REQUIRE(eventually([&] { return app->number("SELECT count(*) FROM mails WHERE status = 'sent'") == 1; }));
  CHECK(app->number("SELECT count(*) FROM mails WHERE sealed IS NOT NULL") == 0);
  const auto holds = [&](std::string_view what) {
    return app->number(fmt::format("SELECT count(*) FROM jobs WHERE payload LIKE '%{0}%' OR result LIKE "
                                   "'%{0}%'",
                                   what)) +
           app->number(fmt::format("SELECT count(*) FROM audit_log WHERE detail LIKE '%{}%'", what)) +
           app->number(fmt::format("SELECT count(*) FROM outbox WHERE payload LIKE '%{}%'", what));
  };
  CHECK(holds(token) == 0);
  CHECK(holds("patron1@example.org") == 0);

  const auto confirm = [&] {
    return app->anybody().post("/api/v1/auth/password-reset/confirm",
                               fmt::format(R"({{"token":"{}","new_password":"another quiet room"}})", token));
  };
  CHECK(confirm().status == 204);
  CHECK(confirm().code() == "invalid_reset_token");
  CHECK(reader.get("/api/v1/users/me").status == 401);
  app->login("patron1@example.org", "another quiet room");
}

TEST_CASE("a request for an unknown address leaves the same traces and sends nothing", "[A12]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  app->patron(1);
  app->app().runner().stop();  // what a request itself does, before any job
  const auto traces = [&] {
    std::vector<std::int64_t> all;
    for (const std::string table : {"jobs", "mails", "audit_log", "outbox", "password_resets"})
      all.push_back(app->number("SELECT count(*) FROM " + table));
    return all;
  };
  const auto before = traces();
  const auto known = ask_reset(*app, "patron1@example.org");
  const auto between = traces();
  const auto unknown = ask_reset(*app, "nobody1@example.org");
  const auto after = traces();
  CHECK(known.status == 202);
  CHECK(unknown.status == 202);
  CHECK(known.body == unknown.body);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(between[i] - before[i] == after[i] - between[i]);
  CHECK(app->number("SELECT count(DISTINCT length(payload)) FROM jobs WHERE kind = 'auth.reset'") == 1);
  app->restart();
  REQUIRE(peer.has(1));
  REQUIRE(eventually([&] { return waiting(*app) == 0; }));
  CHECK(peer.received().size() == 1);
}

TEST_CASE("a reset mail whose token has expired is not sent any more", "[A12]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  app->patron(1);
  peer.answer("MAIL", "450 4.3.2 later");
  ask_reset(*app, "patron1@example.org");
  REQUIRE(eventually([&] {
    return app->number(
               "SELECT count(*) FROM jobs WHERE attempts = 1 AND "
               "status = 'queued' AND kind = 'mail'") == 1;
  }));
  app->clock().advance(31min);
  REQUIRE(
      eventually([&] { return app->number("SELECT count(*) FROM mails WHERE status = 'expired'") == 1; }));
  CHECK(peer.received().empty());
}

TEST_CASE("a new address is confirmed by its mail, and the old one is told", "[A13]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1);
  const auto asked =
      reader.post("/api/v1/users/me/email",
                  fmt::format(R"({{"email":"new@example.org","current_password":"{}"}})", TestApp::password));
  CHECK(asked.status == 202);
  REQUIRE(peer.has(1));
  const auto mail = peer.received()[0];
  CHECK(mail.to == "new@example.org");
  CHECK(mail.text().find("https://library.example/confirm-email#token=") != std::string::npos);
  const auto confirmed = app->anybody().post("/api/v1/users/me/email/confirm",
                                             fmt::format(R"({{"token":"{}"}})", token_in(mail.text())));
  CHECK(confirmed.status == 204);
  CHECK(reader.get("/api/v1/users/me")["email"] == "new@example.org");
  REQUIRE(peer.has(2));
  CHECK(peer.received()[1].to == "patron1@example.org");
  CHECK(peer.received()[1].header("Subject") == "Your e-mail address was changed");
}

TEST_CASE("names of people cannot smuggle headers or markup into a mail", "[I9]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  const auto made =
      app->anybody().post("/api/v1/auth/register",
                          R"({"email":"eve@example.org","password":"correct horse battery",)"
                          R"("full_name":"Eve\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>"})");
  if (made.status == 201) {
    ask_reset(*app, "eve@example.org");
  } else {
    // Refused at the door; then the name comes from elsewhere.
    CHECK(made.status == 422);
    app->patron(1);
    auto work = [](db::Transaction& tx) {
      tx.execute("UPDATE users SET full_name = $1 WHERE email = 'patron1@example.org'",
                 std::string("Eve\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>"));
    };
    REQUIRE(app->app().database().write_now(std::move(work)));
    ask_reset(*app, "patron1@example.org");
  }
  REQUIRE(peer.has(1));
  const auto mail = peer.received()[0];
  CHECK(mail.header("Bcc").empty());
  CHECK(mail.part("html").find("<script>") == std::string::npos);
  CHECK(mail.part("html").find("&lt;script&gt;") != std::string::npos);
  CHECK(mail.header("Content-Type").starts_with("multipart/alternative"));
}

TEST_CASE("what is put off is tried again, once each, and what is refused waits for an administrator",
          "[I9]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto admin = app->admin();
  app->patron(1);
  app->patron(2);
  peer.answer("RCPT", "450 4.2.1 greylisted");
  ask_reset(*app, "patron1@example.org");
  REQUIRE(eventually([&] {
    return app->number(
               "SELECT count(*) FROM jobs WHERE attempts = 1 AND "
               "status = 'queued' AND kind = 'mail'") == 1;
  }));
  CHECK(peer.received().empty());
  app->clock().advance(6s);
  REQUIRE(peer.has(1));

  peer.answer("RCPT", "550 5.1.1 no such user");
  ask_reset(*app, "patron2@example.org");
  REQUIRE(eventually([&] { return app->number("SELECT count(*) FROM mails WHERE status = 'failed'") == 1; }));
  // The mail's row is written first, the end of its job a moment later.
  Answer failed;
  REQUIRE(eventually([&] {
    failed = admin.get("/api/v1/tasks?status=failed&kind=mail");
    return failed.size() == 1;
  }));
  CHECK(std::string(failed[0].at("error").as_string()).find("550 5.1.1 no such user") != std::string::npos);
  const auto id = std::string(failed[0].at("task_id").as_string());
  CHECK(admin.post("/api/v1/tasks/" + id + "/retry").status < 300);
  REQUIRE(peer.has(2));
  CHECK(peer.received()[1].to == "patron2@example.org");
  REQUIRE(eventually([&] { return waiting(*app) == 0; }));
  CHECK(peer.received().size() == 2);
  CHECK(app->number("SELECT count(*) FROM mails WHERE status = 'sent'") == 2);
}

TEST_CASE("a process that dies after handing a mail over does not send it again, and before it does",
          "[I9][D22]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  app->patron(1);
  app->patron(2);
  // As the rows stand when the process is gone: a lease that runs out, and the mark that is there or is not.
  const auto dies = [&](bool handed) {
    peer.answer("MAIL", "450 4.3.2 later");
    ask_reset(*app, handed ? "patron1@example.org" : "patron2@example.org");
    REQUIRE(eventually([&] {
      return app->number(
                 "SELECT count(*) FROM jobs WHERE attempts = 1 AND "
                 "status = 'queued' AND kind = 'mail'") == 1;
    }));
    auto work = [&](db::Transaction& tx) {
      if (handed) tx.execute("UPDATE mails SET status = 'handed' WHERE status = 'waiting'");
      tx.execute(
          "UPDATE jobs SET status = 'running', lease = lease + 1, lease_owner = 'gone', lease_until = $1 "
          "WHERE status = 'queued' AND kind = 'mail'",
          app->clock().now());
    };
    REQUIRE(app->app().database().write_now(std::move(work)));
    app->clock().advance(61s);
    REQUIRE(eventually([&] { return waiting(*app) == 0; }));
  };
  dies(true);
  CHECK(peer.received().empty());
  CHECK(app->number("SELECT count(*) FROM mails WHERE status = 'sent'") == 1);
  dies(false);
  CHECK(peer.received().size() == 1);
  CHECK(app->number("SELECT count(*) FROM mails WHERE status = 'sent'") == 2);
}

TEST_CASE("what the server refused at the end is sent again, though that could not be written down", "[I9]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  app->patron(1);
  const auto run = [&](std::string sql) {
    auto work = [&](db::Transaction& tx) { tx.execute(sql); };
    REQUIRE(app->app().database().write_now(work));
  };
  const bool postgresql = app->app().database().dialect() == db::Dialect::postgresql;
  // Nothing goes back from handed to waiting.
  if (postgresql)
    run("ALTER TABLE mails ADD CONSTRAINT broken CHECK (status <> 'waiting' OR answer = '') NOT VALID");
  else
    run("CREATE TRIGGER broken BEFORE UPDATE ON mails WHEN OLD.status = 'handed' AND NEW.status = 'waiting' "
        "BEGIN SELECT RAISE(ABORT, 'broken'); END");
  peer.answer(".", "451 4.3.0 try later");
  ask_reset(*app, "patron1@example.org");
  REQUIRE(eventually([&] {
    return app->number(
               "SELECT count(*) FROM jobs WHERE attempts = 1 AND status = 'queued' AND kind = 'mail'") == 1;
  }));
  CHECK(app->number("SELECT count(*) FROM mails WHERE status = 'handed'") == 1);
  CHECK(peer.received().empty());
  run(postgresql ? "ALTER TABLE mails DROP CONSTRAINT broken" : "DROP TRIGGER broken");
  app->clock().advance(6s);
  REQUIRE(peer.has(1));
  REQUIRE(eventually([&] { return app->number("SELECT count(*) FROM mails WHERE status = 'sent'") == 1; }));
  CHECK(peer.received().size() == 1);
}

TEST_CASE("one key makes one mail, and a withdrawn one is not sent", "[I9]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  config::Config settings;
  mailing_by(peer)(settings);
  events::Bus bus;
  events::Journal journal(app->app().clock(), bus, "test");
  mail::Mailer other(app->app().database(), app->app().clock(), journal, app->app().job_queue(),
                     mail::settings_from(settings), std::string(32, 'x'));
  const mail::NewMail mail{.key = "the same",
                           .kind = "test",
                           .to = *mail::Address::make("ada@example.org"),
                           .letter = {mail::HeaderText::of("Hello"), "Hello,", {}},
                           .not_before = app->clock().now() + 1h};
  auto work = [&](db::Transaction& tx) {
    const bool first = other.enqueue(tx, mail), second = other.enqueue(tx, mail);
    return first && !second;
  };
  CHECK(app->app().database().write_now(std::move(work)).value());
  auto withdraw = [&](db::Transaction& tx) { other.withdraw(tx, "the same"); };
  REQUIRE(app->app().database().write_now(std::move(withdraw)));
  app->clock().advance(2h);
  REQUIRE(eventually([&] { return waiting(*app) == 0; }));
  CHECK(peer.received().empty());
  CHECK(app->number("SELECT count(*) FROM mails WHERE status = 'withdrawn'") == 1);
}

TEST_CASE("the test button tells what the mail server said", "[I9]") {
  const wire::Certificate certificate;
  certificate.renew(7);
  const auto files = certificate.options();
  SmtpPeer peer({SmtpPeer::Tls::starttls, files.certificate_file, files.key_file, "desk", "secret"});
  const auto configure = [&](config::Config& c) {
    mailing_by(peer)(c);
    c.mail_host = "localhost";
    c.mail_security = config::MailSecurity::starttls;
    c.mail_ca_file = files.certificate_file;
    c.mail_username = "desk";
    c.mail_password = "secret";
  };
  auto app = TestApp::on(GENERATE(from_databases()), configure);
  auto admin = app->admin();
  const auto sent = admin.post("/api/v1/admin/email/test");
  CHECK(sent.status == 200);
  CHECK(sent["sent"] == true);
  CHECK(sent["to"] == "admin@example.org");
  CHECK(sent["status"] == 250);
  CHECK(sent["answer"] == "250 2.0.0 taken");
  REQUIRE(peer.received().size() == 1);
  CHECK(peer.received()[0].encrypted);
  CHECK(peer.received()[0].login == "desk secret");
  CHECK(peer.received()[0].header("Subject") == "Test mail from City Library");

  peer.answer("RCPT", "550 5.7.1 we do not relay");
  const auto refused = admin.post("/api/v1/admin/email/test", R"({"to":"ada@example.org"})");
  CHECK(refused.status == 200);
  CHECK(refused["sent"] == false);
  CHECK(refused["code"] == "mail_refused");
  CHECK(refused["status"] == 550);
  CHECK(std::string(refused["answer"].as_string()).find("we do not relay") != std::string::npos);

  CHECK(admin.post("/api/v1/admin/email/test", R"({"to":"a@example.org\r\nb"})").status == 422);
  CHECK(app->librarian().post("/api/v1/admin/email/test").status == 403);
  CHECK(app->anybody().post("/api/v1/admin/email/test").status == 401);
}

TEST_CASE("without mail everything answers as before", "[A12][I9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->patron(1);
  CHECK(ask_reset(*app, "patron1@example.org").status == 202);
  CHECK(ask_reset(*app, "nobody@example.org").status == 202);
  CHECK(app->admin().post("/api/v1/admin/email/test").code() == "mail_off");
  CHECK(app->number("SELECT count(*) FROM mails") == 0);
  CHECK(app->number("SELECT count(*) FROM jobs") == 0);
}
