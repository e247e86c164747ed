#include "core/http/multipart.hpp"

#include "core/base/text.hpp"

#include <optional>

namespace lumina::http {
namespace {

constexpr std::size_t most_parts = 32, longest_header = 8192, longest_boundary = 70;

// The value of `name` among the parameters of a header value: form-data; name="x"; filename="y".
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at != std::string_view::npos && at < value.size()) {
    std::string_view rest = trim_ascii(value.substr(at + 1));
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return {};
    const auto key = trim_ascii(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::string text;
    std::size_t used = 0;
    if (!rest.empty() && rest.front() == '"') {
      for (used = 1; used < rest.size() && rest[used] != '"'; ++used) {
        if (rest[used] == '\\' && used + 1 < rest.size()) ++used;
        text += rest[used];
      }
      if (used >= rest.size()) return {};
      ++used;
    } else {
      used = std::min(rest.find(';'), rest.size());
      text = trim_ascii(rest.substr(0, used));
    }
    if (iequals(key, name)) return text;
    const auto next = rest.find(';', used);
    if (next == std::string_view::npos) return {};
    at = static_cast<std::size_t>(rest.data() - value.data()) + next;
  }
  return {};
}

std::string safe_filename(std::string_view given) {
  if (const auto slash = given.find_last_of("/\\"); slash != std::string_view::npos)
    given.remove_prefix(slash + 1);
  std::string out;
  for (char c : given)
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  if (!is_valid_utf8(out)) out = "file";
  return std::string(utf8_prefix(out, 255));
}

}  // namespace

std::expected<std::vector<Part>, std::string> parse_multipart(std::string_view body,
                                                              std::string_view content_type) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > longest_boundary)
    return std::unexpected("the Content-Type has no usable boundary");
  const std::string line = "--" + *boundary, between = "\r\n" + line;
  std::vector<Part> parts;
  std::size_t at = body.starts_with(line) ? 0 : body.find(between);
  if (at == std::string_view::npos) return std::unexpected("the first boundary is missing");
  if (at != 0) at += 2;
  at += line.size();
  while (true) {
    if (body.substr(at, 2) == "--") return parts;
    while (at < body.size() && (body[at] == ' ' || body[at] == '\t')) ++at;
    if (body.substr(at, 2) != "\r\n") return std::unexpected("a boundary is not followed by a line end");
    at += 2;
    if (parts.size() == most_parts) return std::unexpected("there are too many parts");
    Part part;
    std::size_t budget = longest_header;
    while (body.substr(at, 2) != "\r\n") {
      const auto end = body.find("\r\n", at);
      if (end == std::string_view::npos || end - at > budget)
        return std::unexpected("the header of a part is broken");
      budget -= end - at;
      const auto header = body.substr(at, end - at);
      const auto colon = header.find(':');
      if (colon == std::string_view::npos) return std::unexpected("the header of a part is broken");
      const auto value = trim_ascii(header.substr(colon + 1));
      if (iequals(header.substr(0, colon), "content-disposition")) {
        part.name = parameter(value, "name").value_or("");
        part.filename = safe_filename(parameter(value, "filename").value_or(""));
      } else if (iequals(header.substr(0, colon), "content-type")) {
        part.content_type = value;
      }
      at = end + 2;
    }
    at += 2;
    const auto end = body.find(between, at);
    if (end == std::string_view::npos) return std::unexpected("the last boundary is missing");
    part.bytes = body.substr(at, end - at);
    parts.push_back(std::move(part));
    at = end + between.size();
  }
}

}  // namespace lumina::http
