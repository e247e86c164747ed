// TLS in process: versions, reload of certificates, deadlines.
#include "wire/certificate.hpp"
#include "wire/client.hpp"
#include "wire/toy.hpp"

#include <catch2/catch.hpp>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace lumina::wire {
namespace {

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int version = TLS1_3_VERSION, const char* ciphers = nullptr)
      : client_(port), context_(SSL_CTX_new(TLS_client_method())), ssl_(nullptr) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    if (ciphers) SSL_CTX_set_cipher_list(context_.get(), ciphers);
    ssl_.reset(SSL_new(context_.get()));
    const timeval patience{10, 0};
    ::setsockopt(client_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL_set_fd(ssl_.get(), client_.descriptor());
    const unsigned char protocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_.get(), protocols, sizeof protocols - 1);
    shaken_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }

  bool shaken() const { return shaken_; }
  long serial() const {
    const Owned<X509, X509_free> certificate(SSL_get1_peer_certificate(ssl_.get()));
    return ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get()));
  }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  // What arrives until `ending` does or the connection ends.
  std::string ask(const std::string& octets, const std::string& ending = "\r\n\r\nxxx") {
    SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
    std::string out;
    char piece[16 * 1024];
    while (!out.ends_with(ending)) {
      const int n = SSL_read(ssl_.get(), piece, sizeof piece);
      if (n <= 0) break;
      out.append(piece, static_cast<std::size_t>(n));
    }
    ERR_clear_error();
    return out;
  }
  // Whether the server said goodbye properly.
  bool notified() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  Client client_;
  Owned<SSL_CTX, SSL_CTX_free> context_;
  Owned<SSL, SSL_free> ssl_;
  bool shaken_ = false;
};

const std::string get = "GET /bytes/3 HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_CASE("TLS 1.3 is served and 1.2 is refused unless allowed", "[A35]") {
  Certificate certificate;
  certificate.renew(1);
  {
    ToyServer server(quick_limits(), certificate.options());
    TlsClient client(server.port());
    REQUIRE(client.shaken());
    CHECK(client.protocol() == "http/1.1");
    for (int i = 0; i < 10; ++i) CHECK(client.ask(get).starts_with("HTTP/1.1 200 OK"));
    CHECK_FALSE(TlsClient(server.port(), TLS1_2_VERSION).shaken());
    CHECK_FALSE(TlsClient(server.port(), TLS1_1_VERSION).shaken());
  }
  ToyServer server(quick_limits(), certificate.options(true));
  CHECK(TlsClient(server.port()).shaken());
  CHECK(TlsClient(server.port(), TLS1_2_VERSION).ask(get).starts_with("HTTP/1.1 200 OK"));
  CHECK_FALSE(TlsClient(server.port(), TLS1_2_VERSION, "AES256-GCM-SHA384:AES128-SHA").shaken());
  CHECK_FALSE(TlsClient(server.port(), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA").shaken());
  CHECK_FALSE(TlsClient(server.port(), TLS1_1_VERSION).shaken());
}

TEST_CASE("large bodies and pipelines pass through TLS whole", "[A35]") {
  Certificate certificate;
  certificate.renew(1);
  ToyServer server(quick_limits(), certificate.options());
  TlsClient client(server.port());
  const std::string body(300'000, 'b');
  const std::string answer = client.ask(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body + get, "\r\n\r\nxxx");
  CHECK(answer.find(body) != std::string::npos);
  CHECK(answer.ends_with("xxx"));
  const auto last = client.ask("GET /bytes/9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "never");
  CHECK(last.ends_with("xxxxxxxxx"));
  CHECK(client.notified());
}

TEST_CASE("a new certificate is taken without dropping connections; a bad one is refused", "[A35]") {
  Certificate certificate;
  certificate.renew(1);
  ToyServer server(quick_limits(), certificate.options());
  TlsClient before(server.port());
  CHECK(before.serial() == 1);
  certificate.renew(2);
  REQUIRE(server.server.reload_tls());
  CHECK(TlsClient(server.port()).serial() == 2);
  CHECK(before.ask(get).starts_with("HTTP/1.1 200 OK"));

  certificate.spoil();
  const auto reloaded = server.server.reload_tls();
  REQUIRE_FALSE(reloaded);
  CHECK_THAT(reloaded.error(), Catch::Contains("cert.pem"));
  CHECK(TlsClient(server.port()).serial() == 2);
  CHECK(before.ask(get).starts_with("HTTP/1.1 200 OK"));
}

TEST_CASE("a server does not start with TLS files it cannot read", "[A35]") {
  Certificate certificate;
  CHECK_THROWS_WITH(ToyServer(quick_limits(), certificate.options()), Catch::Contains("cert.pem"));
}

TEST_CASE("plain text, garbage and silence on a TLS port end the connection", "[A35]") {
  Certificate certificate;
  certificate.renew(1);
  auto limits = quick_limits();
  limits.handshake_time = 60ms;
  ToyServer server(limits, certificate.options());
  Client plain(server.port());
  plain.send(get);
  CHECK(plain.closed());
  Client silent(server.port());
  CHECK(silent.closed());
  CHECK(ToyServer::eventually([&] { return server.server.stats().open == 0; }));
  CHECK(TlsClient(server.port()).ask(get).starts_with("HTTP/1.1 200 OK"));
}

TEST_CASE("deadlines and refusals hold under TLS too", "[A35][A32]") {
  Certificate certificate;
  certificate.renew(1);
  auto limits = quick_limits();
  limits.head_time = 100ms;
  ToyServer server(limits, certificate.options());
  CHECK(TlsClient(server.port()).ask("GET / HT", "never").starts_with("HTTP/1.1 408"));
  CHECK(TlsClient(server.port())
            .ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "never")
            .starts_with("HTTP/1.1 501"));
  CHECK(server.server.stop(10s));
}

}  // namespace lumina::wire
