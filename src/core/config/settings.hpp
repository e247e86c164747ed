// The table of settings: one row each. The command line, the environment, the file, the example and the help
// are all made from it.
#pragma once
#include "core/config/config.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lumina::config {

// A value as a TOML file gives it. Flags and environment variables give text only.
using TypedValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

struct Choice {
  std::span<const std::string_view> names;  // in the order of the enumeration
  std::size_t (*get)(const Config&);
  void (*set)(Config&, std::size_t);
};
using Member = std::variant<std::string Config::*, std::int64_t Config::*, bool Config::*,
                            std::vector<std::string> Config::*, std::vector<Cidr> Config::*,
                            std::vector<ListenAddress> Config::*, Choice>;

enum class Secrecy : std::uint8_t { none, url, secret };  // url: may hold a password

struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view unit = {};  // "minutes"; "bytes" also accepts "10 MiB"
  std::string_view zero = {};  // the word that means 0: "off"
};

struct Setting {
  std::string_view section;
  std::string_view name;
  Member member;
  std::string_view description;
  Range range = {};
  Secrecy secrecy = Secrecy::none;
  bool reloadable = false;
  // For text: what is wrong with it, or nothing. May rewrite it to its usual form.
  std::optional<std::string> (*check)(std::string& text) = nullptr;

  std::string flag() const;               // "--http-addr"
  std::string environment() const;        // "LUMINALIB_HTTP_ADDR"
  std::string expects() const;            // "a number of minutes from 1 to 10080"
  std::string text(const Config&) const;  // as a flag would spell it; not masked
  std::string toml(const Config&) const;  // as the file would spell it; not masked
  bool has_file_variant() const { return secrecy != Secrecy::none; }

  // The error says what was expected, without the value when it may be secret.
  std::expected<void, std::string> assign_text(Config&, std::string_view) const;
  std::expected<void, std::string> assign_typed(Config&, const TypedValue&) const;
};

std::span<const Setting> settings();
const Setting* find_setting(std::string_view name);

// `text` with the password of a database URL, or the whole of it when that is not sure to be found, as "***".
std::string masked(const Setting&, const std::string& text);
std::string toml_quoted(std::string_view);

}  // namespace lumina::config
