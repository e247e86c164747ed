// What can go wrong in a way that a well-behaved client can meet, and the result type that carries it.
//
// Exceptions are for a broken world or a bug (database gone, SQL wrong); those become a 500 in one place.
// Everything a client can cause is an Error value.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lumina {

// The closed set of kinds; core/http/problem.cpp alone knows their HTTP statuses.
enum class ErrorKind {
  malformed,          // 400: cannot be read at all
  invalid,            // 422: read, but fields are wrong; `fields` says which
  refused,            // 400: the rules of the library say no; `code` says which rule
  unauthenticated,    // 401
  forbidden,          // 403
  not_found,          // 404
  conflict,           // 409: a concurrent edit
  stale,              // 412: If-Match names an older version
  too_large,          // 413
  unsupported_media,  // 415
  rate_limited,       // 429
  unavailable,        // 503: overloaded or a dependency is down; retry later
  storage_full,       // 507
};

// One fault of the input: where it is, as a path of names and indexes ({"body", "copies"}), and what is
// wrong.
struct FieldError {
  std::vector<std::string> loc;
  std::string message;
  std::string type;  // stable and short: missing, range, length, pattern, type, unknown, duplicate, ...
};

struct Error {
  ErrorKind kind = ErrorKind::refused;
  std::string code;    // stable and machine-readable: "duplicate_isbn"
  std::string detail;  // a sentence that may be shown to the client
  std::vector<FieldError> fields;
  int retry_after_seconds = 0;  // for rate_limited and unavailable
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;
using Failure = std::unexpected<Error>;

// co_return fail(ErrorKind::refused, "duplicate_isbn", "A book with this ISBN exists already");
inline Failure fail(ErrorKind kind, std::string code, std::string detail) {
  return Failure(Error{kind, std::move(code), std::move(detail), {}, 0});
}
inline Failure not_found(std::string detail) {
  return fail(ErrorKind::not_found, "not_found", std::move(detail));
}
inline Failure invalid(std::vector<FieldError> fields) {
  return Failure(
      Error{ErrorKind::invalid, "validation_failed", "The request has invalid fields", std::move(fields), 0});
}

}  // namespace lumina
