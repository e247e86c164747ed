#include "modules/pages/mcp.hpp"

#include "core/http/handler.hpp"
#include "core/http/own_address.hpp"
#include "core/http/problem.hpp"
#include "core/json/codec.hpp"
#include "core/json/parse.hpp"
#include "modules/pages/mcp_tools.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace lumina::pages {
namespace {

namespace bj = boost::json;
using http::Context;
using http::Response;

constexpr std::string_view stateless = "2026-07-28";
constexpr std::string_view by_handshake[] = {"2025-11-25", "2025-06-18", "2025-03-26"};
constexpr std::string_view version_key = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view instructions =
    "Tools of a public library. Search first, then use the numbers of books that it gives. Borrowing and "
    "holds act for "
    "the person whose token the request carries; ask that person before borrowing, returning or cancelling.";
constexpr int parse_error = -32700, invalid_request = -32600, unknown_method = -32601,
              invalid_params = -32602, unsupported_version = -32022;
constexpr int kept_ms = 300'000;  // lists of tools may be kept so long

// For the document; serve() reads it as JSON-RPC wants its faults told.
struct McpMessage {
  std::string jsonrpc = "2.0", method;
  schema::RawJson id{""}, params{""};
  static constexpr std::string_view type_name = "McpMessage";
  static std::vector<schema::Field> fields() {
    return {{"jsonrpc", &McpMessage::jsonrpc, "2.0"},
            {"method", &McpMessage::method, "tools/call and the like"},
            schema::Field("id", &McpMessage::id, "Number or text; missing in notifications").optional(),
            schema::Field("params", &McpMessage::params, "Object, as the method wants it").optional()};
  }
};

struct Failed {
  int code;
  std::string message;
  int status = 200;
  std::optional<bj::value> data{};
};

Response answer(const bj::object& message, int status = 200) {
  Response response;
  response.status = status;
  response.body = bj::serialize(message);
  return response;
}

Response failure(const bj::value& id, const Failed& failed) {
  bj::object error{{"code", failed.code}, {"message", failed.message}};
  if (failed.data) error["data"] = *failed.data;
  return answer({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}}, failed.status);
}

bj::object server_info(const McpOptions& options) {
  return {{"name", "luminalib"}, {"title", "LuminaLib"}, {"version", options.version}};
}

bj::object capabilities() { return {{"tools", bj::object{}}}; }

bool is_known(std::string_view version) {
  return version == stateless || std::ranges::find(by_handshake, version) != std::end(by_handshake);
}

bj::array versions() {
  bj::array all{stateless};
  for (const auto version : by_handshake) all.emplace_back(version);
  return all;
}

// The client's version, when it says one: in the request itself or, before that was so, in a header.
std::optional<Failed> version_fault(const Context& context, const bj::object& params) {
  std::string asked(context.request->head.header("MCP-Protocol-Version"));
  if (const auto* meta = params.if_contains("_meta"); meta && meta->is_object())
    if (const auto* said = meta->get_object().if_contains(version_key); said && said->is_string())
      asked = std::string(said->get_string());
  if (asked.empty() || is_known(asked)) return {};
  return Failed{unsupported_version, "Unsupported protocol version", 400,
                bj::object{{"requested", asked}, {"supported", versions()}}};
}

// What every result of the stateless revision says; clients of before do not mind.
bj::object complete(bj::object result) {
  result["resultType"] = "complete";
  return result;
}
bj::object lasting(bj::object result) {
  result["ttlMs"] = kept_ms;
  result["cacheScope"] = "public";
  return complete(std::move(result));
}

bj::object listed_tools() {
  bj::array all;
  for (const auto& tool : tools()) all.emplace_back(described(tool));
  return lasting({{"tools", std::move(all)}});
}

bj::object initialized(const McpOptions& options, const bj::object& params) {
  std::string_view version = by_handshake[0];
  if (const auto* asked = params.if_contains("protocolVersion"); asked && asked->is_string()) {
    const auto known = std::ranges::find(by_handshake, std::string_view(asked->get_string()));
    if (known != std::end(by_handshake)) version = *known;
  }
  return {{"protocolVersion", version},
          {"capabilities", capabilities()},
          {"serverInfo", server_info(options)},
          {"instructions", instructions}};
}

bj::object discovered(const McpOptions& options) {
  return lasting({{"supportedVersions", versions()},
                  {"capabilities", capabilities()},
                  {"serverInfo", server_info(options)},
                  {"instructions", instructions},
                  {"_meta", {{"io.modelcontextprotocol/serverInfo", server_info(options)}}}});
}

// What the route answered, for an assistant to read.
bj::object tool_result(const Response& response) {
  const std::string body(response.bytes());
  bj::error_code error;
  auto value = body.empty() ? bj::value(bj::object{{"status", response.status}}) : bj::parse(body, error);
  bj::object result;
  std::string text = body.empty() ? "Done." : body;
  if (!error && response.status < 400)
    result["structuredContent"] =
        value.is_object() ? std::move(value) : bj::object{{"items", std::move(value)}};
  else if (!error && value.is_object())
    if (const auto* detail = value.get_object().if_contains("detail"); detail && detail->is_string())
      text = std::string(detail->get_string());
  result["content"] = bj::array{bj::object{{"type", "text"}, {"text", text}}};
  result["isError"] = response.status >= 400;
  return complete(std::move(result));
}

bj::object told(std::string_view text) {
  return complete({{"content", bj::array{bj::object{{"type", "text"}, {"text", text}}}}, {"isError", true}});
}

// Runs the route as the one who asks. Everything that the handler refers to lives in this frame.
Task<bj::object> call_route(const McpOptions& options, http::Method method, std::string target,
                            const Context& outer) {
  const http::Router& router = options.router();
  http::Request request;
  request.head.method = method;
  request.head.target = std::move(target);
  request.peer_address = outer.request->peer_address;
  request.tls = outer.request->tls;
  request.head.headers = outer.request->head.headers;
  std::erase_if(request.head.headers,
                [](const auto& header) { return header.first.starts_with("Content-"); });
  const auto match = router.find(method, request.head.path());
  if (!match.route) co_return told("There is nothing of this number");
  const auto& route = *match.route;
  if (!route.access.allows_caller(outer.caller))
    co_return told(outer.caller.signed_in() ? "The person, or the key, may not do that"
                                            : "Sign in first: this tool needs a bearer token");
  if (const auto state =
          options.rate ? options.rate(route.rate, outer.caller.address, outer.caller.user) : std::nullopt;
      state && !state->allowed)
    co_return told(fmt::format("Too many requests; try again in {} seconds", state->reset_seconds));
  Context context;
  context.head = &request.head;
  context.request = &request;
  context.route = &route;
  context.caller = outer.caller;
  context.uncached = true;
  context.path_values = match.values;
  auto query = http::parse_form(request.head.query());
  if (!query) co_return told("The arguments cannot be sent");
  context.query = std::move(*query);
  auto eventual = route.handler(context);
  if (eventual.ready()) co_return tool_result(eventual.value());
  const auto response = co_await std::move(eventual.task());
  co_return tool_result(response);
}

// Notifications and answers to what the server never asked are taken note of, which is all there is to do.
Response accepted() {
  Response response;
  response.status = 202;
  response.content_type.clear();
  return response;
}

bool is_foreign(const Context& context, const McpOptions& options) {
  const auto origin = context.request->head.header("Origin");
  if (origin.empty() || origin == http::own_address(*context.request)) return false;
  return !options.origin_allowed || !options.origin_allowed(origin);
}

Task<Response> tool_called(bj::value id, bj::object params, const McpOptions& options,
                           const Context& context) {
  const auto* name = params.if_contains("name");
  const Tool* tool = name && name->is_string() ? find_tool(name->get_string()) : nullptr;
  if (!tool) co_return failure(id, {invalid_params, "There is no such tool"});
  bj::object arguments;
  if (const auto* given = params.if_contains("arguments"); given && !given->is_null()) {
    if (!given->is_object()) co_return failure(id, {invalid_params, "arguments must be an object"});
    arguments = given->get_object();
  }
  auto target = target_of(*tool, arguments);
  if (!target) co_return failure(id, {invalid_params, std::move(target.error())});
  auto result = co_await call_route(options, tool->method, std::move(*target), context);
  co_return answer({{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"result", std::move(result)}});
}

Eventual<Response> serve(const std::shared_ptr<const McpOptions>& options, Context& context) {
  if (is_foreign(context, *options))
    return http::problem(403, "foreign_origin", "Pages of this origin may not speak to the tool server",
                         context.request->head.path(), context.caller.request_id);
  auto parsed = json::parse(context.request->body);
  if (!parsed)
    return failure(nullptr, {parse_error, "The message is not JSON: " + parsed.error().detail, 400});
  if (!parsed->value.is_object())
    return failure(nullptr, {invalid_request, "One message a request, as an object", 400});
  auto& message = parsed->value.get_object();
  const auto* version = message.if_contains("jsonrpc");
  const auto* method = message.if_contains("method");
  const auto* id = message.if_contains("id");
  const bool is_id = id && (id->is_string() || id->is_int64() || id->is_uint64());
  if (!version || *version != "2.0" || (id && !is_id)) {
    return failure(nullptr,
                   {invalid_request, "A message of JSON-RPC 2.0 has jsonrpc, method and an id", 400});
  }
  if (!id || (!method && (message.contains("result") || message.contains("error")))) return accepted();
  if (!method || !method->is_string())
    return failure(*id, {invalid_request, "A message of JSON-RPC 2.0 has jsonrpc, method and an id", 400});
  bj::object params;
  if (const auto* given = message.if_contains("params"); given && !given->is_null()) {
    if (!given->is_object()) return failure(*id, {invalid_params, "params must be an object"});
    params = given->get_object();
  }
  const std::string_view name(method->get_string());
  const auto with = [&](bj::object result) {
    return answer({{"jsonrpc", "2.0"}, {"id", *id}, {"result", std::move(result)}});
  };
  if (name == "initialize") return with(initialized(*options, params));
  if (const auto fault = version_fault(context, params)) return failure(*id, *fault);
  if (name == "ping") return with(complete({}));
  if (name == "server/discover") return with(discovered(*options));
  if (name == "tools/list") return with(listed_tools());
  if (name == "tools/call") return tool_called(*id, std::move(params), *options, context);
  return failure(*id, {unknown_method, "There is no method " + std::string(name.substr(0, 100))});
}

}  // namespace

std::vector<http::Route> mcp_routes(McpOptions given) {
  using namespace http;
  const auto options = std::make_shared<const McpOptions>(std::move(given));
  Route route = post("/mcp", "Tools for assistants (Model Context Protocol)", Access::anyone(),
                     {ErrorKind::malformed, ErrorKind::forbidden},
                     [](RawRequest) { return Result<Response>(Response{}); });
  route.handler = [options](Context& context) { return serve(options, context); };
  route.body = &schema::type_of<McpMessage>();
  route.body_required = true;
  std::vector<Route> routes;
  routes.push_back(
      std::move(route)
          .tagged("Assistants")
          .by_itself()
          .repeats(Repeat::served)
          .explained("JSON-RPC 2.0: server/discover, initialize, ping, tools/list, tools/call. A tool is a "
                     "call of the API with the caller's own permissions."));
  return routes;
}

}  // namespace lumina::pages
