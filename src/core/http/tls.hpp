// TLS settings of the server: version 1.3, and 1.2 only when allowed and then with forward secrecy and AEAD
// only (RFC 9325). Speaks "http/1.1" in ALPN.
#pragma once
#include <expected>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace lumina::http {

struct TlsOptions {
  std::string certificate_file;  // PEM, the server's certificate first, then its chain
  std::string key_file;          // PEM, without a passphrase
  bool allow_tls_1_2 = false;
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// Reads both files; the error is a sentence that names the file. The context may be shared by any threads for
// new handshakes; those under way keep the one they began with.
std::expected<TlsContext, std::string> load_tls(const TlsOptions&);

}  // namespace lumina::http
