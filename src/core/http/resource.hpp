// Answers of services that give one resource: with its version for the ETag, and where a new one stands.
//
//   return versioned(books.find(*id));
//   return created(books.create(*book, by), "/api/v1/books/");
//
// A resource without a member `version` gets an ETag from its bytes alone.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/http/answer.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace lumina::http {

template <class T>
std::int64_t version_of(const T& resource) {
  if constexpr (requires { resource.version; })
    return resource.version;
  else
    return 0;
}

template <class T>
Task<Result<Versioned<T>>> versioned(Task<Result<T>> task) {
  auto value = co_await std::move(task);
  if (!value) co_return Failure(std::move(value.error()));
  const auto version = version_of(*value);
  co_return Versioned<T>{std::move(*value), version};
}

// The resource stands at `folder` followed by its id.
template <class T>
Task<Result<Created<T>>> created(Task<Result<T>> task, std::string folder) {
  auto value = co_await std::move(task);
  if (!value) co_return Failure(std::move(value.error()));
  const auto version = version_of(*value);
  std::string location = std::move(folder) + std::to_string(value->id.value);
  co_return Created<T>{std::move(*value), std::move(location), version};
}

}  // namespace lumina::http
