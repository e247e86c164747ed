// What a handler can return, and how each becomes a response and a line in the document.
#pragma once
#include "core/base/page.hpp"
#include "core/http/context.hpp"
#include "core/http/message.hpp"
#include "core/http/route.hpp"
#include "core/json/codec.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::http {

// 201 with Location.
template <class T>
struct Created {
  T value;
  std::string location;
  std::int64_t version = 0;
};
// A single resource with the version that its ETag carries and If-Match names.
template <class T>
struct Versioned {
  T value;
  std::int64_t version = 0;
};
// Strong, from the bytes; with the version in front when there is one: "3-9f86d081884c7d65".
std::string make_etag(std::string_view body, std::int64_t version = 0);

namespace detail {
// With the members that ?fields= asks for.
template <class T>
std::string encoded(const Context& context, const T& value) {
  if (context.members.empty()) return json::encode(value);
  std::string out;
  json::encode_members(schema::type_of<T>(), &value, context.members, out);
  return out;
}
Response json_response(int status, std::string body, std::int64_t version, bool single);
Response page_response(Context& context, std::string items, std::size_t count, std::int64_t total,
                       const std::optional<std::string>& next_cursor);
}  // namespace detail

template <class T>
struct Answer {  // a described struct
  static void document(Route& route) {
    route.answer = &schema::type_of<T>();
    route.selectable = true;
  }
  static Response make(Context& context, T&& value) {
    return detail::json_response(context.route->success, detail::encoded(context, value), 0, true);
  }
};
template <>
struct Answer<void> {
  static void document(Route& route) { route.success = 204; }
};
template <>
struct Answer<Response> {
  static void document(Route&) {}
  static Response make(Context&, Response&& response) { return std::move(response); }
};
template <class T>
struct Answer<std::vector<T>> {
  static void document(Route& route) {
    route.answer = &schema::type_of<T>();
    route.answers_array = true;
    route.selectable = true;
  }
  static Response make(Context& context, std::vector<T>&& value) {
    return detail::json_response(context.route->success, detail::encoded(context, value), 0, false);
  }
};
template <class T>
struct Answer<Page<T>> {
  static void document(Route& route) {
    route.answer = &schema::type_of<T>();
    route.answers_array = true;
    route.selectable = true;
  }
  static Response make(Context& context, Page<T>&& page) {
    return detail::page_response(context, detail::encoded(context, page.items), page.items.size(), page.total,
                                 page.next_cursor);
  }
};
template <class T>
struct Answer<Created<T>> {
  static void document(Route& route) {
    route.answer = &schema::type_of<T>();
    route.success = 201;
    route.created_location = true;
  }
  static Response make(Context&, Created<T>&& created) {
    auto response = detail::json_response(201, json::encode(created.value), created.version, true);
    response.set("Location", std::move(created.location));
    return response;
  }
};
template <class T>
struct Answer<Versioned<T>> {
  static void document(Route& route) {
    route.answer = &schema::type_of<T>();
    route.selectable = true;
  }
  static Response make(Context& context, Versioned<T>&& v) {
    return detail::json_response(context.route->success, detail::encoded(context, v.value), v.version, true);
  }
};
}  // namespace lumina::http
