// What a handler can ask for by naming it in its parameter list. Each reads itself from the request and
// documents itself in the route; the faults of all are answered together.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/http/context.hpp"
#include "core/http/route.hpp"
#include "core/json/codec.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::http {

// The next {parameter} of the path.
template <class T>
struct Path {
  T value{};
  const T& operator*() const { return value; }
};
// The query string as a described struct; unknown parameters are faults.
template <class T>
struct Query {
  T value{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};
// The JSON body as a described struct.
template <class T>
struct Body {
  T value{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};
// A JSON body that may be missing.
template <class T>
struct OptionalBody {
  T value{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};
// A JSON body, or the same fields as application/x-www-form-urlencoded (OAuth 2.0 password form).
template <class T>
struct JsonOrForm {
  T value{};
  const T& operator*() const { return value; }
};
// A file: multipart/form-data with one part named `file`, or the bytes themselves as the body.
struct Upload {
  std::string filename;
  std::string media_type;
  std::string bytes;
};
// skip/limit, page/size or cursor.
struct Paging {
  PageRequest value;
  const PageRequest& operator*() const { return value; }
};
// The versions named by If-Match; not given when the header is missing or "*".
struct IfMatch {
  Precondition value;
  const Precondition& operator*() const { return value; }
};
// The request itself, for what has no extractor: headers of content negotiation.
struct RawRequest {
  const Request* request = nullptr;
  std::string_view header(std::string_view name) const { return request->head.header(name); }
};

namespace detail {
// The shared, untyped work behind the templates.
bool has_json_body(Context& context);  // false also sets context.refusal for a wrong media type
void read_json_body(Context& context, const schema::Type& type, void* out, bool required);
void read_form_or_json(Context& context, const schema::Type& type, void* out);
void read_path_value(Context& context, const schema::Type& type, void* out);
void read_paging(Context& context);
void read_members(Context& context);  // ?fields=
void read_query(Context& context, const schema::Type& type, void* out);
void refuse_leftover_query(Context& context);
Upload read_upload(Context& context);
IfMatch read_if_match(const Context& context);
}  // namespace detail

// Extract<T>: `document` adds to the route what T means for it; `from` reads T.
template <class T>
struct Extract;

template <class T>
struct Extract<Path<T>> {
  static void document(Route& route) { route.path_parameters.push_back({"", &schema::type_of<T>()}); }
  static Path<T> from(Context& context) {
    Path<T> out;
    detail::read_path_value(context, schema::type_of<T>(), &out.value);
    return out;
  }
};
template <class T>
struct Extract<Query<T>> {
  static void document(Route& route) { route.query = &schema::type_of<T>(); }
  static Query<T> from(Context& context) {
    Query<T> out;
    detail::read_query(context, schema::type_of<T>(), &out.value);
    return out;
  }
};
template <class T>
struct Extract<Body<T>> {
  static void document(Route& route) {
    route.body = &schema::type_of<T>();
    route.body_required = true;
  }
  static Body<T> from(Context& context) {
    Body<T> out;
    detail::read_json_body(context, schema::type_of<T>(), &out.value, true);
    return out;
  }
};
template <class T>
struct Extract<OptionalBody<T>> {
  static void document(Route& route) { route.body = &schema::type_of<T>(); }
  static OptionalBody<T> from(Context& context) {
    OptionalBody<T> out;
    detail::read_json_body(context, schema::type_of<T>(), &out.value, false);
    return out;
  }
};
template <class T>
struct Extract<JsonOrForm<T>> {
  static void document(Route& route) {
    route.body = &schema::type_of<T>();
    route.body_required = true;
    route.body_media = {"application/json", "application/x-www-form-urlencoded"};
  }
  static JsonOrForm<T> from(Context& context) {
    JsonOrForm<T> out;
    detail::read_form_or_json(context, schema::type_of<T>(), &out.value);
    return out;
  }
};
template <>
struct Extract<Upload> {
  static void document(Route& route) {
    route.body_required = true;
    route.body_media = {"multipart/form-data", "application/octet-stream"};
  }
  static Upload from(Context& context) { return detail::read_upload(context); }
};
template <>
struct Extract<Paging> {
  static void document(Route& route) { route.paged = true; }
  static Paging from(Context& context) { return {context.page}; }
};
template <>
struct Extract<IfMatch> {
  static void document(Route& route) { route.if_match = true; }
  static IfMatch from(Context& context) { return detail::read_if_match(context); }
};
template <>
struct Extract<Caller> {
  static void document(Route&) {}
  static Caller from(Context& context) { return context.caller; }
};
template <>
struct Extract<RawRequest> {
  static void document(Route&) {}
  static RawRequest from(Context& context) { return {context.request}; }
};

}  // namespace lumina::http
