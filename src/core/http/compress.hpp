// Content codings of answers (RFC 9110, 12.5.3): gzip and brotli, for text of a kilobyte and more.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lumina::http {

enum class Coding : std::uint8_t { identity, gzip, brotli };

// Smaller bodies gain nothing; larger ones would hold up an io thread and go out as they are.
constexpr std::size_t smallest_compressed = 1024, largest_compressed = 512 * 1024;

// The best coding that Accept-Encoding allows: br before gzip at equal weight.
Coding negotiate(std::string_view accept_encoding);
std::string_view name_of(Coding);
std::string gzip(std::string_view);    // fastest level
std::string brotli(std::string_view);  // quality 3

}  // namespace lumina::http
