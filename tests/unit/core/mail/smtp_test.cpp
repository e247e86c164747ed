// The client against a scripted server: security, logins, answers, and what a handed-over mail is.
#include "core/mail/smtp.hpp"

#include "support/smtp_peer.hpp"
#include "wire/certificate.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina;
using namespace lumina::mail;
using lumina::test::SmtpPeer;
using namespace std::chrono_literals;

namespace {

const Envelope envelope{"library@example.org", "ada@example.org"};
const std::string message = "Subject: hello\r\n\r\nwords\r\n.dots\r\n" + std::string(300, 'x') + "\r\n";

SmtpServer plain(const SmtpPeer& peer) {
  SmtpServer server;
  server.host = "127.0.0.1";
  server.port = peer.port();
  server.security = Security::none;
  server.timeout = 20s;
  return server;
}

struct Secured {
  wire::Certificate certificate;
  std::string ca;
  Secured() {
    certificate.renew(1);
    ca = certificate.options().certificate_file;
  }
  SmtpPeer::Script script(SmtpPeer::Tls tls) const {
    const auto files = certificate.options();
    return {tls, files.certificate_file, files.key_file, "desk", "pass word é"};
  }
  SmtpServer server(const SmtpPeer& peer, Security security) const {
    auto out = plain(peer);
    out.host = "localhost";
    out.security = security;
    out.ca_file = ca;
    out.username = "desk";
    out.password = "pass word é";
    return out;
  }
};

}  // namespace

TEST_CASE("a mail is handed over, dots and all, and the next one takes the same connection", "[I9]") {
  SmtpPeer peer;
  Smtp smtp(plain(peer));
  const auto first = smtp.send(envelope, message);
  if (!first) FAIL(first.error().detail);
  CHECK(first->code == 250);
  CHECK(first->answer == "250 2.0.0 taken");
  REQUIRE(smtp.send({"library@example.org", "eve@example.org"}, message));
  const auto mails = peer.received();
  REQUIRE(mails.size() == 2);
  CHECK(mails[0].from == "library@example.org");
  CHECK(mails[0].to == "ada@example.org");
  CHECK(mails[1].to == "eve@example.org");
  CHECK(mails[0].data == message);
  CHECK(peer.connections() == 1);
  smtp.close();
  REQUIRE(smtp.send(envelope, message));
  CHECK(peer.connections() == 2);
}

TEST_CASE("STARTTLS and TLS verify the server, and log in only then", "[I9]") {
  const Secured secured;
  const auto [wanted, offered] = GENERATE(table<Security, SmtpPeer::Tls>(
      {{Security::starttls, SmtpPeer::Tls::starttls}, {Security::tls, SmtpPeer::Tls::immediate}}));
  SmtpPeer peer(secured.script(offered));
  {
    Smtp smtp(secured.server(peer, wanted));
    const auto sent = smtp.send(envelope, message);
    if (!sent) FAIL(sent.error().detail);
    REQUIRE(peer.received().size() == 1);
    CHECK(peer.received()[0].encrypted);
    CHECK(peer.received()[0].login == "desk pass word é");
  }
  {
    auto stranger = secured.server(peer, wanted);
    stranger.ca_file.clear();  // the system does not know this certificate
    Smtp smtp(stranger);
    const auto sent = smtp.send(envelope, message);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == "tls_failed");
    CHECK(sent.error().kind == ErrorKind::unavailable);
  }
  {
    auto misnamed = secured.server(peer, wanted);
    misnamed.host = "127.0.0.1";  // the certificate is for localhost
    Smtp smtp(misnamed);
    CHECK(smtp.send(envelope, message).error().code == "tls_failed");
  }
  {
    auto forgetful = secured.server(peer, wanted);
    forgetful.password = "wrong";
    Smtp smtp(forgetful);
    const auto sent = smtp.send(envelope, message);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == "mail_login");
    CHECK(sent.error().kind == ErrorKind::unavailable);
    CHECK(sent.error().detail.find("535") != std::string::npos);
    CHECK(sent.error().detail.find("wrong") == std::string::npos);
  }
  CHECK(peer.received().size() == 1);
}

TEST_CASE("a server that offers no TLS gets neither password nor mail", "[I9]") {
  const Secured secured;
  SmtpPeer peer({SmtpPeer::Tls::none, {}, {}, "desk", "pass word é"});
  Smtp smtp(secured.server(peer, Security::starttls));
  const auto sent = smtp.send(envelope, message);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == "tls_failed");
  CHECK(peer.received().empty());
}

TEST_CASE("4xx is worth another try and 5xx is not, wherever it is said", "[I9]") {
  SmtpPeer peer;
  Smtp smtp(plain(peer));
  for (const std::string verb : {"MAIL", "RCPT", "DATA", "."}) {
    INFO(verb);
    peer.answer(verb, "450 4.2.1 come back later");
    const auto deferred = smtp.send(envelope, message);
    REQUIRE_FALSE(deferred);
    CHECK(deferred.error().code == "mail_deferred");
    CHECK(deferred.error().kind == ErrorKind::unavailable);
    CHECK(deferred.error().detail.find("450 4.2.1 come back later") != std::string::npos);
    peer.answer(verb, "550 5.1.1 nobody here");
    const auto refused = smtp.send(envelope, message);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "mail_refused");
    CHECK(refused.error().kind == ErrorKind::refused);
    peer.answer(verb, "");
    const auto cut = smtp.send(envelope, message);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().kind == ErrorKind::unavailable);
  }
  CHECK(peer.received().size() == 1);  // the one whose connection was cut after its end
  CHECK(smtp.send(envelope, message));
}

TEST_CASE("nobody there, and nobody answering, are told within the time", "[I9]") {
  {
    SmtpServer server;
    {
      SmtpPeer gone;
      server = plain(gone);
    }
    Smtp smtp(server);
    CHECK(smtp.send(envelope, message).error().code == "mail_unreachable");
  }
  SmtpPeer peer;
  std::atomic<bool> go_on{false};
  peer.heard = [&](std::string_view verb) {
    while (verb == "RCPT" && !go_on) std::this_thread::sleep_for(1ms);
  };
  auto server = plain(peer);
  server.timeout = 1s;
  Smtp smtp(server);
  CHECK(smtp.send(envelope, message).error().code == "mail_unreachable");
  go_on = true;
}

TEST_CASE("handing over is asked before the last bytes go, and can be refused", "[I9]") {
  SmtpPeer peer;
  Smtp smtp(plain(peer));
  int asked = 0;
  SendHooks hooks;
  hooks.handing_over = [&] { return ++asked > 1; };
  const auto first = smtp.send(envelope, message, hooks);
  REQUIRE_FALSE(first);
  CHECK(first.error().code == "stopped");
  CHECK(peer.received().empty());
  CHECK(smtp.send(envelope, "short\r\n", hooks));
  CHECK(asked == 2);
  CHECK(peer.received().size() == 1);

  SendHooks stop;
  stop.stop = [] { return true; };
  CHECK(smtp.send(envelope, message, stop).error().code == "stopped");
  CHECK(peer.received().size() == 1);
}
