#include "modules/books/picture.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina::books;

namespace {

std::string big(std::uint32_t n, int octets) {
  std::string out;
  for (int i = octets - 1; i >= 0; --i) out += static_cast<char>(n >> (8 * i) & 0xFFU);
  return out;
}
std::string little(std::uint32_t n, int octets) {
  const auto text = big(n, octets);
  return {text.rbegin(), text.rend()};
}
std::string chunk(const std::string& type, const std::string& data) {
  return big(static_cast<std::uint32_t>(data.size()), 4) + type + data + "crc!";
}
std::string png(std::uint32_t width, std::uint32_t height) {
  return "\x89PNG\r\n\x1A\n" +
         chunk("IHDR", big(width, 4) + big(height, 4) + std::string("\x08\x02\0\0\0", 5)) +
         chunk("IDAT", "data") + chunk("IEND", "");
}
std::string jpeg(std::uint32_t width, std::uint32_t height) {
  return "\xFF\xD8\xFF\xE0" + big(4, 2) + "ab" + "\xFF\xC0" + big(11, 2) + "\x08" + big(height, 2) +
         big(width, 2) + std::string("\x01\x01\x11\x00", 4) + "\xFF\xDA" + big(3, 2) + "x" + "scan\xFF\xD9";
}
std::string webp(const std::string& type, const std::string& data) {
  const auto rest = "WEBP" + type + little(static_cast<std::uint32_t>(data.size()), 4) + data;
  return "RIFF" + little(static_cast<std::uint32_t>(rest.size()), 4) + rest;
}

void check(const std::string& bytes, std::string_view type, std::uint32_t width, std::uint32_t height) {
  const auto picture = look_at_picture(bytes);
  REQUIRE(picture);
  CHECK(picture->media_type == type);
  CHECK(picture->width == width);
  CHECK(picture->height == height);
}

}  // namespace

TEST_CASE("pictures say how large they are", "[B11]") {
  check(png(300, 450), "image/png", 300, 450);
  check(jpeg(300, 450), "image/jpeg", 300, 450);
  check(webp("VP8 ", std::string("abc\x9D\x01\x2A", 6) + little(300, 2) + little(450, 2)), "image/webp", 300,
        450);
  check(webp("VP8L", "\x2F" + little(299U | 449U << 14, 4) + "12345"), "image/webp", 300, 450);
  check(webp("VP8X", std::string(4, '\0') + little(299, 3) + little(449, 3)) + "x", "image/webp", 300, 450);
}

TEST_CASE("what only begins like a picture is none", "[B11]") {
  for (const auto& whole :
       {png(3, 4), jpeg(3, 4), webp("VP8L", "\x2F" + little(2U | 3U << 14, 4) + "12345")}) {
    REQUIRE(look_at_picture(whole));
    // RIFF allows one octet of filling, so a webp may lack one.
    for (std::size_t n = 0; n + 2 < whole.size(); ++n) CHECK_FALSE(look_at_picture(whole.substr(0, n)));
  }
  CHECK_FALSE(look_at_picture(png(0, 4)));
  CHECK_FALSE(look_at_picture(png(3, 10'001)));
  CHECK_FALSE(look_at_picture(png(0xFFFFFFFF, 4)));
  CHECK_FALSE(look_at_picture(jpeg(3, 0)));
  CHECK_FALSE(look_at_picture("\x89PNG\r\n\x1A\n<script>alert(1)</script>"));
  CHECK_FALSE(look_at_picture("\xFF\xD8\xFF\xE0picture"));
  CHECK_FALSE(look_at_picture("RIFFxxxxWEBPVP8 "));
  CHECK_FALSE(look_at_picture("GIF89a"));
  CHECK_FALSE(look_at_picture(""));
}
