// Turns a lambda into a Route: its parameters say what to read and document, its return type what to answer.
//
//   get("/api/v1/books/{id}", "Read a book", Access::anyone(), {ErrorKind::not_found},
//       [&](Path<BookId> id) { return books.find(*id); })
//
// The lambda returns Result<T>, Task<Result<T>> or Eventual<Result<T>>, where Answer<T> exists. It forwards
// and is not itself a coroutine: a coroutine lambda loses its captures when the lambda dies.
#pragma once
#include "core/base/task.hpp"
#include "core/http/answer.hpp"
#include "core/http/extract.hpp"
#include "core/http/problem.hpp"
#include "core/http/route.hpp"

#include <tuple>
#include <type_traits>
#include <utility>

namespace lumina::http {
namespace detail {

template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class C, class R, class... Args>
struct Signature<R (C::*)(Args...) const> {
  using Return = R;
  using Values = std::tuple<std::decay_t<Args>...>;
};

template <class R>
struct Unwrap;
template <class T>
struct Unwrap<Result<T>> {
  using Value = T;
};
template <class T>
struct Unwrap<Task<Result<T>>> {
  using Value = T;
};
template <class T>
struct Unwrap<Eventual<Result<T>>> {
  using Value = T;
};

template <class F>
concept HandlerFunction = requires { typename Unwrap<typename Signature<F>::Return>::Value; };

template <class T>
Response respond(Context& context, Result<T>&& result) {
  if (!result) return problem(context, std::move(result.error()));
  if constexpr (std::is_void_v<T>) {
    Response response;
    response.status = context.route->success;
    response.content_type.clear();
    return response;
  } else {
    return Answer<T>::make(context, std::move(*result));
  }
}

template <class T>
Task<Response> respond_later(Context& context, Task<Result<T>> task) {
  auto result = co_await std::move(task);
  co_return respond<T>(context, std::move(result));
}

template <class T>
Eventual<Response> finish(Context& context, Result<T>&& result) {
  return respond<T>(context, std::move(result));
}
template <class T>
Eventual<Response> finish(Context& context, Task<Result<T>>&& task) {
  return respond_later<T>(context, std::move(task));
}
template <class T>
Eventual<Response> finish(Context& context, Eventual<Result<T>>&& eventual) {
  if (eventual.ready()) return respond<T>(context, std::move(eventual.value()));
  return respond_later<T>(context, std::move(eventual.task()));
}

template <class... Args>
void document_arguments(Route& route, std::tuple<Args...>*) {
  (Extract<Args>::document(route), ...);
}
template <class... Args>
std::tuple<Args...> read_arguments(Context& context, std::tuple<Args...>*) {
  if (context.route->selectable) read_members(context);
  if (context.route->paged) read_paging(context);
  std::tuple<Args...> values{Extract<Args>::from(context)...};  // braces: left to right
  if (context.route->query == nullptr) refuse_leftover_query(context);
  return values;
}

// Gives the path parameters their names and checks that the pattern and the signature agree; throws
// otherwise.
void name_path_parameters(Route& route);
// Whether ?fields= has a meaning: it reads, answers objects, and has no parameter of its own that is called
// so.
bool selects_members(const Route& route);

template <class F>
Route make_route(Method method, std::string path, std::string summary, Access access,
                 std::vector<ErrorKind> errors, F f) {
  static_assert(HandlerFunction<F>,
                "a handler returns Result<T>, Task<Result<T>> or Eventual<Result<T>> and takes extractors");
  using Sig = Signature<F>;
  using Value = typename Unwrap<typename Sig::Return>::Value;
  Route route{.method = method,
              .path = std::move(path),
              .summary = std::move(summary),
              .access = access,
              .errors = std::move(errors)};
  document_arguments(route, static_cast<typename Sig::Values*>(nullptr));
  Answer<Value>::document(route);
  name_path_parameters(route);
  route.selectable = route.selectable && selects_members(route);
  route.handler = [f = std::move(f)](Context& context) -> Eventual<Response> {
    auto values = read_arguments(context, static_cast<typename Sig::Values*>(nullptr));
    if (context.refusal) return problem(context, std::move(*context.refusal));
    if (!context.errors.empty()) return problem(context, invalid(std::move(context.errors)).error());
    return finish(context, std::apply(f, std::move(values)));
  };
  return route;
}

}  // namespace detail

template <class F>
Route get(std::string path, std::string summary, Access access, std::vector<ErrorKind> errors, F f) {
  return detail::make_route(Method::get, std::move(path), std::move(summary), access, std::move(errors),
                            std::move(f));
}
template <class F>
Route post(std::string path, std::string summary, Access access, std::vector<ErrorKind> errors, F f) {
  return detail::make_route(Method::post, std::move(path), std::move(summary), access, std::move(errors),
                            std::move(f));
}
template <class F>
Route put(std::string path, std::string summary, Access access, std::vector<ErrorKind> errors, F f) {
  return detail::make_route(Method::put, std::move(path), std::move(summary), access, std::move(errors),
                            std::move(f));
}
template <class F>
Route patch(std::string path, std::string summary, Access access, std::vector<ErrorKind> errors, F f) {
  auto route = detail::make_route(Method::patch, std::move(path), std::move(summary), access,
                                  std::move(errors), std::move(f));
  route.body_media = {"application/merge-patch+json", "application/json"};
  return route;
}
template <class F>
Route del(std::string path, std::string summary, Access access, std::vector<ErrorKind> errors, F f) {
  return detail::make_route(Method::del, std::move(path), std::move(summary), access, std::move(errors),
                            std::move(f));
}

}  // namespace lumina::http
