#include "core/mail/smtp.hpp"

#include "core/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <curl/curl.h>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>

namespace lumina::mail {
namespace {

constexpr std::size_t longest_answer = 500;
// The end of a message is given by itself, so that handing_over is asked as late as can be.
constexpr std::size_t held_back = 64;
constexpr long most_connection_age = 60;  // seconds

std::uint16_t port_of(const SmtpServer& server) {
  if (server.port != 0) return server.port;
  switch (server.security) {
    case Security::starttls:
      return 587;
    case Security::tls:
      return 465;
    case Security::none:
      return 25;
  }
  return 25;
}

std::string url_of(const SmtpServer& server) {
  const bool bare_v6 = server.host.find(':') != std::string::npos && !server.host.starts_with('[');
  return fmt::format("{}://{}:{}/{}", server.security == Security::tls ? "smtps" : "smtp",
                     bare_v6 ? "[" + server.host + "]" : server.host, port_of(server),
                     percent_encode(server.our_name));
}

// One message on its way: what is left to give, and what the server says meanwhile.
struct Exchange {
  std::string_view rest;
  const SendHooks& hooks;
  bool handed = false, gave_up = false;
  int code = 0;
  std::string answer;
  std::exception_ptr thrown;  // by a hook: no exception may pass through libcurl

  bool ask(const std::function<bool()>& hook) {
    try {
      return hook();
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }
};

std::size_t give(char* out, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  std::size_t most = size * count;
  if (exchange.rest.empty()) return 0;
  if (!exchange.handed && exchange.rest.size() > held_back) {
    most = std::min(most, exchange.rest.size() - held_back);
  } else if (!exchange.handed) {
    exchange.handed = true;
    if (exchange.hooks.handing_over && !exchange.ask(exchange.hooks.handing_over)) {
      exchange.gave_up = true;
      return CURL_READFUNC_ABORT;
    }
  }
  const std::size_t taken = std::min(most, exchange.rest.size());
  std::memcpy(out, exchange.rest.data(), taken);
  exchange.rest.remove_prefix(taken);
  return taken;
}

// Every line that the server says comes here.
std::size_t hear(char* text, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view line = trim_ascii({text, size * count});
  const bool numbered = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3,
                                                        [](char c) { return c >= '0' && c <= '9'; });
  // 221 answers QUIT, which libcurl says when something went wrong before.
  if (numbered && !line.starts_with("221")) {
    exchange.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    exchange.answer.clear();
    for (const char c : line.substr(0, longest_answer))
      exchange.answer += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    if (!is_valid_utf8(exchange.answer)) exchange.answer = std::to_string(exchange.code);
  }
  return size * count;
}

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

int look_up(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& exchange = *static_cast<Exchange*>(self);
  // Once handed over, the answer is worth waiting for.
  exchange.gave_up =
      !exchange.handed && exchange.hooks.stop && (exchange.ask(exchange.hooks.stop) || exchange.thrown);
  return exchange.gave_up ? 1 : 0;
}

bool is_tls_fault(CURLcode code) {
  switch (code) {
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return true;
    default:
      return false;
  }
}

Failure fault(CURLcode code, const Exchange& exchange, std::string_view said) {
  const auto unavailable = [](std::string name, std::string detail) {
    return fail(ErrorKind::unavailable, std::move(name), std::move(detail));
  };
  if (exchange.gave_up) return unavailable("stopped", "The mail was not handed over: the server is stopping");
  if (code == CURLE_LOGIN_DENIED)
    return unavailable("mail_login", "The mail server refused the login: " + exchange.answer);
  if (is_tls_fault(code))
    return unavailable("tls_failed", fmt::format("The mail server cannot be trusted: {}", said));
  if (exchange.code >= 500)
    return fail(ErrorKind::refused, "mail_refused", "The mail server refused: " + exchange.answer);
  if (exchange.code >= 400)
    return unavailable("mail_deferred", "The mail server put it off: " + exchange.answer);
  return unavailable("mail_unreachable", fmt::format("The mail server cannot be reached: {}", said));
}

}  // namespace

struct Smtp::Session {
  CURL* curl;
  Session() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl = curl_easy_init();
    if (!curl) throw std::runtime_error("libcurl cannot be used");
  }
  ~Session() { curl_easy_cleanup(curl); }
};

Smtp::Smtp(SmtpServer server) : server_(std::move(server)) {}
Smtp::~Smtp() = default;
void Smtp::close() { session_.reset(); }

Result<Receipt> Smtp::send(const Envelope& envelope, std::string_view message, const SendHooks& hooks) {
  if (!session_) session_ = std::make_unique<Session>();
  CURL* curl = session_->curl;
  curl_easy_reset(curl);  // options only; the connection stays
  Exchange exchange{message, hooks};
  char said[CURL_ERROR_SIZE] = "";
  const auto timeout = static_cast<long>(server_.timeout.count());
  const std::string url = url_of(server_), to = "<" + envelope.to + ">", from = "<" + envelope.from + ">";
  curl_slist* recipients = curl_slist_append(nullptr, to.c_str());
  if (!recipients) throw std::bad_alloc();

  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
  curl_easy_setopt(curl, CURLOPT_USE_SSL,
                   static_cast<long>(server_.security == Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!server_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, server_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (!server_.username.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, server_.username.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, server_.password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, &give);
  curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &hear);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &ignore);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &look_up);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, timeout);
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, timeout);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 4 * timeout);
  curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, most_connection_age);
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(recipients);
  if (exchange.thrown) {
    close();
    std::rethrow_exception(exchange.thrown);
  }
  if (code == CURLE_OK) return Receipt{exchange.code, std::move(exchange.answer)};
  auto failure = fault(code, exchange, said[0] ? said : curl_easy_strerror(code));
  close();  // whatever state it was in, the next message begins anew
  return failure;
}

}  // namespace lumina::mail
