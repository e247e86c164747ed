#include "core/http/extract.hpp"

#include "core/base/text.hpp"
#include "core/http/multipart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace lumina::http {

std::optional<Pairs> parse_form(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto item = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (item.empty()) continue;
    const auto equals = item.find('=');
    auto name = percent_decode(item.substr(0, equals), Plus::space);
    auto value = percent_decode(
        equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1), Plus::space);
    if (!name || !value) return {};
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

namespace detail {
namespace {

std::string_view media_of(const Context& context) {
  const auto type = context.request->head.header("Content-Type");
  return trim_ascii(type.substr(0, type.find(';')));
}

bool is_json(std::string_view media) {
  return iequals(media, "application/json") ||
         (media.size() > 5 && iequals(media.substr(media.size() - 5), "+json") &&
          media.starts_with("application/"));
}

void refuse_media(Context& context) {
  std::string wanted;
  for (const auto& media : context.route->body_media) wanted += (wanted.empty() ? "" : " or ") + media;
  context.refusal =
      Error{ErrorKind::unsupported_media, "unsupported_media_type", "The body must be " + wanted, {}, 0};
}

void take_status(Context& context, Status status) {
  if (status) return;
  if (status.error().kind == ErrorKind::invalid)
    for (auto& fault : status.error().fields) context.errors.push_back(std::move(fault));
  else
    context.refusal = std::move(status.error());
}

// A whole number among the query parameters that paging owns; removed once read.
std::optional<std::int64_t> take_number(Context& context, std::string_view name, std::int64_t low,
                                        std::int64_t high) {
  std::optional<std::int64_t> found;
  for (auto it = context.query.begin(); it != context.query.end();) {
    if (it->first != name) {
      ++it;
      continue;
    }
    const std::string& text = it->second;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto fault = [&](std::string message, std::string type) {
      context.errors.push_back({{"query", std::string(name)}, std::move(message), std::move(type)});
    };
    if (found)
      fault("comes twice", "duplicate");
    else if (error == std::errc::invalid_argument || end != text.data() + text.size())
      fault("must be an integer", "type");
    else if (error != std::errc{} || value < low || value > high)
      fault(high == INT64_MAX / 1024 ? fmt::format("must be at least {}", low)
                                     : fmt::format("must be between {} and {}", low, high),
            "range");
    found = value;
    it = context.query.erase(it);
  }
  return found;
}

}  // namespace

void read_json_body(Context& context, const schema::Type& type, void* out, bool required) {
  const std::string& body = context.request->body;
  if (body.empty()) {
    if (required) context.errors.push_back({{"body"}, "is required", "missing"});
    return;
  }
  if (!is_json(media_of(context))) return refuse_media(context);
  take_status(context, json::decode(type, out, body, {"body"}));
}

void read_form_or_json(Context& context, const schema::Type& type, void* out) {
  if (!iequals(media_of(context), "application/x-www-form-urlencoded"))
    return read_json_body(context, type, out, true);
  auto pairs = parse_form(context.request->body);
  if (!pairs) {
    context.refusal =
        Error{ErrorKind::malformed, "malformed_form", "The form is not URL-encoded correctly", {}, 0};
    return;
  }
  json::decode_pairs(type, out, *pairs, "body", context.errors);
}

void read_path_value(Context& context, const schema::Type& type, void* out) {
  const std::size_t index = context.next_path_value++;
  const auto& name = context.route->path_parameters[index].name;
  const auto text = percent_decode(context.path_values[index]);
  if (!text) {
    context.errors.push_back({{"path", name}, "is not encoded correctly", "encoding"});
    return;
  }
  if (type.kind == schema::Kind::integer && !text->empty() &&
      text->find_first_not_of("0123456789", text->front() == '-' ? 1 : 0) == std::string::npos &&
      *text != "-") {
    // A number that cannot be an identifier names nothing: left at 0, which no row has, it is simply not
    // found.
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc{} && value >= type.lowest && value <= type.highest) type.set_integer(out, value);
    return;
  }
  json::decode_text(type, {}, out, *text, {"path", name}, context.errors);
}

void read_paging(Context& context) {
  PageRequest& page = context.page;
  constexpr std::int64_t far = INT64_MAX / 1024;
  const auto skip = take_number(context, "skip", 0, far);
  const auto limit = take_number(context, "limit", 1, 100);
  const auto number = take_number(context, "page", 1, far);
  const auto size = take_number(context, "size", 1, 100);
  for (auto it = context.query.begin(); it != context.query.end();) {
    if (it->first != "cursor") {
      ++it;
      continue;
    }
    page.cursor = it->second;
    it = context.query.erase(it);
  }
  if ((number || size) && (skip || limit || page.cursor))
    context.errors.push_back(
        {{"query", "page"}, "cannot be combined with skip, limit or cursor", "conflict"});
  if (page.cursor && skip)
    context.errors.push_back({{"query", "cursor"}, "cannot be combined with skip", "conflict"});
  if (!context.errors.empty()) return;
  if (number || size) {
    page.envelope = true;
    page.limit = size.value_or(20);
    page.skip = (number.value_or(1) - 1) * page.limit;
    return;
  }
  page.skip = skip.value_or(0);
  page.limit = limit.value_or(100);
}

void read_members(Context& context) {
  const auto& known = context.route->answer->fields;
  const auto fault = [&](std::string message, std::string type) {
    context.errors.push_back({{"query", "fields"}, std::move(message), std::move(type)});
  };
  bool seen = false;
  for (auto it = context.query.begin(); it != context.query.end();) {
    if (it->first != "fields") {
      ++it;
      continue;
    }
    if (std::exchange(seen, true)) fault("comes twice", "duplicate");
    std::string_view names = it->second;
    if (names.size() > 1000) names = {};
    if (names.empty()) fault("must name members of the answer, separated by commas", "missing");
    while (!names.empty()) {
      const auto comma = names.find(',');
      const auto name = names.substr(0, comma);
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
      const auto field = std::ranges::find(known, name, &schema::Field::name);
      if (field == known.end())
        fault((is_valid_utf8(name) ? std::string(utf8_prefix(name, 100)) : "?") +
                  " is not a member of the answer",
              "unknown");
      else
        context.members.push_back(static_cast<std::size_t>(field - known.begin()));
    }
    context.fields = std::move(it->second);
    it = context.query.erase(it);
  }
  std::ranges::sort(context.members);
  const auto twice = std::ranges::unique(context.members);
  context.members.erase(twice.begin(), twice.end());
}

void read_query(Context& context, const schema::Type& type, void* out) {
  json::decode_pairs(type, out, context.query, "query", context.errors);
}

void refuse_leftover_query(Context& context) {
  for (const auto& [name, value] : context.query)
    context.errors.push_back({{"query", is_valid_utf8(name) ? std::string(utf8_prefix(name, 100)) : "?"},
                              "is not a known parameter",
                              "unknown"});
}

Upload read_upload(Context& context) {
  Upload upload;
  const auto type = context.request->head.header("Content-Type");
  if (context.request->body.empty()) {
    context.errors.push_back({{"body", "file"}, "is required", "missing"});
    return upload;
  }
  if (!iequals(media_of(context), "multipart/form-data")) {
    upload.media_type = media_of(context);
    upload.bytes = std::move(context.request->body);
    return upload;
  }
  auto parts = parse_multipart(context.request->body, type);
  if (!parts) {
    context.refusal = Error{
        ErrorKind::malformed, "malformed_multipart", "The form cannot be read: " + parts.error(), {}, 0};
    return upload;
  }
  for (const Part& part : *parts) {
    if (part.name != "file") continue;
    upload.filename = part.filename;
    upload.media_type = part.content_type;
    upload.bytes = part.bytes;
    return upload;
  }
  context.errors.push_back({{"body", "file"}, "is required", "missing"});
  return upload;
}

IfMatch read_if_match(const Context& context) {
  IfMatch out;
  std::string_view text = trim_ascii(context.request->head.header("If-Match"));
  if (text.empty() || text == "*") return out;
  out.value.given = true;
  // "3-9f86d081", "4-...": what counts is the version in front; a weak tag never matches (RFC 9110, 13.1.1).
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto tag = trim_ascii(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    if (tag.size() < 2 || tag.front() != '"') continue;
    tag.remove_prefix(1);
    std::int64_t version = 0;
    const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
    if (error == std::errc{} && end != tag.data() + tag.size() && *end == '-')
      out.value.versions.push_back(version);
  }
  return out;
}

}  // namespace detail
}  // namespace lumina::http
