// Reads a small file whole: settings, secrets, certificates.
#pragma once
#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

namespace lumina::config {

// The error names the file and why. Pipes and devices are read to their end; nothing beyond `limit` bytes.
std::expected<std::string, std::string> read_small_file(const std::filesystem::path&, std::size_t limit);
// A secret: at most 64 KiB, one line break at the end dropped, not empty.
std::expected<std::string, std::string> read_secret_file(const std::filesystem::path&);

}  // namespace lumina::config
