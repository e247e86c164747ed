// Asks a server for a path and gives the status: for health checks without another program.
#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

namespace lumina::http {

// Plain HTTP/1.1 GET to an IP address; blocking, `patience` for each of connecting and answering. The error
// is in words.
std::expected<int, std::string> get_status(const std::string& address, std::uint16_t port,
                                           const std::string& path,
                                           std::chrono::seconds patience = std::chrono::seconds(5));

}  // namespace lumina::http
