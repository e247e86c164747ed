// SHA-256 of bytes that come piece by piece (FIPS 180-4): files that are hashed while they are written.
//
// One thread at a time. Throws std::runtime_error when the cryptographic library fails.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace lumina::security {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  // 64 lower-case hex digits; once, after the last piece.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lumina::security
