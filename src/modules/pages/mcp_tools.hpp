// The tools that assistants find: each is a route of the API, with arguments that fill its path, query or
// body.
#pragma once
#include "core/http/message.hpp"

#include <boost/json/object.hpp>

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace lumina::pages {

struct ToolParameter {
  enum class Kind : std::uint8_t { text, number, flag };
  std::string_view name;
  Kind kind;
  std::string_view description;
  bool required = false;
};

struct Tool {
  std::string_view name, title, description;
  http::Method method;
  std::string_view path;  // {name} is filled from the arguments; the others go to the query
  std::span<const ToolParameter> parameters;
  bool read_only = true, destructive = false, idempotent = true;
};

// In the order in which they are listed, which never changes.
std::span<const Tool> tools();
const Tool* find_tool(std::string_view name);

// As the protocol describes a tool.
boost::json::object described(const Tool& tool);
// The request line of the call, or what is wrong with the arguments.
std::expected<std::string, std::string> target_of(const Tool& tool, const boost::json::object& arguments);

}  // namespace lumina::pages
