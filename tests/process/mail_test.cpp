// A mail is sent once, whatever moment the process is killed at.
#include "process/program.hpp"
#include "support/eventually.hpp"
#include "support/smtp_peer.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <string>

using namespace lumina;
using namespace lumina::process;
using lumina::test::eventually;
using lumina::test::SmtpPeer;

TEST_CASE("a server killed while it sends a mail sends it once", "[D22][I9][I4]") {
  // Before the message was given, and right when its last byte has arrived and nothing is answered yet.
  const std::string verb = GENERATE("RCPT", "DATA", ".");
  INFO("killed at " << verb);
  const Folder folder;
  SmtpPeer peer;
  std::atomic<pid_t> victim{0};
  peer.heard = [&](std::string_view heard) {
    if (const pid_t pid = heard == verb ? victim.exchange(0) : 0; pid > 0) ::kill(pid, SIGKILL);
  };
  const std::vector<std::string> flags{"--mail-host",
                                       "127.0.0.1",
                                       "--mail-port",
                                       std::to_string(peer.port()),
                                       "--mail-security",
                                       "none",
                                       "--mail-from",
                                       "library@example.org",
                                       "--job-lease-seconds",
                                       "1",
                                       "--job-poll-milliseconds",
                                       "50"};
  const std::string email = R"("email":"ada@example.org")";
  {
    Program program(folder.path(), flags);
    REQUIRE(program
                .call("POST", "/api/v1/auth/register",
                      "{" + email + R"(,"password":"a tall blue window","full_name":"Ada Reader"})")
                .status == 201);
    victim = program.pid();
    REQUIRE(program.call("POST", "/api/v1/auth/password-reset", "{" + email + "}").status == 202);
    REQUIRE(eventually([&] { return victim == 0; }));
    program.kill();
  }
  // The first connection may have got the message; its peer writes down what it got before it answers.
  const auto count = [&] { return peer.received().size(); };
  if (verb == ".") REQUIRE(peer.has(1));
  CHECK(count() == (verb == "." ? 1 : 0));

  Program program(folder.path(), flags);
  REQUIRE(peer.has(1));
  // Whatever was left to do is done before the next mail goes.
  REQUIRE(program
              .call("POST", "/api/v1/auth/register",
                    R"({"email":"zoe@example.org","password":"a tall blue window","full_name":"Zoe"})")
              .status == 201);
  REQUIRE(program.call("POST", "/api/v1/auth/password-reset", R"({"email":"zoe@example.org"})").status ==
          202);
  REQUIRE(eventually([&] {
    const auto mails = peer.received();
    return !mails.empty() && mails.back().to == "zoe@example.org";
  }));
  REQUIRE(program.stop() == 0);
  std::size_t to_ada = 0;
  for (const auto& mail : peer.received()) to_ada += mail.to == "ada@example.org";
  CHECK(to_ada == 1);
}
