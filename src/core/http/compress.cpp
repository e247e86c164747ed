#include "core/http/compress.hpp"

#include "core/base/text.hpp"

#include <brotli/encode.h>
#include <charconv>
#include <stdexcept>
#include <zlib.h>

namespace lumina::http {
namespace {

// The weight of one item such as "gzip;q=0.5": 0 refuses it, absent is 1.
double weight(std::string_view item) {
  const auto semicolon = item.find(';');
  if (semicolon == std::string_view::npos) return 1;
  auto parameter = trim_ascii(item.substr(semicolon + 1));
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return 1;
  parameter.remove_prefix(2);
  double q = 0;
  const auto [end, error] = std::from_chars(parameter.data(), parameter.data() + parameter.size(), q);
  return error == std::errc{} && q >= 0 && q <= 1 ? q : 0;
}

}  // namespace

Coding negotiate(std::string_view accept) {
  double best_gzip = -1, best_brotli = -1, any = -1;
  while (!accept.empty()) {
    const auto comma = accept.find(',');
    const auto item = trim_ascii(accept.substr(0, comma));
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
    const auto name = trim_ascii(item.substr(0, item.find(';')));
    if (iequals(name, "gzip") || iequals(name, "x-gzip")) best_gzip = weight(item);
    if (iequals(name, "br")) best_brotli = weight(item);
    if (name == "*") any = weight(item);
  }
  if (best_gzip < 0) best_gzip = any;
  if (best_brotli < 0) best_brotli = any;
  if (best_brotli > 0 && best_brotli >= best_gzip) return Coding::brotli;
  return best_gzip > 0 ? Coding::gzip : Coding::identity;
}

std::string_view name_of(Coding coding) {
  switch (coding) {
    case Coding::identity:
      return "identity";
    case Coding::gzip:
      return "gzip";
    case Coding::brotli:
      return "br";
  }
  return "identity";
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  // 15 bits of window plus 16: the gzip wrapper.
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib cannot start");
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("zlib cannot finish");
  return out;
}

std::string brotli(std::string_view text) {
  std::size_t size = BrotliEncoderMaxCompressedSize(text.size());
  std::string out(size, '\0');
  if (BrotliEncoderCompress(3, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.size(),
                            reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                            reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_FALSE)
    throw std::runtime_error("brotli cannot compress");
  out.resize(size);
  return out;
}

}  // namespace lumina::http
