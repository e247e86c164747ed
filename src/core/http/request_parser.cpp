#include "core/http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace lumina::http {
namespace {

namespace beast = boost::beast;
using beast::string_view;
using boost::system::error_code;

std::string_view view(string_view text) { return {text.data(), text.size()}; }

class HeadParser final : public beast::http::basic_parser<true> {
 public:
  HeadParser(const GuardedHead& guarded, Head& head) : guarded_(guarded), head_(head) {}

 private:
  void on_request_impl(beast::http::verb, string_view method, string_view, int version,
                       error_code& ec) override {
    if (view(method) != to_string(guarded_.line.method) || (version == 11) != guarded_.line.http11)
      ec = beast::http::error::bad_method;
  }
  void on_field_impl(beast::http::field name, string_view spelling, string_view value, error_code&) override {
    const bool overruled = name == beast::http::field::host && !guarded_.line.authority.empty();
    head_.headers.emplace_back(view(spelling), overruled ? guarded_.line.authority : view(value));
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  const GuardedHead& guarded_;
  Head& head_;
};

}  // namespace

bool parse_head(std::string_view bytes, const GuardedHead& guarded, Head& head) {
  head.headers.clear();
  HeadParser parser(guarded, head);
  parser.header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
  parser.body_limit(boost::none);
  parser.skip(true);
  error_code ec;
  const auto used = parser.put(boost::asio::buffer(bytes), ec);
  if (ec || used != bytes.size() || !parser.is_header_done() || head.headers.size() != guarded.fields)
    return false;
  head.method = guarded.line.method;
  head.target.clear();
  if (guarded.line.bare_authority) head.target = "/";
  head.target += guarded.line.target;
  head.keep_alive = guarded.keep_alive;
  head.content_length = guarded.content_length;
  head.chunked = guarded.chunked;
  head.expect_continue = guarded.expectation == Expectation::continue_;
  return true;
}

}  // namespace lumina::http
