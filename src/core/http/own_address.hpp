// The address under which a client reached this server, for documents that must name it in full.
#pragma once
#include "core/http/message.hpp"

#include <string>

namespace lumina::http {

// "https://library.example": from Host, which every request has exactly once; https when the connection is or
// a proxy says so. It is told to the asker alone: an answer that holds it must not be kept for others.
std::string own_address(const Request& request);

}  // namespace lumina::http
