#include "core/config/toml_file.hpp"

#include "core/config/small_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

namespace lumina::config {
namespace {

constexpr std::size_t largest_file = 1 << 20;

std::expected<TypedValue, std::string> typed(const toml::node& node) {
  if (const auto* text = node.as_string()) return TypedValue(text->get());
  if (const auto* number = node.as_integer()) return TypedValue(number->get());
  if (const auto* flag = node.as_boolean()) return TypedValue(flag->get());
  // tls_min_version = 1.3 means what it says
  if (const auto* real = node.as_floating_point()) return TypedValue(fmt::format("{}", real->get()));
  if (const auto* list = node.as_array()) {
    std::vector<std::string> items;
    for (const auto& item : *list) {
      const auto* text = item.as_string();
      if (!text) return std::unexpected("a list of something other than texts");
      items.push_back(text->get());
    }
    return TypedValue(std::move(items));
  }
  return std::unexpected(node.is_table() ? "a table" : "a date or time");
}

}  // namespace

std::expected<std::vector<TomlEntry>, std::string> parse_toml(std::string_view text, std::string_view name) {
  try {
    const auto table = toml::parse(text);
    std::vector<TomlEntry> entries;
    for (const auto& [key, node] : table) {
      entries.push_back({std::string(key.str()), key.source().begin.line, typed(node)});
    }
    std::ranges::sort(entries, {}, &TomlEntry::line);
    return entries;
  } catch (const toml::parse_error& fault) {
    const auto where = fault.source().begin;
    return std::unexpected(fmt::format("{}:{}:{}: {}", name, where.line, where.column, fault.description()));
  }
}

std::expected<std::vector<TomlEntry>, std::string> read_toml(const std::filesystem::path& path) {
  const auto text = read_small_file(path, largest_file);
  if (!text) return std::unexpected(text.error());
  return parse_toml(*text, path.string());
}

std::expected<TextSections, std::string> read_text_sections(const std::filesystem::path& path) {
  constexpr std::size_t most_bytes = std::size_t{1} << 20;
  const auto text = read_small_file(path, most_bytes);
  if (!text) return std::unexpected(text.error());
  TextSections sections;
  try {
    const auto document = toml::parse(*text);
    for (const auto& [key, node] : document) {
      const std::string section(key.str());
      const auto* table = node.as_table();
      if (table == nullptr) return std::unexpected(path.string() + ": " + section + " must be a section");
      auto& texts = sections[section];
      for (const auto& [name, value] : *table) {
        const auto given = value.value<std::string>();
        if (!given)
          return std::unexpected(path.string() + ": " + section + "." + std::string(name.str()) +
                                 " must be a text");
        texts.emplace(name.str(), *given);
      }
    }
  } catch (const toml::parse_error& fault) {
    return std::unexpected(path.string() + ":" + std::to_string(fault.source().begin.line) + ": " +
                           std::string(fault.description()));
  }
  return sections;
}

}  // namespace lumina::config
