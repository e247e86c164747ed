// multipart/form-data (RFC 7578), as browsers and curl send it: strict about boundaries, bounded in parts.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

struct Part {
  std::string name;
  std::string filename;  // last path component only, control characters removed
  std::string content_type;
  std::string_view bytes;  // into the body
};

// At most 32 parts with 8 KiB of headers each. The error says what is wrong.
std::expected<std::vector<Part>, std::string> parse_multipart(std::string_view body,
                                                              std::string_view content_type);

}  // namespace lumina::http
