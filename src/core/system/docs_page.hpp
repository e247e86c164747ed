// The pages of /docs, which the binary carries: Swagger UI showing /openapi.json, without a byte from
// elsewhere.
//
// Every asset is kept and meant to be sent as gzip (Content-Encoding: gzip, Vary: Accept-Encoding); unpack()
// serves the rare client that does not accept that. Everything here lives as long as the program and may be
// used from any thread.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace lumina::system {

struct Asset {
  std::string_view path;  // of the request: "/docs" for the page itself, "/docs/..." for what it loads
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view bytes;         // one gzip member (RFC 1952)
  std::string_view etag;  // strong, with its quotes, of the gzip bytes; unpacked they are another entity
};

std::span<const Asset> docs_assets();

// The asset's bytes without compression; at most 2 MB, a few milliseconds for the largest.
std::string unpack(const Asset&);

// For the Content-Security-Policy field of the page: nothing inline, nothing from another origin. Swagger UI
// draws its icons from data: addresses.
inline constexpr std::string_view docs_content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace lumina::system
