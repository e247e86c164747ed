#include "core/config/setting_checks.hpp"

#include "core/base/text.hpp"
#include "core/base/time_zone.hpp"
#include "core/config/config.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

namespace lumina::config {
namespace {

using std::string_view_literals::operator""sv;

bool is_http_url(std::string_view url) {
  for (const auto scheme : {"http://"sv, "https://"sv}) {
    if (!url.starts_with(scheme)) continue;
    const auto rest = url.substr(scheme.size());
    return !rest.empty() && rest.front() != '/' && rest.front() != ':' &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f; });
  }
  return false;
}

}  // namespace

std::optional<std::string> check_database_url(std::string& url) {
  if (url.empty()) return std::nullopt;
  const auto scheme_end = url.find("://");
  const auto scheme = std::string_view(url).substr(0, scheme_end == std::string::npos ? 0 : scheme_end);
  // SQLAlchemy's spelling names a driver as well: postgresql+asyncpg://
  const auto plain = scheme.substr(0, scheme.find('+'));
  if (plain == "postgresql" || plain == "postgres") {
    url = "postgresql" + url.substr(scheme_end);
    return std::nullopt;
  }
  if (plain == "sqlite" && url.size() > scheme_end + 4 && url[scheme_end + 3] == '/') {
    url = "sqlite" + url.substr(scheme_end);
    return std::nullopt;
  }
  return "must be postgresql://user:password@host:port/name or sqlite:///path";
}

std::optional<std::string> check_replica_url(std::string& url) {
  if (url.empty()) return std::nullopt;
  if (auto wrong = check_database_url(url); wrong || !url.starts_with("postgresql://")) {
    return "must be postgresql://user:password@host:port/name";
  }
  return std::nullopt;
}

std::optional<std::string> check_base_url(std::string& url) {
  if (url.empty() || is_http_url(url)) return std::nullopt;
  return "must be a URL such as http://127.0.0.1:11434";
}

std::optional<std::string> check_base_urls(std::string& urls) {
  std::istringstream in(urls);
  for (std::string one; in >> one;)
    if (auto wrong = check_base_url(one)) return wrong;
  return std::nullopt;
}

std::optional<std::string> check_origin(std::string& origin) {
  if (origin == "*") return std::nullopt;
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  if (origin.ends_with('/')) origin.pop_back();
  const auto host = origin.find("://");
  if (is_http_url(origin) && origin.find_first_of("/?#@*", host + 3) == std::string::npos)
    return std::nullopt;
  return "must be origins such as https://library.example or http://localhost:3000, or *";
}

std::optional<std::string> check_email(std::string& email) {
  const auto at = email.find('@');
  const bool fine =
      email.empty() || (at != std::string::npos && at > 0 && at + 1 < email.size() &&
                        email.find('@', at + 1) == std::string::npos && email.size() <= 254 &&
                        std::none_of(email.begin(), email.end(), [](unsigned char c) { return c <= ' '; }));
  if (fine) return std::nullopt;
  return "must be an e-mail address";
}

std::optional<std::string> check_public_url(std::string& url) {
  if (url.empty()) return std::nullopt;
  while (url.ends_with('/')) url.pop_back();
  if (is_http_url(url) && url.find_first_of("?#@\"<>") == std::string::npos) return std::nullopt;
  return "must be a URL such as https://library.example";
}

std::optional<std::string> check_host(std::string& host) {
  const bool fine = host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
                    });
  if (fine) return std::nullopt;
  return "must be the name or the address of a server";
}

std::optional<std::string> check_line(std::string& text) {
  const bool fine = is_valid_utf8(text) && text.size() <= 200 &&
                    std::none_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (fine) return std::nullopt;
  return "must be one line of at most 200 bytes";
}

std::optional<std::string> check_recs_algorithm(std::string& text) {
  if (text == "neighbours" || text == "sequence" || text == "linear" || text == "factors")
    return std::nullopt;
  return "must be neighbours, sequence, linear or factors";
}

std::optional<std::string> check_day_number(std::string& text) {
  int days = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (fault == std::errc{} && end == text.data() + text.size() && days >= 1 && days <= 365) {
    text = std::to_string(days);
    return std::nullopt;
  }
  return "must be days from 1 to 365, such as 1, 7, 14";
}

std::optional<std::string> check_document_kind(std::string& kind) {
  for (const char* known : {"pdf", "docx", "epub", "html", "md", "txt"})
    if (kind == known) return std::nullopt;
  return "must be pdf, docx, epub, html, md or txt";
}

std::optional<std::string> check_currency(std::string& code) {
  const bool three_letters =
      code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!three_letters) return "must be three capital letters such as EUR";
  return std::nullopt;
}

std::optional<std::string> check_listen_address(std::string& text) {
  if (text.empty() || ListenAddress::parse(text)) return std::nullopt;
  return "must be an address such as 127.0.0.1:6001";
}

std::optional<std::string> check_data_dir(std::string& path) {
  if (path.empty()) return "must name a folder";
  return std::nullopt;
}

std::optional<std::string> check_time_zone(std::string& name) {
  if (TimeZone::find(name)) return std::nullopt;
  return "must be the name of a time zone such as Europe/Berlin or UTC";
}

}  // namespace lumina::config
