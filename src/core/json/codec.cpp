#include "core/json/codec.hpp"

#include "core/base/text.hpp"
#include "core/json/parse.hpp"
#include "core/schema/distinct.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>

namespace lumina::json {
namespace {

namespace bj = boost::json;
using schema::Field;
using schema::Kind;
using schema::Rule;
using schema::Type;

// Well-formed UTF-8 whatever came in: each byte that belongs to no sequence becomes U+FFFD.
std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t n = 1;
    while (n <= std::min<std::size_t>(4, text.size()) && !is_valid_utf8(text.substr(0, n))) ++n;
    if (n > std::min<std::size_t>(4, text.size())) {
      out += "\xEF\xBF\xBD";
      n = 1;
    } else {
      out += text.substr(0, n);
    }
    text.remove_prefix(n);
  }
  return out;
}

// A name that came from outside, short and fit to be shown.
std::string printable(std::string_view name) {
  const std::string mended = repaired(name);
  return std::string(utf8_prefix(mended, 100));
}

// Collects faults while walking; knows where it is.
struct Walk {
  Location at;
  std::vector<FieldError>& errors;

  void fault(std::string message, std::string type) {
    errors.push_back({at, std::move(message), std::move(type)});
  }
};

// Bounds for people: 100000, not 1e+05.
std::string plain(double v) {
  if (std::trunc(v) == v && std::abs(v) < 1e15) return std::to_string(static_cast<std::int64_t>(v));
  std::string s;
  append_number(s, v);
  return s;
}

std::string joined(std::span<const std::string_view> names) {
  std::string s;
  for (auto n : names) s += (s.empty() ? "" : ", ") + std::string(n);
  return s;
}

void check_number(double v, const std::vector<Rule>& rules, Walk& walk) {
  for (const Rule& r : rules) {
    if (r.kind == Rule::Kind::range && !(v >= r.low && v <= r.high))
      walk.fault(fmt::format("must be between {} and {}", plain(r.low), plain(r.high)), "range");
    if (r.kind == Rule::Kind::step && std::abs(std::remainder(v, r.low)) > 1e-9)
      walk.fault(fmt::format("must be a multiple of {}", plain(r.low)), "step");
  }
}

void check_text(std::string_view v, const std::vector<Rule>& rules, Walk& walk) {
  if (v.find('\0') != std::string_view::npos)
    return walk.fault("must not contain the NUL character", "characters");
  for (const Rule& r : rules) {
    if (r.kind == Rule::Kind::length) {
      const auto n = static_cast<double>(utf8_length(v));
      if (n < r.low && r.low <= 1)
        walk.fault("must not be empty", "length");
      else if (n < r.low || n > r.high)
        walk.fault(r.low > 0
                       ? fmt::format("must have between {} and {} characters", plain(r.low), plain(r.high))
                       : fmt::format("must have at most {} characters", plain(r.high)),
                   "length");
    }
    if (r.kind == Rule::Kind::one_of && std::find(r.choices.begin(), r.choices.end(), v) == r.choices.end())
      walk.fault("must be one of " + joined(r.choices), "one_of");
    if (r.kind == Rule::Kind::format && !r.check(v))
      walk.fault(std::string(r.message), std::string(r.format_name));
  }
}

void check_count(std::size_t n, const std::vector<Rule>& rules, Walk& walk) {
  for (const Rule& r : rules)
    if (r.kind == Rule::Kind::items && (static_cast<double>(n) < r.low || static_cast<double>(n) > r.high))
      walk.fault(fmt::format("must have between {} and {} items", plain(r.low), plain(r.high)), "items");
}

// What could not be read has its own fault: numbers below the lowest stand where nothing was put.
void check_distinct(const Type& type, const void* all, const std::vector<Rule>& rules, Walk& walk) {
  if (!std::ranges::any_of(rules, schema::is_distinct)) return;
  const Type& element = type.element();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < type.size(all); ++i) {
    const void* one = type.at(all, i);
    const bool text = element.kind == Kind::string;
    if (!text && element.get_integer(one) < element.lowest) continue;
    const auto key = text ? *static_cast<const std::string*>(one) : std::to_string(element.get_integer(one));
    if (seen.insert(key).second) continue;
    walk.at.push_back(fmt::format("{}", i));
    walk.fault("comes twice", "duplicate");
    walk.at.pop_back();
  }
}

void set_integer(const Type& type, void* out, std::int64_t v, const std::vector<Rule>& rules, Walk& walk) {
  if (v < type.lowest || v > type.highest) {
    const bool positive = type.lowest == 1;
    return walk.fault(positive ? "must be a positive integer" : "is too large", "range");
  }
  check_number(static_cast<double>(v), rules, walk);
  type.set_integer(out, v);
}

void set_choice(const Type& type, void* out, std::string_view text, Walk& walk) {
  const auto it = std::find(type.choices.begin(), type.choices.end(), text);
  if (it == type.choices.end()) return walk.fault("must be one of " + joined(type.choices), "one_of");
  type.set_integer(out, it - type.choices.begin());
}

void set_time(const Type& type, void* out, std::string_view text, Walk& walk) {
  const auto t = parse_rfc3339(text);
  if (!t) return walk.fault("must be a time such as 2026-11-22T10:00:00Z", "timestamp");
  type.set_integer(out, t->ms);
}

void read(const Type& type, const std::vector<Rule>& rules, void* out, const bj::value& v, Walk& walk);

void read_object(const Type& type, void* out, const bj::object& object, Walk& walk) {
  for (const Field& field : type.fields) {
    const auto* member = object.if_contains({field.name.data(), field.name.size()});
    if (!member && !field.required) continue;
    walk.at.emplace_back(field.name);
    if (member)
      read(field.type(), field.rules, field.of(out), *member, walk);
    else
      walk.fault("is required", "missing");
    walk.at.pop_back();
  }
  for (const auto& [key, value] : object) {
    const std::string_view name(key.data(), key.size());
    if (std::any_of(type.fields.begin(), type.fields.end(), [&](const Field& f) { return f.name == name; }))
      continue;
    walk.at.push_back(printable(name));
    walk.fault("is not a known member", "unknown");
    walk.at.pop_back();
  }
}

void read(const Type& type, const std::vector<Rule>& rules, void* out, const bj::value& v, Walk& walk) {
  switch (type.kind) {
    case Kind::boolean:
      if (!v.is_bool()) return walk.fault("must be true or false", "type");
      return type.set_integer(out, v.get_bool());
    case Kind::integer:
      if (v.is_int64()) return set_integer(type, out, v.get_int64(), rules, walk);
      if (v.is_uint64()) return walk.fault("is too large", "range");
      if (v.is_double() && std::abs(v.get_double()) < 9007199254740992.0 &&
          std::trunc(v.get_double()) == v.get_double())
        return set_integer(type, out, static_cast<std::int64_t>(v.get_double()), rules, walk);
      return walk.fault("must be an integer", "type");
    case Kind::number: {
      if (!v.is_number()) return walk.fault("must be a number", "type");
      const double d = v.to_number<double>();
      check_number(d, rules, walk);
      *static_cast<double*>(out) = d;
      return;
    }
    case Kind::string: {
      if (!v.is_string()) return walk.fault("must be a string", "type");
      const std::string_view text(v.get_string().data(), v.get_string().size());
      check_text(text, rules, walk);
      static_cast<std::string*>(out)->assign(text);
      return;
    }
    case Kind::timestamp:
      if (!v.is_string()) return walk.fault("must be a string", "type");
      return set_time(type, out, {v.get_string().data(), v.get_string().size()}, walk);
    case Kind::enumeration:
      if (!v.is_string()) return walk.fault("must be a string", "type");
      return set_choice(type, out, {v.get_string().data(), v.get_string().size()}, walk);
    case Kind::optional:
    case Kind::patch:
      if (v.is_null()) return type.set_null(out);
      return read(type.element(), rules, type.emplace(out), v, walk);
    case Kind::array: {
      if (!v.is_array()) return walk.fault("must be an array", "type");
      check_count(v.get_array().size(), rules, walk);
      std::size_t index = 0;
      for (const auto& item : v.get_array()) {
        walk.at.push_back(fmt::format("{}", index++));
        read(type.element(), rules, type.append(out), item, walk);
        walk.at.pop_back();
      }
      check_distinct(type, out, rules, walk);
      return;
    }
    case Kind::object:
      if (!v.is_object()) return walk.fault("must be an object", "type");
      return read_object(type, out, v.get_object(), walk);
    case Kind::json: {
      const auto text = bj::serialize(v);
      static_cast<schema::RawJson*>(out)->text.assign(text.data(), text.size());
      return;
    }
  }
}

void read_text(const Type& type, const std::vector<Rule>& rules, void* out, std::string_view text,
               Walk& walk) {
  switch (type.kind) {
    case Kind::boolean:
      if (text == "true" || text == "1") return type.set_integer(out, 1);
      if (text == "false" || text == "0") return type.set_integer(out, 0);
      return walk.fault("must be true or false", "type");
    case Kind::integer: {
      std::int64_t v = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
      if (error == std::errc::result_out_of_range) return walk.fault("is too large", "range");
      if (error != std::errc{} || end != text.data() + text.size())
        return walk.fault("must be an integer", "type");
      return set_integer(type, out, v, rules, walk);
    }
    case Kind::number: {
      double v = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
      if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(v))
        return walk.fault("must be a number", "type");
      check_number(v, rules, walk);
      *static_cast<double*>(out) = v;
      return;
    }
    case Kind::string:
      if (!is_valid_utf8(text)) return walk.fault("must be UTF-8", "characters");
      check_text(text, rules, walk);
      static_cast<std::string*>(out)->assign(text);
      return;
    case Kind::timestamp:
      return set_time(type, out, text, walk);
    case Kind::enumeration:
      return set_choice(type, out, text, walk);
    case Kind::optional:
    case Kind::patch:
      return read_text(type.element(), rules, type.emplace(out), text, walk);
    case Kind::array: {
      std::size_t count = 0;
      while (!text.empty()) {
        const auto comma = text.find(',');
        read_text(type.element(), rules, type.append(out), text.substr(0, comma), walk);
        ++count;
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
      }
      check_count(count, rules, walk);
      return check_distinct(type, out, rules, walk);
    }
    case Kind::object:
    case Kind::json:
      return walk.fault("cannot be given as text", "type");
  }
}

}  // namespace

Status decode(const Type& type, void* out, std::string_view text, const Location& at) {
  auto parsed = parse(text);
  if (!parsed) return Failure(std::move(parsed.error()));
  std::vector<FieldError> errors;
  Walk walk{at, errors};
  for (const auto& name : parsed->duplicates) {
    walk.at.push_back(printable(name));
    walk.fault("comes twice", "duplicate");
    walk.at.pop_back();
  }
  read(type, {}, out, parsed->value, walk);
  if (!errors.empty()) return invalid(std::move(errors));
  return {};
}

Status detail::each_element(const Type& type, std::string_view text, std::size_t most,
                            const std::function<void*()>& next, const std::function<void(Status)>& filled) {
  auto parsed = parse(text);
  if (!parsed) return Failure(std::move(parsed.error()));
  if (!parsed->value.is_array()) return invalid({{{"body"}, "must be an array", "type"}});
  const auto& array = parsed->value.get_array();
  if (array.size() > most)
    return invalid({{{"body"}, fmt::format("must have at most {} items", most), "items"}});
  for (std::size_t i = 0; i < array.size(); ++i) {
    std::vector<FieldError> errors;
    Walk walk{{"body", fmt::format("{}", i)}, errors};
    read(type, {}, next(), array[i], walk);
    filled(errors.empty() ? Status{} : Status(invalid(std::move(errors))));
  }
  return {};
}

void decode_text(const Type& type, const std::vector<Rule>& rules, void* out, std::string_view text,
                 const Location& at, std::vector<FieldError>& errors) {
  Walk walk{at, errors};
  read_text(type, rules, out, text, walk);
}

void decode_pairs(const Type& type, void* out, const std::vector<std::pair<std::string, std::string>>& pairs,
                  std::string_view where, std::vector<FieldError>& errors) {
  Walk walk{{std::string(where)}, errors};
  std::vector<bool> seen(type.fields.size());
  for (const auto& [name, value] : pairs) {
    walk.at.push_back(printable(name));
    const auto field =
        std::find_if(type.fields.begin(), type.fields.end(), [&](const Field& f) { return f.name == name; });
    if (field == type.fields.end()) {
      walk.fault("is not a known parameter", "unknown");
    } else if (const auto i = static_cast<std::size_t>(field - type.fields.begin()); seen[i]) {
      walk.fault("comes twice", "duplicate");
    } else {
      seen[i] = true;
      read_text(field->type(), field->rules, field->of(out), value, walk);
    }
    walk.at.pop_back();
  }
  for (std::size_t i = 0; i < type.fields.size(); ++i)
    if (!seen[i] && type.fields[i].required) {
      walk.at.emplace_back(type.fields[i].name);
      walk.fault("is required", "missing");
      walk.at.pop_back();
    }
}

void append_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string mended;
  if (!is_valid_utf8(text)) text = mended = repaired(text);
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(text, from);
  out += '"';
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

namespace {

void encode_member(const Field& field, const void* object, bool& first, std::string& out) {
  const Type& member = field.type();
  const void* place = field.of(object);
  if (field.omit_absent && member.kind == Kind::optional && member.get(place) == nullptr) return;
  if (!first) out += ',';
  first = false;
  out += '"';
  out += field.name;
  out += "\":";
  encode(member, place, out);
}

}  // namespace

void encode_members(const Type& type, const void* value, const std::vector<std::size_t>& members,
                    std::string& out) {
  if (type.kind == Kind::array) {
    out += '[';
    const std::size_t n = type.size(value);
    for (std::size_t i = 0; i < n; ++i) {
      if (i != 0) out += ',';
      encode_members(type.element(), type.at(value, i), members, out);
    }
    out += ']';
    return;
  }
  if (type.kind != Kind::object) return encode(type, value, out);
  out += '{';
  bool first = true;
  for (const auto index : members) encode_member(type.fields.at(index), value, first, out);
  out += '}';
}

void encode(const Type& type, const void* value, std::string& out) {
  switch (type.kind) {
    case Kind::boolean:
      out += type.get_integer(value) != 0 ? "true" : "false";
      return;
    case Kind::integer: {
      char buffer[24];
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, type.get_integer(value)).ptr);
      return;
    }
    case Kind::number:
      return append_number(out, *static_cast<const double*>(value));
    case Kind::string:
      return append_string(out, *static_cast<const std::string*>(value));
    case Kind::json:
      out += static_cast<const schema::RawJson*>(value)->text;
      return;
    case Kind::timestamp:
      out += '"';
      out += to_rfc3339({type.get_integer(value)});
      out += '"';
      return;
    case Kind::enumeration:
      out += '"';
      out += type.choices[static_cast<std::size_t>(type.get_integer(value))];
      out += '"';
      return;
    case Kind::optional:
    case Kind::patch:
      if (const void* inner = type.get(value)) return encode(type.element(), inner, out);
      out += "null";
      return;
    case Kind::array: {
      out += '[';
      const std::size_t n = type.size(value);
      for (std::size_t i = 0; i < n; ++i) {
        if (i != 0) out += ',';
        encode(type.element(), type.at(value, i), out);
      }
      out += ']';
      return;
    }
    case Kind::object: {
      out += '{';
      bool first = true;
      for (const Field& field : type.fields) encode_member(field, value, first, out);
      out += '}';
      return;
    }
  }
}

}  // namespace lumina::json
