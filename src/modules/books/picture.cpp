#include "modules/books/picture.hpp"

#include <cstddef>

namespace lumina::books {
namespace {

using std::uint32_t;

uint32_t octet(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
uint32_t big16(std::string_view bytes, std::size_t at) {
  return octet(bytes, at) << 8 | octet(bytes, at + 1);
}
uint32_t big32(std::string_view bytes, std::size_t at) {
  return big16(bytes, at) << 16 | big16(bytes, at + 2);
}
uint32_t little16(std::string_view bytes, std::size_t at) {
  return octet(bytes, at) | octet(bytes, at + 1) << 8;
}
uint32_t little24(std::string_view bytes, std::size_t at) {
  return little16(bytes, at) | octet(bytes, at + 2) << 16;
}
uint32_t little32(std::string_view bytes, std::size_t at) {
  return little24(bytes, at) | octet(bytes, at + 3) << 24;
}

std::optional<Picture> sized(std::string_view type, uint32_t width, uint32_t height) {
  if (width == 0 || height == 0 || width > longest_side || height > longest_side) return {};
  return Picture{type, width, height};
}

// Chunks of length, type, data and checksum: IHDR first, some IDAT, IEND at the end.
std::optional<Picture> png(std::string_view bytes) {
  constexpr std::size_t frame = 12;
  std::optional<Picture> picture;
  bool data = false;
  std::size_t at = 8;
  while (bytes.size() - at >= frame) {
    const std::size_t length = big32(bytes, at);
    const auto type = bytes.substr(at + 4, 4);
    if (length > bytes.size() - at - frame) return {};
    if (at == 8) {
      if (type != "IHDR" || length != 13) return {};
      picture = sized("image/png", big32(bytes, at + 8), big32(bytes, at + 12));
      if (!picture) return {};
    }
    data = data || (type == "IDAT" && length > 0);
    at += frame + length;
    if (type == "IEND") return data ? picture : std::nullopt;
  }
  return {};
}

// Segments up to the scan, behind which compressed data follows to the end of the image.
std::optional<Picture> jpeg(std::string_view bytes) {
  std::optional<Picture> picture;
  std::size_t at = 2;
  while (at + 4 <= bytes.size()) {
    if (octet(bytes, at) != 0xFF) return {};
    const auto marker = octet(bytes, at + 1);
    if (marker == 0xFF) {  // filling
      ++at;
      continue;
    }
    if (marker == 0x00 || marker == 0xD8 || marker == 0xD9 || (marker >= 0xD0 && marker <= 0xD7)) return {};
    const std::size_t length = big16(bytes, at + 2);
    if (length < 2 || length > bytes.size() - at - 2) return {};
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      if (length < 8 || picture) return {};
      picture = sized("image/jpeg", big16(bytes, at + 7), big16(bytes, at + 5));
      if (!picture) return {};
    }
    at += 2 + length;
    if (marker == 0xDA) return bytes.find("\xFF\xD9", at) != std::string_view::npos ? picture : std::nullopt;
  }
  return {};
}

std::optional<Picture> webp(std::string_view bytes) {
  constexpr std::size_t first_chunk = 12, first_data = 20;
  const std::size_t said = little32(bytes, 4);
  if (said + 8 != bytes.size() && said + 9 != bytes.size()) return {};
  if (bytes.size() < first_data + 10) return {};
  const auto type = bytes.substr(first_chunk, 4);
  const std::size_t length = little32(bytes, first_chunk + 4);
  if (length > bytes.size() - first_data) return {};
  if (type == "VP8 " && length >= 10 && bytes.substr(first_data + 3, 3) == "\x9D\x01\x2A")
    return sized("image/webp", little16(bytes, first_data + 6) & 0x3FFFU,
                 little16(bytes, first_data + 8) & 0x3FFFU);
  if (type == "VP8L" && length >= 5 && octet(bytes, first_data) == 0x2F) {
    const auto packed = little32(bytes, first_data + 1);
    return sized("image/webp", (packed & 0x3FFFU) + 1, (packed >> 14 & 0x3FFFU) + 1);
  }
  // Its own size, and then the image or the frames of an animation.
  if (type == "VP8X" && length == 10 && bytes.size() > first_data + 10)
    return sized("image/webp", little24(bytes, first_data + 4) + 1, little24(bytes, first_data + 7) + 1);
  return {};
}

}  // namespace

std::optional<Picture> look_at_picture(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return png(bytes);
  if (bytes.starts_with("\xFF\xD8\xFF")) return jpeg(bytes);
  if (bytes.size() > 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") return webp(bytes);
  return {};
}

}  // namespace lumina::books
