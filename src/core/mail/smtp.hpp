// Hands mails to an SMTP server, over a connection that is kept for the next one.
//
//   Smtp smtp({.host = "smtp.example.org", .security = Security::starttls, ...});
//   auto receipt = smtp.send({"library@example.org", "ada@example.org"}, bytes);
//
// The protocol is libcurl's (docs/decisions/0011): EHLO, STARTTLS or TLS from the start with certificate and
// name verified, AUTH, and SMTPUTF8 where an address needs it. Connecting and each answer may take `timeout`,
// a whole message four times that.
//
// Errors: unavailable, worth another try, for a 4xx answer (mail_deferred), a refused login (mail_login), a
// certificate or a server without TLS (tls_failed), silence and broken connections (mail_unreachable);
// refused, never to be tried again, for any other 5xx answer (mail_refused). `detail` holds what the server
// said.
//
// Blocks; one thread at a time.
#pragma once
#include "core/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lumina::mail {

enum class Security : std::uint8_t { starttls, tls, none };

struct SmtpServer {
  std::string host;
  std::uint16_t port = 0;  // 0: 587 for starttls, 465 for tls, 25 for none
  Security security = Security::starttls;
  std::string username{}, password{};  // empty: no AUTH
  std::string ca_file{};               // PEM; empty: the system's authorities
  std::string our_name = "localhost";  // said with EHLO
  std::chrono::seconds timeout{30};
};

struct Envelope {
  std::string from, to;
};

// The last words of the server.
struct Receipt {
  int code = 0;
  std::string answer;
};

struct SendHooks {
  // Right before the end of the message goes out: from then on the server may have it. False gives up.
  std::function<bool()> handing_over{};
  // Asked about once a second; true gives up (unavailable, "stopped").
  std::function<bool()> stop{};
};

class Smtp {
 public:
  explicit Smtp(SmtpServer server);
  ~Smtp();
  Smtp(const Smtp&) = delete;
  Smtp& operator=(const Smtp&) = delete;

  // `message` is RFC 5322 with CRLF line ends.
  Result<Receipt> send(const Envelope& envelope, std::string_view message, const SendHooks& hooks = {});
  // Says QUIT when a connection is open.
  void close();

 private:
  struct Session;
  const SmtpServer server_;
  std::unique_ptr<Session> session_;
};

}  // namespace lumina::mail
