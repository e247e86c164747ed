// The octets that go before a response body: status line, framing, Date, Server and the application's own
// fields.
#pragma once
#include "core/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace lumina::http {

struct ResponseFraming {
  bool close = false;           // says "Connection: close"
  bool say_keep_alive = false;  // to an HTTP/1.0 client that asked for it
  bool chunked = false;         // of a streamed body: chunks, or until the connection ends
};

// Appends the head to `out`. Content-Length is always sent, but for 1xx, 204, 304 and streams. Fields whose
// name is not a token or whose value has CR, LF or another control character are never written, nor are
// framing fields of the application; returns how many were dropped, which is a bug of the caller when it is
// not 0. Any thread; Date is kept per second and thread.
std::size_t append_response_head(const Response&, ResponseFraming, std::string& out);

// Whether a response of this status has a body at all.
bool has_body(int status);

// The preferred format of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"; seconds since 1970.
std::string http_date(std::int64_t seconds);

}  // namespace lumina::http
