#include "core/http/openapi.hpp"

#include "core/base/text.hpp"
#include "core/http/problem.hpp"
#include "core/schema/distinct.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace lumina::http {
namespace {

namespace bj = boost::json;
using schema::Field;
using schema::Kind;
using schema::Rule;
using schema::Type;

bj::string_view view(std::string_view s) { return {s.data(), s.size()}; }

bj::value number(double v) {
  if (std::trunc(v) == v) return static_cast<std::int64_t>(v);
  return v;
}

// Schemas, with the named ones collected as components.
class Schemas {
 public:
  bj::object of(const Type& type, const std::vector<Rule>& rules, bool request) {
    switch (type.kind) {
      case Kind::boolean:
        return {{"type", "boolean"}};
      case Kind::integer: {
        bj::object s{{"type", "integer"}, {"format", type.highest == INT32_MAX ? "int32" : "int64"}};
        if (type.lowest == 1) s["minimum"] = 1;
        return ruled(std::move(s), rules, false);
      }
      case Kind::number:
        return ruled({{"type", "number"}}, rules, false);
      case Kind::string:
        return ruled({{"type", "string"}}, rules, false);
      case Kind::timestamp:
        return {{"type", "string"}, {"format", "date-time"}};
      case Kind::enumeration: {
        bj::array names;
        for (auto n : type.choices) names.emplace_back(view(n));
        return {{"type", "string"}, {"enum", std::move(names)}};
      }
      case Kind::optional:
      case Kind::patch:
        return nullable(of(type.element(), rules, request));
      case Kind::array: {
        bj::object s{{"type", "array"}, {"items", of(type.element(), rules, request)}};
        return ruled(std::move(s), rules, true);
      }
      case Kind::object:
        return reference(type, request);
      case Kind::json:
        return {};
    }
    return {};
  }
  bj::object components() {
    bj::object all;
    for (auto& [name, schema] : named_) all[name] = schema;
    return all;
  }

 private:
  static bj::object nullable(bj::object s) {
    if (s.empty()) return s;  // anything, null too
    if (auto* type = s.if_contains("type"); type && type->is_string()) {
      s["type"] = bj::array{*type, "null"};
      if (auto* choices = s.if_contains("enum")) choices->as_array().emplace_back(nullptr);
      return s;
    }
    return {{"oneOf", bj::array{std::move(s), bj::object{{"type", "null"}}}}};
  }
  static bj::object ruled(bj::object s, const std::vector<Rule>& rules, bool array) {
    for (const Rule& r : rules) {
      if (array != (r.kind == Rule::Kind::items)) continue;
      switch (r.kind) {
        case Rule::Kind::length:
          if (r.low > 0) s["minLength"] = number(r.low);
          s["maxLength"] = number(r.high);
          break;
        case Rule::Kind::range:
          s["minimum"] = number(r.low);
          s["maximum"] = number(r.high);
          break;
        case Rule::Kind::step:
          s["multipleOf"] = number(r.low);
          break;
        case Rule::Kind::one_of: {
          bj::array names;
          for (auto n : r.choices) names.emplace_back(view(n));
          s["enum"] = std::move(names);
          break;
        }
        case Rule::Kind::format:
          if (!s.contains("format")) s["format"] = view(r.format_name);
          break;
        case Rule::Kind::items:
          if (schema::is_distinct(r)) {
            s["uniqueItems"] = true;
            break;
          }
          s["minItems"] = number(r.low);
          s["maxItems"] = number(r.high);
          break;
      }
    }
    return s;
  }
  bj::object reference(const Type& type, bool request) {
    const std::string name(type.name);
    if (!named_.contains(name)) {
      named_[name] = {};  // holds the place of a type that contains itself
      bj::object properties;
      bj::array required;
      for (const Field& f : type.fields) {
        auto s = of(f.type(), f.rules, request);
        s["description"] = view(f.description);
        properties[view(f.name)] = std::move(s);
        if (request ? f.required : !f.omit_absent) required.emplace_back(view(f.name));
      }
      bj::object s{{"type", "object"}, {"properties", std::move(properties)}};
      if (!required.empty()) s["required"] = std::move(required);
      if (request) s["additionalProperties"] = false;
      named_[name] = std::move(s);
    }
    return {{"$ref", "#/components/schemas/" + name}};
  }

  std::map<std::string, bj::object> named_;
};

bj::object header(std::string_view text, std::string_view type = "string") {
  return {{"description", view(text)}, {"schema", {{"type", view(type)}}}};
}
bj::object header_ref(std::string_view name) {
  return {{"$ref", "#/components/headers/" + std::string(name)}};
}

bj::object parameter(std::string_view name, std::string_view in, std::string_view text, bool required,
                     bj::object schema) {
  return {{"name", view(name)},
          {"in", view(in)},
          {"description", view(text)},
          {"required", required},
          {"schema", std::move(schema)}};
}

void add_parameters(const Route& route, Schemas& schemas, bj::array& out) {
  for (const auto& p : route.path_parameters)
    out.emplace_back(parameter(p.name, "path", "Identifier", true, schemas.of(*p.type, {}, true)));
  if (route.query)
    for (const Field& f : route.query->fields) {
      const Type* type = &f.type();
      while (type->kind == Kind::optional) type = &type->element();
      auto p = parameter(f.name, "query", f.description, f.required, schemas.of(*type, f.rules, true));
      if (type->kind == Kind::array) p["style"] = "form", p["explode"] = false;
      out.emplace_back(std::move(p));
    }
  if (route.paged)
    for (auto name : {"skip", "limit", "page", "size", "cursor"})
      out.emplace_back(bj::object{{"$ref", std::string("#/components/parameters/") + name}});
  if (route.selectable) out.emplace_back(bj::object{{"$ref", "#/components/parameters/fields"}});
  if (!route.expansions.empty()) {
    bj::array names;
    for (const auto& e : route.expansions) names.emplace_back(e.name);
    auto p = parameter("expand", "query", "Further members of the answer, separated by commas", false,
                       {{"type", "array"}, {"items", {{"type", "string"}, {"enum", std::move(names)}}}});
    p["style"] = "form", p["explode"] = false;
    out.emplace_back(std::move(p));
  }
  if (route.method == Method::post && route.repeat != Repeat::served)
    out.emplace_back(bj::object{{"$ref", "#/components/parameters/IdempotencyKey"}});
  if (route.if_match) out.emplace_back(bj::object{{"$ref", "#/components/parameters/IfMatch"}});
}

bj::object request_body(const Route& route, Schemas& schemas) {
  bj::object content;
  for (const auto& media : route.body_media) {
    bj::object schema;
    if (route.body)
      schema = schemas.of(*route.body, {}, true);
    else if (media == "multipart/form-data")
      schema = {
          {"type", "object"},
          {"properties", {{"file", {{"type", "string"}, {"contentMediaType", "application/octet-stream"}}}}},
          {"required", bj::array{"file"}}};
    else
      schema = {{"type", "string"}, {"contentMediaType", media}};
    if (route.body_array && media == "application/json")
      schema = {{"type", "array"}, {"items", std::move(schema)}, {"maxItems", 1000}};
    content[media] = {{"schema", std::move(schema)}};
  }
  return {{"required", route.body_required}, {"content", std::move(content)}};
}

bj::object success_response(const Route& route, Schemas& schemas) {
  bj::object response{{"description", view(reason_of(route.success))}};
  bj::object headers{{"X-Request-Id", header_ref("X-Request-Id")}};
  if (route.rate != RateClass::unlimited) {
    headers["RateLimit"] = header_ref("RateLimit");
    headers["RateLimit-Policy"] = header_ref("RateLimit-Policy");
  }
  if (route.method == Method::post && route.repeat == Repeat::replayed)
    headers["Idempotency-Replayed"] = header_ref("Idempotency-Replayed");
  if (route.paged) {
    headers["X-Total-Count"] = header_ref("X-Total-Count");
    headers["Link"] = header_ref("Link");
  }
  if (route.created_location) headers["Location"] = header_ref("Location");
  if (route.method == Method::get && route.answer && !route.answers_array)
    headers["ETag"] = header_ref("ETag");
  response["headers"] = std::move(headers);
  if (route.success == 204) return response;
  bj::object schema{{"type", "string"}};
  if (route.answer) {
    schema = schemas.of(*route.answer, {}, false);
    if (!route.expansions.empty()) {
      bj::object more;
      for (const auto& e : route.expansions) more[e.name] = schemas.of(*e.type, {}, false);
      schema = {{"allOf", bj::array{std::move(schema), bj::object{{"type", "object"},
                                                                  {"description", "With expand"},
                                                                  {"properties", std::move(more)}}}}};
    }
    if (route.answers_array) {
      bj::object list{{"type", "array"}, {"items", schema}};
      if (route.paged)
        schema = {{"oneOf",
                   bj::array{list, bj::object{{"type", "object"},
                                              {"description", "With page and size"},
                                              {"properties",
                                               {{"items", list},
                                                {"total", {{"type", "integer"}, {"format", "int64"}}},
                                                {"page", {{"type", "integer"}, {"format", "int64"}}},
                                                {"size", {{"type", "integer"}, {"format", "int64"}}}}},
                                              {"required", bj::array{"items", "total", "page", "size"}}}}}};
      else
        schema = std::move(list);
    }
  } else if (route.answer_media == "application/json") {
    schema = {{"type", "object"}};
  }
  response["content"] = bj::object{{route.answer_media, {{"schema", std::move(schema)}}}};
  return response;
}

constexpr auto long_target_answer = "Problem414";

bj::object responses(const Route& route, Schemas& schemas, const std::vector<OtherAnswer>& others) {
  std::map<int, bj::object> by_status;
  by_status[route.success] = success_response(route, schemas);
  const auto problem_at = [&](ErrorKind kind) {
    by_status[status_of(kind)] = {{"$ref", fmt::format("#/components/responses/Problem{}", status_of(kind))}};
  };
  for (const ErrorKind kind : route.errors) problem_at(kind);
  if (route.access.kind != Access::Kind::anyone) problem_at(ErrorKind::unauthenticated);
  if (route.access.kind == Access::Kind::permission) problem_at(ErrorKind::forbidden);
  if (route.method != Method::get) {  // those that take no body say so to whoever sends one
    problem_at(ErrorKind::malformed);
    problem_at(ErrorKind::too_large);
    problem_at(ErrorKind::unsupported_media);
  }
  if (route.method == Method::post && route.repeat != Repeat::served) {
    problem_at(ErrorKind::conflict);
    problem_at(ErrorKind::invalid);
  }
  if (route.selectable || !route.expansions.empty()) problem_at(ErrorKind::invalid);
  if (route.method != Method::get || route.query || route.paged || !route.path_parameters.empty())
    problem_at(ErrorKind::invalid);
  if (route.rate != RateClass::unlimited) problem_at(ErrorKind::rate_limited);
  // The longest path without parameters is far below the limit.
  if (route.query || route.paged || route.selectable || !route.path_parameters.empty())
    by_status[414] = {{"$ref", fmt::format("#/components/responses/{}", long_target_answer)}};
  for (const auto& other : others)
    if (other.method == route.method && other.path == route.path)
      by_status[other.status] = {{"description", view(other.description)}};
  problem_at(ErrorKind::unavailable);
  if (route.method != Method::get) problem_at(ErrorKind::storage_full);
  bj::object out;
  for (auto& [status, response] : by_status) out[fmt::format("{}", status)] = std::move(response);
  return out;
}

// get /api/v1/books/{id}/copies -> getBooksCopies; unique because verb and path are.
std::string operation_id(const Route& route) {
  std::string id = ascii_lower(to_string(route.method));
  bool upper = true;
  std::string_view path = route.path;
  if (path.starts_with("/api/v1/")) path.remove_prefix(7);
  if (path == "/") id += "Root";
  for (char c : path) {
    if (c == '{') {
      id += "By";
      upper = true;
    } else if (std::isalnum(static_cast<unsigned char>(c))) {
      id += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    } else {
      upper = true;
    }
  }
  return id;
}

std::string access_text(const Access& access) {
  if (access.kind == Access::Kind::anyone) return "Anyone.";
  if (access.kind == Access::Kind::signed_in) return "Any signed-in person.";
  std::string roles;
  for (auto role : {Role::patron, Role::librarian, Role::admin})
    if (access.allows_role(role))
      roles += (roles.empty() ? "" : " or ") + std::string(role_names[static_cast<std::size_t>(role)]);
  return fmt::format("Permission `{}`: {}.", permission_names[static_cast<std::size_t>(access.permission)],
                     roles);
}

std::string repeat_text(const Route& route) {
  if (route.method != Method::post || route.repeat == Repeat::replayed) return "";
  if (route.repeat == Repeat::withheld)
    return "With an Idempotency-Key it happens once; the answer holds a secret and is not kept, so a "
           "repetition gets 409 "
           "`idempotency_answer_not_kept`.\n\n";
  return "An Idempotency-Key is not looked at: the answer holds a secret and is not kept.\n\n";
}

bj::object operation(const Route& route, Schemas& schemas, const std::vector<OtherAnswer>& others) {
  bj::object op{{"operationId", operation_id(route)},
                {"summary", route.summary},
                {"description", (route.description.empty() ? "" : route.description + "\n\n") +
                                    repeat_text(route) + access_text(route.access)},
                {"tags", bj::array{route.tag.empty() ? "Operations" : route.tag}}};
  bj::array parameters;
  add_parameters(route, schemas, parameters);
  if (!parameters.empty()) op["parameters"] = std::move(parameters);
  if (route.body || route.body_required) op["requestBody"] = request_body(route, schemas);
  op["responses"] = responses(route, schemas, others);
  if (route.retirement) op["deprecated"] = true;
  if (route.access.kind == Access::Kind::anyone)
    op["security"] = bj::array{};
  else
    op["security"] = bj::array{bj::object{{"bearer", bj::array{}}}, bj::object{{"apiKey", bj::array{}}}};
  return op;
}

std::string_view about_tag(std::string_view tag) {
  static constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"Accounts", "Signing up, in and out; people, roles, keys."},
      {"Audit", "Who did what."},
      {"Catalogue", "Books and their copies."},
      {"Circulation", "Borrowing and returning."},
      {"Lists", "Reading lists, wishlists and the library's curated lists."},
      {"Operations", "Is it alive, is it ready, how is it doing."},
      {"Pages", "Whole pages in one answer."},
      {"Reviews", "Reviews, their sentiment and what they add up to."},
      {"Tasks", "Long work and how it stands."}};
  for (const auto& [name, text] : known)
    if (name == tag) return text;
  return tag;
}

bj::object problem_components() {
  bj::object all;
  for (const auto kind :
       {ErrorKind::malformed, ErrorKind::unauthenticated, ErrorKind::forbidden, ErrorKind::not_found,
        ErrorKind::conflict, ErrorKind::stale, ErrorKind::too_large, ErrorKind::unsupported_media,
        ErrorKind::invalid, ErrorKind::rate_limited, ErrorKind::unavailable, ErrorKind::storage_full}) {
    const int status = status_of(kind);
    bj::object response{
        {"description", view(reason_of(status))},
        {"content",
         {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
    if (status == 429 || status == 503) response["headers"] = {{"Retry-After", header_ref("Retry-After")}};
    if (status == 401) response["headers"] = {{"WWW-Authenticate", header("How to authenticate")}};
    all[fmt::format("Problem{}", status)] = std::move(response);
  }
  all[long_target_answer] = bj::object{
      {"description", "The target is longer than 8 KiB"},
      {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  return all;
}

bj::object problem_schema() {
  const auto text = [](std::string_view d) {
    return bj::object{{"type", "string"}, {"description", view(d)}};
  };
  return {{"type", "object"},
          {"description", "RFC 9457 problem document"},
          {"properties",
           {{"type", text("Address of the kind of problem")},
            {"title", text("The status in words")},
            {"status", {{"type", "integer"}}},
            {"detail", text("A sentence that may be shown")},
            {"instance", text("The path that was asked for")},
            {"code", text("Stable and machine-readable")},
            {"request_id", text("Finds the request in the log")},
            {"errors",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"properties",
                 {{"loc", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                  {"msg", {{"type", "string"}}},
                  {"type", {{"type", "string"}}}}},
                {"required", bj::array{"loc", "msg", "type"}}}}}}}},
          {"required", bj::array{"type", "title", "status", "detail", "code", "request_id"}}};
}

bj::object common_parameters() {
  const auto whole = [](std::int64_t low, std::int64_t fallback) {
    return bj::object{{"type", "integer"}, {"format", "int64"}, {"minimum", low}, {"default", fallback}};
  };
  auto limit = whole(1, 100), size = whole(1, 20);
  limit["maximum"] = 100;
  size["maximum"] = 100;
  return {
      {"skip", parameter("skip", "query", "Rows to leave out; answers a bare array", false, whole(0, 0))},
      {"limit", parameter("limit", "query", "Rows to answer", false, std::move(limit))},
      {"page", parameter("page", "query", "Page from 1; answers an envelope", false, whole(1, 1))},
      {"size", parameter("size", "query", "Rows of a page", false, std::move(size))},
      {"cursor", parameter("cursor", "query", "From Link rel=next: goes on where a page ended", false,
                           {{"type", "string"}})},
      {"fields",
       parameter("fields", "query", "Members of the answer to give, separated by commas; all without it",
                 false, {{"type", "string"}})},
      {"IdempotencyKey", parameter("Idempotency-Key", "header",
                                   "1 to 255 visible ASCII characters. The same request with the same key "
                                   "within 24 hours gets the first "
                                   "answer again, with Idempotency-Replayed: true; another request with it "
                                   "422; while the first runs 409",
                                   false, {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}})},
      {"IfMatch", parameter("If-Match", "header", "The ETag that was read; an older one is refused with 412",
                            false, {{"type", "string"}})}};
}

// Two spaces a level; short enough to read, stable enough to compare.
void pretty(const bj::value& v, std::string& out, int depth) {
  const std::string pad(static_cast<std::size_t>(depth) * 2 + 2, ' ');
  if (v.is_object() && !v.get_object().empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& [key, member] : v.get_object()) {
      if (!first) out += ",\n";
      first = false;
      out += pad + bj::serialize(bj::value(key)) + ": ";
      pretty(member, out, depth + 1);
    }
    out += "\n" + pad.substr(2) + "}";
  } else if (v.is_array() && !v.get_array().empty() && v.get_array().front().is_structured()) {
    out += "[\n";
    bool first = true;
    for (const auto& item : v.get_array()) {
      if (!first) out += ",\n";
      first = false;
      out += pad;
      pretty(item, out, depth + 1);
    }
    out += "\n" + pad.substr(2) + "]";
  } else if (v.is_double()) {
    out += fmt::format("{}", v.get_double());
  } else {
    out += bj::serialize(v);
  }
}

}  // namespace

std::string openapi_document(const std::vector<Route>& routes, const std::vector<OtherAnswer>& others) {
  Schemas schemas;
  bj::object paths;
  std::set<std::string> tags;
  for (const Route& route : routes) {
    if (route.hidden) continue;
    auto& path = paths[route.path];
    if (path.is_null()) path = bj::object{};
    path.as_object()[ascii_lower(to_string(route.method))] = operation(route, schemas, others);
    tags.insert(route.tag.empty() ? "Operations" : route.tag);
  }
  bj::array tag_list;
  for (const auto& tag : tags)
    tag_list.emplace_back(bj::object{{"name", tag}, {"description", view(about_tag(tag))}});
  auto component_schemas = schemas.components();
  component_schemas["Problem"] = problem_schema();
  bj::object document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "LuminaLib"},
        {"version", LUMINA_VERSION},
        {"description",
         "An intelligent library in one program: catalogue, lending, reviews with sentiment."}}},
      {"servers", bj::array{bj::object{{"url", "/"}, {"description", "This server"}}}},
      {"tags", std::move(tag_list)},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", std::move(component_schemas)},
        {"responses", problem_components()},
        {"parameters", common_parameters()},
        {"headers",
         {{"X-Request-Id", header("Identifies the request in the log")},
          {"RateLimit", header("Requests left and seconds until the window ends")},
          {"RateLimit-Policy", header("The quota and its window")},
          {"X-Total-Count", header("Rows of the whole list", "integer")},
          {"Link", header("RFC 8288: first, prev, next, last")},
          {"Location", header("The new resource")},
          {"Idempotency-Replayed",
           header("true: this is the answer of an earlier request with the same key", "boolean")},
          {"ETag", header("Strong; its version part is what If-Match compares")},
          {"Retry-After", header("Seconds to wait", "integer")}}},
        {"securitySchemes",
         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
          {"apiKey", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}}}}}};
  std::string out;
  pretty(document, out, 0);
  return out + "\n";
}

}  // namespace lumina::http
