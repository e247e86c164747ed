// The library as a tool server for assistants: the Model Context Protocol over POST /mcp.
//
// One JSON-RPC 2.0 message a request, one JSON answer; no sessions and no stream, so any instance can answer
// any request. Speaks the stateless revision 2026-07-28 (the version in each request's _meta,
// server/discover) and, for clients of before, initialize with the revisions 2025-11-25, 2025-06-18 and
// 2025-03-26. A tool is a call of a route of the API by the same caller: with the same access, checks and
// answers. What a route refuses is a result with isError, so that the assistant reads why. Source:
// modelcontextprotocol.io, those revisions.
//
// Errors of the protocol: -32700 no JSON (400), -32600 no request (400), -32601 unknown method, -32602
// unknown tool or bad arguments, -32022 unsupported version (400). 403 for a page of another origin.
#pragma once
#include "core/http/context.hpp"
#include "core/http/pipeline.hpp"
#include "core/http/route.hpp"
#include "core/http/router.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::pages {

struct McpOptions {
  std::string version;                                   // of the server
  std::function<const http::Router&()> router;           // asked for when a call comes
  std::function<bool(std::string_view)> origin_allowed;  // origins besides the server's own
  http::RateCheck rate = {};                             // what a tool's route counts against; empty: nothing
};

std::vector<http::Route> mcp_routes(McpOptions options);

}  // namespace lumina::pages
