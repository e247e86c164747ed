#include "core/config/settings.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <unordered_map>
#include <utility>

namespace lumina::config {
namespace {

// Names that other programs use for the same thing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> synonyms{{{"warning", "warn"},
                                                                                 {"critical", "error"},
                                                                                 {"fatal", "error"},
                                                                                 {"dev", "development"},
                                                                                 {"prod", "production"},
                                                                                 {"human", "text"}}};

constexpr std::int64_t kib = 1 << 10;
constexpr std::int64_t mib = 1 << 20;
constexpr std::int64_t gib = 1 << 30;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "10 MiB", "10MiB", "10M", "10485760"
std::optional<std::int64_t> parse_bytes(std::string_view text) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto number = parse_whole(digits);
  if (!number) return std::nullopt;
  const auto unit = lower(trimmed(text.substr(digits.size())));
  std::int64_t factor = 1;
  if (unit == "kib" || unit == "k") {
    factor = kib;
  } else if (unit == "mib" || unit == "m") {
    factor = mib;
  } else if (unit == "gib" || unit == "g") {
    factor = gib;
  } else if (!unit.empty() && unit != "b") {
    return std::nullopt;
  }
  if (*number > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
  return *number * factor;
}

std::string number_text(const Range& range, std::int64_t number) {
  if (number == 0 && !range.zero.empty()) return std::string(range.zero);
  if (range.unit == "bytes") {
    for (const auto& [size, unit] : {std::pair{gib, "GiB"}, std::pair{mib, "MiB"}, std::pair{kib, "KiB"}}) {
      if (number > 0 && number % size == 0) return fmt::format("{} {}", number / size, unit);
    }
  }
  return std::to_string(number);
}

bool needs_quotes(const Range& range, std::int64_t number) {
  return number_text(range, number).find_first_not_of("-0123456789") != std::string::npos;
}

// Comma separated, or a JSON array as FastAPI's settings write lists.
std::optional<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::string> items;
  text = trimmed(text);
  if (text.starts_with('[') && text.find('"') != std::string_view::npos) {
    boost::system::error_code fault;
    const auto parsed = boost::json::parse(text, fault);
    if (fault || !parsed.is_array()) return std::nullopt;
    for (const auto& item : parsed.as_array()) {
      if (!item.is_string()) return std::nullopt;
      items.emplace_back(item.as_string());
    }
    return items;
  }
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (const auto item = trimmed(text.substr(0, comma)); !item.empty()) items.emplace_back(item);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return items;
}

template <class T, class Write>
std::string joined(const std::vector<T>& items, std::string_view separator, Write write) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += separator;
    text += write(item);
  }
  return text;
}

template <class... F>
struct Match : F... {
  using F::operator()...;
};

std::vector<std::string> list_texts(const Setting& setting, const Config& config) {
  std::vector<std::string> texts;
  std::visit(Match{[&](std::vector<std::string> Config::* m) { texts = config.*m; },
                   [&](std::vector<Cidr> Config::* m) {
                     for (const auto& network : config.*m) texts.push_back(network.to_string());
                   },
                   [&](std::vector<ListenAddress> Config::* m) {
                     for (const auto& address : config.*m) texts.push_back(address.to_string());
                   },
                   [](const auto&) {}},
             setting.member);
  return texts;
}

using Assigned = std::expected<void, std::string>;

Assigned assign_number(const Setting& setting, Config& config, std::int64_t Config::* member,
                       std::int64_t number) {
  const auto& range = setting.range;
  const bool means_zero = number == 0 && !range.zero.empty();
  if (!means_zero && (number < range.min || number > range.max)) {
    return std::unexpected("must be " + setting.expects());
  }
  config.*member = number;
  return {};
}

Assigned assign_list(const Setting& setting, Config& config, const std::vector<std::string>& items) {
  const auto wrong = [&] { return Assigned(std::unexpected("must be " + setting.expects())); };
  return std::visit(
      Match{[&](std::vector<std::string> Config::* m) -> Assigned {
              std::vector<std::string> kept;
              for (auto item : items) {
                if (setting.check) {
                  if (auto fault = setting.check(item))
                    return std::unexpected(*fault + ", not " + toml_quoted(item));
                }
                kept.push_back(std::move(item));
              }
              config.*m = std::move(kept);
              return {};
            },
            [&](std::vector<Cidr> Config::* m) -> Assigned {
              std::vector<Cidr> kept;
              for (const auto& item : items) {
                const auto network = Cidr::parse(item);
                if (!network)
                  return std::unexpected("must be " + setting.expects() + ", not " + toml_quoted(item));
                kept.push_back(*network);
              }
              config.*m = std::move(kept);
              return {};
            },
            [&](std::vector<ListenAddress> Config::* m) -> Assigned {
              std::vector<ListenAddress> kept;
              for (const auto& item : items) {
                auto address = ListenAddress::parse(item);
                if (!address)
                  return std::unexpected("must be " + setting.expects() + ", not " + toml_quoted(item));
                kept.push_back(*std::move(address));
              }
              if (kept.empty()) return wrong();
              config.*m = std::move(kept);
              return {};
            },
            [&](const auto&) -> Assigned { return wrong(); }},
      setting.member);
}

Assigned assign_choice(const Setting& setting, Config& config, const Choice& choice, std::string_view text) {
  auto wanted = lower(trimmed(text));
  for (const auto& [other, ours] : synonyms) {
    if (wanted == other && std::find(choice.names.begin(), choice.names.end(), ours) != choice.names.end())
      wanted = ours;
  }
  const auto found = std::find(choice.names.begin(), choice.names.end(), wanted);
  if (found == choice.names.end()) return std::unexpected("must be " + setting.expects());
  choice.set(config, static_cast<std::size_t>(found - choice.names.begin()));
  return {};
}

Assigned assign_string(const Setting& setting, Config& config, std::string Config::* member,
                       std::string text) {
  if (text.find('\0') != std::string::npos) return std::unexpected("must not contain a NUL");
  if (setting.check) {
    if (auto fault = setting.check(text)) return std::unexpected(*std::move(fault));
  }
  config.*member = std::move(text);
  return {};
}

}  // namespace

const Setting* find_setting(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const Setting*> rows;
    for (const auto& setting : settings()) rows.emplace(setting.name, &setting);
    return rows;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

std::string Setting::flag() const {
  std::string text = "--" + std::string(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string Setting::environment() const {
  std::string text = "LUMINALIB_" + std::string(name);
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  return text;
}

std::string Setting::expects() const {
  return std::visit(
      Match{[](std::string Config::*) { return std::string("text"); },
            [this](std::int64_t Config::*) {
              std::string what = range.zero.empty() ? "" : fmt::format("{} or ", range.zero);
              if (range.unit == "bytes") {
                return fmt::format("{}a size from {} to {}", what,
                                   number_text({0, 0, "bytes", {}}, range.min),
                                   number_text({0, 0, "bytes", {}}, range.max));
              }
              if (range.unit == "a minute")
                return fmt::format("{}{} to {} a minute", what, range.min, range.max);
              if (range.unit.empty())
                return fmt::format("{}a number from {} to {}", what, range.min, range.max);
              return fmt::format("{}a number of {} from {} to {}", what, range.unit, range.min, range.max);
            },
            [](bool Config::*) { return std::string("true or false"); },
            [](std::vector<std::string> Config::*) { return std::string("a list of texts"); },
            [](std::vector<Cidr> Config::*) {
              return std::string("a list of networks such as 10.0.0.0/8 or 2001:db8::/32");
            },
            [](std::vector<ListenAddress> Config::*) {
              return std::string("a list of addresses such as 127.0.0.1:8000 or [::1]:8000");
            },
            [](const Choice& choice) { return fmt::format("one of {}", fmt::join(choice.names, ", ")); }},
      member);
}

std::string Setting::text(const Config& config) const {
  return std::visit(Match{[&](std::string Config::* m) { return config.*m; },
                          [&](std::int64_t Config::* m) { return number_text(range, config.*m); },
                          [&](bool Config::* m) { return std::string(config.*m ? "true" : "false"); },
                          [&](const Choice& choice) { return std::string(choice.names[choice.get(config)]); },
                          [&](const auto&) {
                            return joined(list_texts(*this, config), ",",
                                          [](const std::string& item) { return item; });
                          }},
                    member);
}

std::string Setting::toml(const Config& config) const {
  return std::visit(
      Match{[&](std::string Config::* m) { return toml_quoted(config.*m); },
            [&](std::int64_t Config::* m) {
              const auto plain = number_text(range, config.*m);
              return needs_quotes(range, config.*m) ? toml_quoted(plain) : plain;
            },
            [&](bool Config::*) { return text(config); },
            [&](const Choice&) { return toml_quoted(text(config)); },
            [&](const auto&) { return '[' + joined(list_texts(*this, config), ", ", toml_quoted) + ']'; }},
      member);
}

std::expected<void, std::string> Setting::assign_text(Config& config, std::string_view value) const {
  return std::visit(
      Match{[&](std::string Config::* m) { return assign_string(*this, config, m, std::string(value)); },
            [&](std::int64_t Config::* m) -> Assigned {
              const auto plain = trimmed(value);
              if (!range.zero.empty() && lower(plain) == range.zero) {
                config.*m = 0;
                return {};
              }
              const auto number = range.unit == "bytes" ? parse_bytes(plain) : parse_whole(plain);
              if (!number) return std::unexpected("must be " + expects());
              return assign_number(*this, config, m, *number);
            },
            [&](bool Config::* m) -> Assigned {
              const auto plain = lower(trimmed(value));
              const bool yes = plain == "true" || plain == "1" || plain == "yes" || plain == "on";
              const bool no = plain == "false" || plain == "0" || plain == "no" || plain == "off";
              if (!yes && !no) return std::unexpected("must be " + expects());
              config.*m = yes;
              return {};
            },
            [&](const Choice& choice) { return assign_choice(*this, config, choice, value); },
            [&](const auto&) -> Assigned {
              const auto items = split(value);
              if (!items) return std::unexpected("must be " + expects());
              return assign_list(*this, config, *items);
            }},
      member);
}

std::expected<void, std::string> Setting::assign_typed(Config& config, const TypedValue& value) const {
  const bool is_number = std::holds_alternative<std::int64_t Config::*>(member);
  const bool is_flag = std::holds_alternative<bool Config::*>(member);
  const bool is_scalar = is_number || is_flag || std::holds_alternative<std::string Config::*>(member) ||
                         std::holds_alternative<Choice>(member);
  return std::visit(Match{[&](const std::string& given) -> Assigned {
                            if (is_flag) return std::unexpected("must be " + expects() + " without quotes");
                            if (is_number && range.unit != "bytes" && given != range.zero) {
                              return std::unexpected("must be " + expects() + ", not text in quotes");
                            }
                            return assign_text(config, given);
                          },
                          [&](std::int64_t given) -> Assigned {
                            if (!is_number) return std::unexpected("must be " + expects() + ", not a number");
                            return assign_number(*this, config, std::get<std::int64_t Config::*>(member),
                                                 given);
                          },
                          [&](bool given) -> Assigned {
                            if (!is_flag)
                              return std::unexpected("must be " + expects() + ", not true or false");
                            config.*std::get<bool Config::*>(member) = given;
                            return {};
                          },
                          [&](const std::vector<std::string>& given) -> Assigned {
                            if (is_scalar) return std::unexpected("must be " + expects() + ", not a list");
                            return assign_list(*this, config, given);
                          }},
                    value);
}

std::string masked(const Setting& setting, const std::string& text) {
  constexpr auto hidden = "***";
  if (setting.secrecy == Secrecy::none || text.empty()) return text;
  if (setting.secrecy == Secrecy::secret) return hidden;
  const auto scheme = text.find("://");
  if (scheme == std::string::npos || lower(text).find("password") != std::string::npos) return hidden;
  const auto at = text.rfind('@');
  if (at == std::string::npos) return text;
  const auto colon = text.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return text;
  return text.substr(0, colon + 1) + hidden + text.substr(at);
}

std::string toml_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace lumina::config
