// SHA-256 of what a form says: names, file names, types and bytes of its parts, in order. A client that sends
// the same form again makes a new boundary, which says nothing and changes nothing here.
//
// One thread at a time. Throws std::runtime_error when the cryptographic library fails.
#pragma once
#include "core/http/multipart.hpp"
#include "core/security/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lumina::http {

bool is_form(std::string_view content_type);  // multipart/form-data, with whatever parameters

class FormDigest {
 public:
  void begin(const Part& part);  // its headers; its bytes follow
  void bytes(std::string_view piece);
  std::string finish_hex();  // 64 digits; once, after the last piece

 private:
  void end_part();
  security::Sha256 whole_;
  std::optional<security::Sha256> part_;
};

// Nothing when the form cannot be read.
std::optional<std::string> form_digest(std::string_view body, std::string_view content_type);

}  // namespace lumina::http
