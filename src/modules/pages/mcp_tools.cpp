#include "modules/pages/mcp_tools.hpp"

#include "core/base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace lumina::pages {
namespace {

namespace json = boost::json;
using enum ToolParameter::Kind;
using http::Method;

constexpr std::size_t longest_text = 1000;  // bytes

constexpr ToolParameter of_search[] = {
    {"q", text, "Words to look for; author:austen, \"exact phrase\", OR and -word work too"},
    {"genre", text, "Only this genre"},
    {"author", text, "Only this author"},
    {"language", text, "Only this language: en, fr, pt-BR"},
    {"available", flag, "true: only books with a copy free now"},
    {"limit", number, "How many books, 1 to 100 (default 20)"},
    {"skip", number, "How many books to pass over"}};
constexpr ToolParameter of_book[] = {{"book_id", number, "Number of the book", true}};
constexpr ToolParameter of_loan[] = {{"loan_id", number, "Number of the loan", true}};
constexpr ToolParameter of_hold[] = {{"hold_id", number, "Number of the hold", true}};

constexpr Tool all_tools[] = {
    {"search_books", "Search the catalogue",
     "Finds books by words, with filters. The best matches come first.", Method::get, "/api/v1/books/search",
     of_search},
    {"get_book", "Read a book", "Everything the catalogue says of a book.", Method::get,
     "/api/v1/books/{book_id}", of_book},
    {"check_availability", "See whether a book can be borrowed now",
     "Copies, how many are free, and who waits.", Method::get, "/api/v1/borrows/book/{book_id}/availability",
     of_book},
    {"get_reviews", "Read reviews of a book", "What readers wrote of a book, the newest first.", Method::get,
     "/api/v1/reviews/book/{book_id}", of_book},
    {"list_my_loans",
     "List my loans",
     "The books that the person has or had, with due dates.",
     Method::get,
     "/api/v1/borrows",
     {}},
    {"borrow_book", "Borrow a book", "Lends a free copy of the book to the person.", Method::post,
     "/api/v1/borrows/{book_id}/borrow", of_book, false, false, false},
    {"return_book", "Return a book", "Ends the person's loan of the book.", Method::post,
     "/api/v1/borrows/{book_id}/return", of_book, false, true, false},
    {"renew_loan", "Renew a loan", "Keeps a borrowed book for another period.", Method::post,
     "/api/v1/borrows/{loan_id}/renew", of_loan, false, false, false},
    {"list_my_holds",
     "List my holds",
     "The books that the person waits for, and what is ready.",
     Method::get,
     "/api/v1/holds",
     {}},
    {"place_hold", "Wait for a book", "Puts the person in line for the book.", Method::post,
     "/api/v1/books/{book_id}/holds", of_book, false, false, false},
    {"cancel_hold", "Cancel a hold", "Takes the person out of the line.", Method::del,
     "/api/v1/holds/{hold_id}", of_hold, false, true, true},
};

std::string_view type_name(ToolParameter::Kind kind) {
  return kind == text ? "string" : kind == number ? "integer" : "boolean";
}

std::expected<std::string, std::string> text_of(const ToolParameter& p, const json::value& value) {
  if (p.kind == text && value.is_string() && value.get_string().size() <= longest_text)
    return std::string(value.get_string());
  if (p.kind == number && (value.is_int64() || value.is_uint64())) return json::serialize(value);
  if (p.kind == flag && value.is_bool()) return value.get_bool() ? "true" : "false";
  return std::unexpected(std::string(p.name) + " must be of type " + std::string(type_name(p.kind)));
}

}  // namespace

std::span<const Tool> tools() { return all_tools; }

const Tool* find_tool(std::string_view name) {
  const auto found = std::ranges::find(all_tools, name, &Tool::name);
  return found == std::end(all_tools) ? nullptr : found;
}

json::object described(const Tool& tool) {
  json::object properties;
  json::array required;
  for (const auto& p : tool.parameters) {
    properties[p.name] = json::object{{"type", type_name(p.kind)}, {"description", p.description}};
    if (p.required) required.emplace_back(p.name);
  }
  json::object schema{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return {{"name", tool.name},
          {"title", tool.title},
          {"description", tool.description},
          {"inputSchema", std::move(schema)},
          {"annotations",
           {{"title", tool.title},
            {"readOnlyHint", tool.read_only},
            {"destructiveHint", tool.destructive},
            {"idempotentHint", tool.idempotent},
            {"openWorldHint", false}}}};
}

std::expected<std::string, std::string> target_of(const Tool& tool, const json::object& arguments) {
  for (const auto& [name, value] : arguments)
    if (std::ranges::find(tool.parameters, std::string_view(name), &ToolParameter::name) ==
        tool.parameters.end())
      return std::unexpected("there is no argument " + std::string(name));
  std::string path(tool.path), query;
  for (const auto& p : tool.parameters) {
    const auto* given = arguments.if_contains(p.name);
    if (!given || given->is_null()) {
      if (p.required) return std::unexpected(std::string(p.name) + " is missing");
      continue;
    }
    auto value = text_of(p, *given);
    if (!value) return std::unexpected(std::move(value.error()));
    const std::string place = "{" + std::string(p.name) + "}";
    if (const auto at = path.find(place); at != std::string::npos)
      path.replace(at, place.size(), percent_encode(*value));
    else
      query += (query.empty() ? "?" : "&") + std::string(p.name) + "=" + percent_encode(*value);
  }
  return path + query;
}

}  // namespace lumina::pages
