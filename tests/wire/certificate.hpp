// A certificate for tests of TLS, made anew, and the OpenSSL objects it takes.
#pragma once
#include "core/http/tls.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>

namespace lumina::wire {

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* p) const { release(p); }
};
template <class T, void (*release)(T*)>
using Owned = std::unique_ptr<T, Release<T, release>>;

// A self-signed certificate with this serial number, and its key, in a folder of its own.
class Certificate {
 public:
  Certificate()
      : folder_(std::filesystem::temp_directory_path() / ("lumina-tls-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  http::TlsOptions options(bool allow_tls_1_2 = false) const {
    return {(folder_ / "cert.pem").string(), (folder_ / "key.pem").string(), allow_tls_1_2};
  }
  void renew(long serial) const {
    const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const Owned<X509, X509_free> certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const Owned<FILE, close_file> cert_file(std::fopen((folder_ / "cert.pem").c_str(), "w"));
    PEM_write_X509(cert_file.get(), certificate.get());
    const Owned<FILE, close_file> key_file(std::fopen((folder_ / "key.pem").c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  void spoil() const { std::ofstream(folder_ / "cert.pem") << "no certificate"; }

 private:
  static void close_file(FILE* file) { std::fclose(file); }
  std::filesystem::path folder_;
};

}  // namespace lumina::wire
