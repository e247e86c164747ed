#include "core/http/tls.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

namespace lumina::http {
namespace {

constexpr unsigned char protocols[] = "\x08http/1.1";
constexpr const char* ciphers_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, size, protocols, sizeof protocols - 1, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A key with a passphrase must fail and not ask at the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

std::expected<TlsContext, std::string> load_tls(const TlsOptions& options) {
  const auto failed = [](std::string what, const std::string& file) {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return std::unexpected(what + " " + file + (reason ? std::string(": ") + reason : std::string()));
  };
  ERR_clear_error();
  auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, options.allow_tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(native, no_passphrase);
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  if (SSL_CTX_set_cipher_list(native, ciphers_1_2) != 1)
    return failed("cannot set the TLS 1.2 ciphers", ciphers_1_2);
  if (SSL_CTX_use_certificate_chain_file(native, options.certificate_file.c_str()) != 1)
    return failed("cannot read the certificate", options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(native, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed("cannot read the private key", options.key_file);
  if (SSL_CTX_check_private_key(native) != 1)
    return failed("certificate and private key do not belong together:", options.certificate_file);
  return context;
}

}  // namespace lumina::http
