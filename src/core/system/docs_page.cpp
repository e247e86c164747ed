#include "core/system/docs_page.hpp"

#include <array>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <zlib.h>

namespace lumina::system {
namespace {

#include "docs_assets.inc"

constexpr std::string_view html = "text/html; charset=utf-8";
constexpr std::string_view css = "text/css; charset=utf-8";
constexpr std::string_view javascript = "text/javascript; charset=utf-8";
constexpr std::string_view plain = "text/plain; charset=utf-8";

template <std::size_t size>
std::string_view view(const unsigned char (&bytes)[size]) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// The last four bytes of a gzip member: the length of what went in, little-endian.
std::size_t unpacked_size(std::string_view gzip) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size |= static_cast<std::size_t>(static_cast<unsigned char>(gzip[gzip.size() - 4 + i])) << (8 * i);
  return size;
}

}  // namespace

std::span<const Asset> docs_assets() {
  static const std::array assets{
      Asset{"/docs", html, view(index_html), index_html_etag},
      Asset{"/docs/page.css", css, view(page_css), page_css_etag},
      Asset{"/docs/start.js", javascript, view(start_js), start_js_etag},
      Asset{"/docs/swagger-ui.css", css, view(swagger_ui_css), swagger_ui_css_etag},
      Asset{"/docs/swagger-ui-bundle.js", javascript, view(swagger_ui_bundle_js), swagger_ui_bundle_js_etag},
      Asset{"/docs/favicon.png", "image/png", view(favicon_32x32_png), favicon_32x32_png_etag},
      Asset{"/docs/swagger-ui-bundle.js.license.txt", plain, view(swagger_ui_bundle_js_license_txt),
            swagger_ui_bundle_js_license_txt_etag},
      Asset{"/docs/license.txt", plain, view(license), license_etag},
      Asset{"/docs/notice.txt", plain, view(notice), notice_etag},
  };
  return assets;
}

std::string unpack(const Asset& asset) {
  constexpr int gzip_window_bits = 15 + 16;
  std::string unpacked(unpacked_size(asset.bytes), '\0');
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window_bits) != Z_OK) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(asset.bytes.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(asset.bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = static_cast<uInt>(unpacked.size());
  const int status = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (status != Z_STREAM_END || stream.avail_out != 0) throw std::runtime_error("a page of /docs is damaged");
  return unpacked;
}

}  // namespace lumina::system
