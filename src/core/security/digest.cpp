#include "core/security/digest.hpp"

#include "core/base/text.hpp"

#include <openssl/evp.h>

#include <fstream>
#include <stdexcept>

namespace lumina::security {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 cannot start");
}
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1)
    throw std::runtime_error("SHA-256 failed");
}

std::string Sha256::finish_hex() {
  std::string digest(32, '\0');
  unsigned length = 0;
  if (EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.data()), &length) != 1)
    throw std::runtime_error("SHA-256 failed");
  return hex_encode(digest);
}

std::optional<FileDigest> sha256_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  Sha256 hash;
  std::string piece(1 << 20, '\0');
  FileDigest out;
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    hash.add({piece.data(), static_cast<std::size_t>(file.gcount())});
    out.bytes += file.gcount();
  }
  if (file.bad()) return {};
  out.hex = hash.finish_hex();
  return out;
}

}  // namespace lumina::security
