// What a picture is, from its own structure: PNG, JPEG or WebP, and how large it shows.
//
// Nothing is decoded, but the whole of the container is walked: a file that only begins like a picture, is
// cut, or says that it is nothing by nothing or larger than `longest_side`, is none. So it cannot be a page
// or a program that a browser would be told is a picture, nor a small file that unfolds to gigabytes. What
// comes behind the end is not looked at, but for WebP, which says how long it is. Pure; any bytes. Sources:
// PNG (W3C, third edition), ISO/IEC 10918-1 (JPEG), RFC 9649 (WebP).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace lumina::books {

constexpr std::uint32_t longest_side = 10'000;  // pixels

struct Picture {
  std::string_view media_type;  // "image/png", "image/jpeg", "image/webp"
  std::uint32_t width = 0, height = 0;
};

std::optional<Picture> look_at_picture(std::string_view bytes);

}  // namespace lumina::books
