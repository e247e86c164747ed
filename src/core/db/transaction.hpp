// What a repository is built from: the statements of one unit of work on one connection.
//
// Statements are prepared once per connection and kept. Placeholders are $1, $2, ... on both databases and
// may be used more than once. Runs on a database thread only; never leaves the function given to
// Database::read or write. Errors: a broken connection, a full disk or wrong SQL throw; conflicts are rows
// (ON CONFLICT DO NOTHING).
#pragma once
#include "core/db/columns.hpp"
#include "core/db/value.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace lumina::db {

enum class Dialect : std::uint8_t { sqlite, postgresql };

class Connection;
class Joined;

class Transaction {
 public:
  Transaction(Connection& connection, bool writable) : connection_(connection), writable_(writable) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Dialect dialect() const;
  bool postgresql() const { return dialect() == Dialect::postgresql; }
  bool writable() const { return writable_; }

  // Runs a statement without result; gives the number of rows it changed.
  template <class... Args>
  std::int64_t execute(std::string_view sql, const Args&... args) {
    return run(sql, std::array<Value, sizeof...(Args)>{to_value(args)...}.data(), sizeof...(Args), {}, {});
  }
  // The first row as a tuple: auto row = tx.one<std::int64_t, std::string>("SELECT ...", id).
  template <class... Out, class... Args>
  std::optional<std::tuple<Out...>> one(std::string_view sql, const Args&... args) {
    std::optional<std::tuple<Out...>> found;
    each<Out...>(
        [&](Out... out) {
          if (!found) found.emplace(std::move(out)...);
        },
        sql, args...);
    return found;
  }
  // Calls f with the columns of every row.
  template <class... Out, class F, class... Args>
  void each(F&& f, std::string_view sql, const Args&... args) {
    static constexpr char codes[] = {Column<Out>::code..., '\0'};
    run(sql, std::array<Value, sizeof...(Args)>{to_value(args)...}.data(), sizeof...(Args), codes,
        [&](const Row& row) { call<Out...>(f, row, std::index_sequence_for<Out...>{}); });
  }
  // The first row as a described struct.
  template <class T, class... Args>
  std::optional<T> find(const Columns<T>& columns, std::string_view sql, const Args&... args) {
    std::optional<T> found;
    run(sql, std::array<Value, sizeof...(Args)>{to_value(args)...}.data(), sizeof...(Args), columns.codes(),
        [&](const Row& row) {
          if (!found) found = columns.read(row);
        });
    return found;
  }
  template <class T, class... Args>
  std::vector<T> list(const Columns<T>& columns, std::string_view sql, const Args&... args) {
    return list(columns, sql, std::vector<Value>{to_value(args)...});
  }
  // With parameters collected at run time: filters that are there or not.
  template <class T>
  std::vector<T> list(const Columns<T>& columns, std::string_view sql, const std::vector<Value>& values) {
    std::vector<T> all;
    run(sql, values.data(), values.size(), columns.codes(),
        [&](const Row& row) { all.push_back(columns.read(row)); });
    return all;
  }
  template <class... Out, class F>
  void each_of(F&& f, std::string_view sql, const std::vector<Value>& values) {
    static constexpr char codes[] = {Column<Out>::code..., '\0'};
    run(sql, values.data(), values.size(), codes,
        [&](const Row& row) { call<Out...>(f, row, std::index_sequence_for<Out...>{}); });
  }

  // Runs after this unit of work is durable, in the order of commits, before the caller resumes. Must not
  // throw.
  void after_commit(std::function<void()> action) { after_commit_.push_back(std::move(action)); }
  std::vector<std::function<void()>> take_after_commit() { return std::exchange(after_commit_, {}); }

 private:
  friend class Joined;
  using OnRow = std::function<void(const Row&)>;
  std::int64_t run(std::string_view sql, const Value* values, std::size_t count, std::string_view codes,
                   const OnRow& on_row);
  template <class... Out, class F, std::size_t... I>
  static void call(F& f, const Row& row, std::index_sequence<I...>) {
    f(Column<Out>::read(row, I)...);
  }

  Connection& connection_;
  bool writable_;
  std::vector<std::function<void()>> after_commit_;
};

}  // namespace lumina::db
