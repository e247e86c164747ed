// A TOML file of settings as a flat list of keys with their lines.
#pragma once
#include "core/config/settings.hpp"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::config {

struct TomlEntry {
  std::string key;
  std::uint32_t line = 0;
  // What a setting can hold, or what the value is instead ("a table", "a date").
  std::expected<TypedValue, std::string> value;
};

// The error names file, line and column. `name` is only for messages.
std::expected<std::vector<TomlEntry>, std::string> parse_toml(std::string_view text, std::string_view name);
// Files over 1 MiB are refused.
std::expected<std::vector<TomlEntry>, std::string> read_toml(const std::filesystem::path&);

// A file of sections that hold texts, for what is no setting: section -> key -> text. The error names the
// file, and the line or the key that is something else.
using TextSections = std::map<std::string, std::map<std::string, std::string>>;
std::expected<TextSections, std::string> read_text_sections(const std::filesystem::path&);

}  // namespace lumina::config
