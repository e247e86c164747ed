// What a statement takes and gives: 64-bit integers, doubles, text or null, and how our own types map to
// them.
//
// Identifiers, booleans and times (milliseconds) are integers; enumerations are their names; lists of strings
// are JSON text.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace lumina::db {

// A serialization failure or deadlock: the same unit of work may succeed when run again, which Database sees
// to. A unit that finds that what it locked is not all it needs may throw it too.
struct TryAgain : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

// JSON array text, for columns that hold a list of strings.
std::string pack_list(const std::vector<std::string>&);
std::vector<std::string> unpack_list(std::string_view);

inline Value to_value(std::nullopt_t) { return std::monostate{}; }
template <class T>
  requires std::is_integral_v<T>
Value to_value(T v) {
  return static_cast<std::int64_t>(v);
}
template <class E>
  requires std::is_enum_v<E>
Value to_value(E e) {
  return std::string(enum_names(e)[static_cast<std::size_t>(e)]);
}
inline Value to_value(double v) { return v; }
inline Value to_value(std::string v) { return v; }
inline Value to_value(std::string_view v) { return std::string(v); }
inline Value to_value(const char* v) { return std::string(v); }
inline Value to_value(Timestamp t) { return t.ms; }
template <class Tag>
Value to_value(Id<Tag> id) {
  return id.value;
}
inline Value to_value(const std::vector<std::string>& list) { return pack_list(list); }
template <class T>
Value to_value(const std::optional<T>& v) {
  return v ? to_value(*v) : Value{};
}

// One row at the cursor. Reading a null as a plain type gives its empty value.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool null(std::size_t column) const = 0;
  virtual std::int64_t integer(std::size_t column) const = 0;
  virtual double real(std::size_t column) const = 0;
  virtual const std::string& text(std::size_t column) const = 0;
};

// How a C++ type is read: `code` tells the statement which kind to fetch (i, d or t).
template <class T>
struct Column;
template <class T>
  requires std::is_integral_v<T>
struct Column<T> {
  static constexpr char code = 'i';
  static T read(const Row& r, std::size_t i) { return static_cast<T>(r.integer(i)); }
};
template <class E>
  requires std::is_enum_v<E>
struct Column<E> {
  static constexpr char code = 't';
  static E read(const Row& r, std::size_t i) {
    const auto& names = enum_names(E{});
    for (std::size_t n = 0; n < names.size(); ++n)
      if (names[n] == r.text(i)) return static_cast<E>(n);
    throw std::out_of_range("the database holds an unknown " + r.text(i));
  }
};
template <>
struct Column<double> {
  static constexpr char code = 'd';
  static double read(const Row& r, std::size_t i) { return r.real(i); }
};
template <>
struct Column<std::string> {
  static constexpr char code = 't';
  static std::string read(const Row& r, std::size_t i) { return r.null(i) ? std::string() : r.text(i); }
};
template <>
struct Column<Timestamp> {
  static constexpr char code = 'i';
  static Timestamp read(const Row& r, std::size_t i) { return {r.integer(i)}; }
};
template <class Tag>
struct Column<Id<Tag>> {
  static constexpr char code = 'i';
  static Id<Tag> read(const Row& r, std::size_t i) { return {r.integer(i)}; }
};
template <>
struct Column<std::vector<std::string>> {
  static constexpr char code = 't';
  static std::vector<std::string> read(const Row& r, std::size_t i) {
    return r.null(i) ? std::vector<std::string>{} : unpack_list(r.text(i));
  }
};
template <class T>
struct Column<std::optional<T>> {
  static constexpr char code = Column<T>::code;
  static std::optional<T> read(const Row& r, std::size_t i) {
    if (r.null(i)) return {};
    return Column<T>::read(r, i);
  }
};

}  // namespace lumina::db
