// Several calls in one request.
#pragma once
#include "core/schema/type.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lumina::calls {

struct Call {
  std::string method, path;
  schema::RawJson body{""};     // empty: none
  schema::RawJson headers{""};  // object of strings; empty: none
  static constexpr std::string_view type_name = "BatchCall";
  static std::vector<schema::Field> fields();
};
struct Batch {
  std::vector<Call> calls;
  static constexpr std::string_view type_name = "Batch";
  static std::vector<schema::Field> fields();
};

struct CallAnswer {
  int status = 0;
  schema::RawJson headers, body;
  static constexpr std::string_view type_name = "BatchCallAnswer";
  static std::vector<schema::Field> fields();
};
struct BatchAnswer {
  std::vector<CallAnswer> results;
  static constexpr std::string_view type_name = "BatchAnswer";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::calls
