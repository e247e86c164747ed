// Types described once, at run time: what the codec reads and writes and what OpenAPI documents.
//
//   struct NewBook {
//     std::string title;
//     std::optional<int> year_published;
//     static constexpr std::string_view type_name = "NewBook";
//     static std::vector<schema::Field> fields() {
//       return {{"title", &NewBook::title, "Title proper", {schema::length(1, 500)}},
//               {"year_published", &NewBook::year_published, "Year of publication", {schema::range(-3000,
//               2100)}}};
//     }
//   };
//
// A Type is a table of functions over untyped memory, so that codec and document generator are ordinary code
// compiled once, not templates. Immutable after first use; any thread.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/rules.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lumina::schema {

enum class Kind : std::uint8_t {
  boolean,
  integer,
  number,
  string,
  timestamp,
  enumeration,
  optional,
  patch,
  array,
  object,
  json
};

// JSON text of any shape, written as it is. In a request it may be anything that parses.
struct RawJson {
  std::string text = "null";
};

// A member of a merge patch (RFC 7396): not mentioned, set to null, or set to a value.
template <class T>
struct Patch {
  enum class State : std::uint8_t { absent, null, value };
  State state = State::absent;
  T value{};

  bool mentioned() const { return state != State::absent; }
  // Replaces `target` when mentioned.
  void apply(std::optional<T>& target) const {
    if (state == State::value) target = value;
    if (state == State::null) target.reset();
  }
  void apply(T& target) const {
    if (state == State::value) target = value;
  }
};

struct Field;

struct Type {
  Kind kind = Kind::object;
  std::string_view name;               // objects and enumerations: the component's name
  const Type& (*element)() = nullptr;  // optional, patch, array
  std::int64_t (*get_integer)(const void*) =
      nullptr;  // integer, enumeration (index), timestamp (ms), boolean
  void (*set_integer)(void*, std::int64_t) = nullptr;
  std::int64_t lowest = INT64_MIN, highest = INT64_MAX;  // what the C++ type can hold
  const void* (*get)(const void*) = nullptr;             // optional: the value or null
  void* (*emplace)(void*) = nullptr;                     // optional, patch: make a value and give its place
  void (*set_null)(void*) = nullptr;                     // optional, patch
  std::size_t (*size)(const void*) = nullptr;            // array
  const void* (*at)(const void*, std::size_t) = nullptr;
  void* (*append)(void*) = nullptr;
  std::span<const std::string_view> choices;  // enumeration
  std::vector<Field> fields;                  // object
};

template <class T>
const Type& type_of();

struct Field {
  std::string_view name;
  std::string_view description;
  std::vector<Rule> rules;
  const Type& (*type)() = nullptr;
  void* (*place)(const Field&, void*) = nullptr;
  std::array<std::byte, sizeof(std::ptrdiff_t)> member{};
  bool required = false;     // in requests
  bool omit_absent = false;  // in answers: an absent optional is left out instead of shown as null

  template <class Owner, class Member>
  Field(std::string_view field_name, Member Owner::* pointer, std::string_view text,
        std::vector<Rule> checks = {})
      : name(field_name), description(text), rules(std::move(checks)), type(&type_of<Member>) {
    static_assert(sizeof pointer == sizeof member);
    std::memcpy(member.data(), &pointer, sizeof pointer);
    place = [](const Field& self, void* owner) -> void* {
      Member Owner::* stored;
      std::memcpy(&stored, self.member.data(), sizeof stored);
      return &(static_cast<Owner*>(owner)->*stored);
    };
    required = required_by_default<Member>;
  }
  void* of(void* owner) const { return place(*this, owner); }
  const void* of(const void* owner) const { return place(*this, const_cast<void*>(owner)); }
  Field& optional() { return required = false, *this; }
  Field& needed() { return required = true, *this; }  // of a list, which is not by itself
  Field& hide_when_absent() { return omit_absent = true, *this; }

 private:
  template <class M>
  static constexpr bool required_by_default = true;
  template <class M>
  static constexpr bool required_by_default<std::optional<M>> = false;
  template <class M>
  static constexpr bool required_by_default<Patch<M>> = false;
  template <class M>
  static constexpr bool required_by_default<std::vector<M>> = false;
};

namespace detail {

template <class T>
struct Make;

template <class T>
Type integer_like(Kind kind) {
  Type t;
  t.kind = kind;
  t.get_integer = [](const void* p) { return static_cast<std::int64_t>(*static_cast<const T*>(p)); };
  t.set_integer = [](void* p, std::int64_t v) { *static_cast<T*>(p) = static_cast<T>(v); };
  return t;
}

template <>
struct Make<bool> {
  static Type make() { return integer_like<bool>(Kind::boolean); }
};
template <>
struct Make<int> {
  static Type make() {
    Type t = integer_like<int>(Kind::integer);
    t.lowest = INT32_MIN, t.highest = INT32_MAX;
    return t;
  }
};
template <>
struct Make<std::int64_t> {
  static Type make() { return integer_like<std::int64_t>(Kind::integer); }
};
template <>
struct Make<double> {
  static Type make() {
    Type t;
    t.kind = Kind::number;
    return t;
  }
};
template <>
struct Make<std::string> {
  static Type make() {
    Type t;
    t.kind = Kind::string;
    return t;
  }
};
template <>
struct Make<Timestamp> {
  static Type make() {
    Type t;
    t.kind = Kind::timestamp;
    t.get_integer = [](const void* p) { return static_cast<const Timestamp*>(p)->ms; };
    t.set_integer = [](void* p, std::int64_t v) { static_cast<Timestamp*>(p)->ms = v; };
    return t;
  }
};
template <>
struct Make<RawJson> {
  static Type make() {
    Type t;
    t.kind = Kind::json;
    return t;
  }
};
template <class Tag>
struct Make<Id<Tag>> {
  static Type make() {
    Type t;
    t.kind = Kind::integer;
    t.lowest = 1;
    t.get_integer = [](const void* p) { return static_cast<const Id<Tag>*>(p)->value; };
    t.set_integer = [](void* p, std::int64_t v) { static_cast<Id<Tag>*>(p)->value = v; };
    return t;
  }
};
template <class E>
  requires std::is_enum_v<E>
struct Make<E> {
  static Type make() {
    Type t = integer_like<E>(Kind::enumeration);
    t.choices = std::span<const std::string_view>(enum_names(E{}));
    return t;
  }
};
template <class T>
struct Make<std::optional<T>> {
  using Optional = std::optional<T>;
  static Type make() {
    Type t;
    t.kind = Kind::optional;
    t.element = &type_of<T>;
    t.get = [](const void* p) -> const void* {
      const auto& o = *static_cast<const Optional*>(p);
      return o ? &*o : nullptr;
    };
    t.emplace = [](void* p) -> void* { return &static_cast<Optional*>(p)->emplace(); };
    t.set_null = [](void* p) { static_cast<Optional*>(p)->reset(); };
    return t;
  }
};
template <class T>
struct Make<Patch<T>> {
  static Type make() {
    Type t;
    t.kind = Kind::patch;
    t.element = &type_of<T>;
    t.get = [](const void* p) -> const void* {
      const auto& o = *static_cast<const Patch<T>*>(p);
      return o.state == Patch<T>::State::value ? &o.value : nullptr;
    };
    t.emplace = [](void* p) -> void* {
      auto& o = *static_cast<Patch<T>*>(p);
      o.state = Patch<T>::State::value;
      return &o.value;
    };
    t.set_null = [](void* p) { static_cast<Patch<T>*>(p)->state = Patch<T>::State::null; };
    return t;
  }
};
template <class T>
struct Make<std::vector<T>> {
  using Vector = std::vector<T>;
  static Type make() {
    Type t;
    t.kind = Kind::array;
    t.element = &type_of<T>;
    t.size = [](const void* p) { return static_cast<const Vector*>(p)->size(); };
    t.at = [](const void* p, std::size_t i) -> const void* { return &(*static_cast<const Vector*>(p))[i]; };
    t.append = [](void* p) -> void* { return &static_cast<Vector*>(p)->emplace_back(); };
    return t;
  }
};
template <class T>
  requires requires { T::fields(); }
struct Make<T> {
  static Type make() {
    Type t;
    t.kind = Kind::object;
    t.name = T::type_name;
    t.fields = T::fields();
    return t;
  }
};

}  // namespace detail

template <class T>
const Type& type_of() {
  static const Type type = detail::Make<T>::make();
  return type;
}

}  // namespace lumina::schema
