// What an application, or one exchange with it, can say about a request that its connection refuses: with the
// path, and with the standing of the client where it is known. An Application or an Exchange that has more to
// say than Application::refuse() implements it too.
#pragma once
#include "core/http/message.hpp"

#include <string>
#include <string_view>

namespace lumina::http {

class Refusing {
 public:
  virtual ~Refusing() = default;
  // `path` without its query, as far as it could be read, else empty; `peer` is the address of the socket. On
  // the io thread of the connection; an exchange is asked at most once, instead of handle().
  virtual Response refuse_at(int status, std::string_view code, std::string_view detail,
                             std::string_view path, std::string_view peer) = 0;
};

// The path in the first line of a head that may be malformed or unfinished: at most 1,024 visible ASCII
// characters of it; empty when the line has none.
std::string path_of_head(std::string_view octets);

}  // namespace lumina::http
