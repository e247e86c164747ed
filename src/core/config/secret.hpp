// The secret that signs tokens when none is configured: made at the first start, kept in the data directory.
#pragma once
#include <expected>
#include <filesystem>
#include <string>

namespace lumina::config {

struct StoredSecret {
  std::string secret;  // 64 hexadecimal digits: 256 random bits
  bool created = false;
  std::string warning;  // when others can read the file
};

// Reads data_dir/secret, or makes it (mode 0600, durable before it is used) together with the folder. Two
// processes that start at once agree on one secret. The error says which file and why.
std::expected<StoredSecret, std::string> load_or_create_secret(const std::filesystem::path& data_dir);

}  // namespace lumina::config
