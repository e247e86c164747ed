// Further things in the answer about one: GET /books/5?expand=availability,reviews puts members
// `availability` and `reviews` into the book. Each costs what its loader costs, a fixed number of queries,
// and only when it is asked for.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/http/context.hpp"
#include "core/http/route.hpp"
#include "core/json/codec.hpp"

#include <functional>
#include <string>
#include <vector>

namespace lumina::http {

struct Expansion {
  std::string name;
  const schema::Type* type = nullptr;
  // JSON text; an error ends the request. Reads context.path_values and context.caller only.
  std::function<Task<Result<std::string>>(const Context&)> load;
  bool personal = false;  // differs by caller: such an answer is not kept in memory
};

// Wraps a route that answers one object; to be wrapped by cached() in turn, if at all. Unknown names are 422.
Route expandable(Route route, std::vector<Expansion> expansions);
// The number in the first path parameter, 0 when it is none.
std::int64_t path_id(const Context& context);

template <class T>
Task<Result<std::string>> encoded_later(Task<Result<T>> task) {
  auto value = co_await std::move(task);
  if (!value) co_return Failure(std::move(value.error()));
  co_return json::encode(*value);
}

}  // namespace lumina::http
