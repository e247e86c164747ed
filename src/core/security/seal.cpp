#include "core/security/seal.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <stdexcept>

namespace lumina::security {
namespace {

constexpr std::size_t key_bytes = 32, nonce_bytes = 12, tag_bytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void must(bool good) {
  if (!good) throw std::runtime_error("the cryptographic library failed to seal");
}

Context context_for(std::string_view key) {
  if (key.size() != key_bytes) throw std::invalid_argument("a sealing key has 32 bytes");
  Context context(EVP_CIPHER_CTX_new());
  must(context != nullptr);
  return context;
}

}  // namespace

std::string seal(std::string_view key, std::string_view text) {
  const auto context = context_for(key);
  const std::string nonce = random_bytes(nonce_bytes);
  must(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1);
  std::string hidden(text.size(), '\0'), tag(tag_bytes, '\0');
  int done = 0, rest = 0;
  must(EVP_EncryptUpdate(context.get(), bytes_of(hidden), &done, bytes_of(text),
                         static_cast<int>(text.size())) == 1);
  must(EVP_EncryptFinal_ex(context.get(), bytes_of(hidden) + done, &rest) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) == 1);
  return base64url_encode(nonce + tag + hidden);
}

std::optional<std::string> unseal(std::string_view key, std::string_view sealed) {
  const auto context = context_for(key);
  const auto stored = base64url_decode(sealed);
  if (!stored || stored->size() < nonce_bytes + tag_bytes) return std::nullopt;
  const auto nonce = std::string_view(*stored).substr(0, nonce_bytes);
  std::string tag = stored->substr(nonce_bytes, tag_bytes);
  const auto hidden = std::string_view(*stored).substr(nonce_bytes + tag_bytes);
  must(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1);
  std::string text(hidden.size(), '\0');
  int done = 0, rest = 0;
  must(EVP_DecryptUpdate(context.get(), bytes_of(text), &done, bytes_of(hidden),
                         static_cast<int>(hidden.size())) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context.get(), bytes_of(text) + done, &rest) != 1) return std::nullopt;
  return text;
}

}  // namespace lumina::security
