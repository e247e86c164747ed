// One row of the API: what it is called, who may call it, what it takes, answers and refuses, and the code
// behind it.
//
// Dispatch, decoding, validation, access checks, OpenAPI and the tests of all of them read this one
// description. Modules give std::vector<Route> from a function such as book_routes(service);
// core/http/handler.hpp fills the parts that the handler's signature tells.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/http/context.hpp"
#include "core/http/message.hpp"
#include "core/schema/type.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

// Who may call a route. There is no default: a route cannot be made without saying it.
struct Access {
  enum class Kind : std::uint8_t { anyone, signed_in, permission };
  Kind kind;
  Permission permission = Permission::own_account;

  static constexpr Access anyone() { return {Kind::anyone, {}}; }
  static constexpr Access signed_in() { return {Kind::signed_in, Permission::own_account}; }
  static constexpr Access needs(Permission p) { return {Kind::permission, p}; }
  // Whether somebody signed in with this role may call it.
  constexpr bool allows_role(Role role) const { return kind != Kind::permission || allows(role, permission); }
  // Whether this caller may: the role, and the scopes of an API key.
  bool allows_caller(const Caller& caller) const { return kind == Kind::anyone || caller.can(permission); }
};

// Limits of a class of routes, by name; the quotas are configuration.
enum class RateClass : std::uint8_t { standard, login, upload, search, unlimited };

struct PathParameter {
  std::string name;
  const schema::Type* type = nullptr;
};

// What a repeated POST with the same Idempotency-Key gets (core/http/once.hpp).
enum class Repeat : std::uint8_t {
  replayed,  // the first answer again
  withheld,  // the effect happens once; the answer held a secret, is not kept, and the repetition is told so
  served,    // the key is not looked at: the answer is a secret and the request can be repeated without harm
};

// What ?expand= may name (core/http/expand.hpp).
struct ExpansionName {
  std::string name;
  const schema::Type* type = nullptr;
  bool personal = false;  // differs by caller
};

// A route on its way out: what its answers say about that (RFC 9745, RFC 8594).
struct Retirement {
  Timestamp since, sunset;
  std::string successor;  // path of what replaces it; {parameters} are filled from the request
};

struct Route {
  Method method = Method::get;
  std::string path;     // "/api/v1/books/{id}"
  std::string summary;  // one line
  std::string tag;      // the group in the document: "Catalogue"
  std::string description;
  Access access;
  RateClass rate = RateClass::standard;
  int success = 200;
  std::vector<ErrorKind> errors;  // beyond those that every route has
  std::uint64_t body_limit = 0;   // bytes; 0: the configured default

  // Filled from the signature of the handler.
  std::vector<PathParameter> path_parameters;
  const schema::Type* query = nullptr;
  bool paged = false;
  bool if_match = false;
  const schema::Type* body = nullptr;
  bool body_required = false;
  bool body_array = false;  // of `body`
  std::vector<std::string> body_media{"application/json"};
  const schema::Type* answer = nullptr;  // of the items when `paged`
  bool answers_array = false;
  std::string answer_media = "application/json";
  bool created_location = false;
  bool hidden = false;                    // another spelling of a documented route: served, not documented
  bool selectable = false;                // takes ?fields=
  std::vector<ExpansionName> expansions;  // for ?expand=
  Repeat repeat = Repeat::replayed;
  bool joins = true;  // its work may run inside another unit of work: see by_itself()
  std::optional<Retirement> retirement;

  std::function<Eventual<Response>(Context&)> handler;
  // Makes what takes the body while it arrives (body_sink.hpp); without it the body is held in memory.
  std::function<std::shared_ptr<BodySink>(const Context&)> sink;

  // Finishing touches of a row.
  Route&& tagged(std::string_view name) && { return tag = name, std::move(*this); }
  Route&& with_status(int status) && { return success = status, std::move(*this); }
  Route&& limited(RateClass c) && { return rate = c, std::move(*this); }
  Route&& accepts_up_to(std::uint64_t bytes) && { return body_limit = bytes, std::move(*this); }
  Route&& explained(std::string_view text) && { return description = text, std::move(*this); }
  template <class T>
  Route&& documented_as() && {
    return answer = &schema::type_of<T>(), std::move(*this);
  }
  // For handlers that read the body themselves.
  template <class T>
  Route&& takes(std::vector<std::string> media) && {
    body = &schema::type_of<T>();
    body_required = true;
    body_media = std::move(media);
    body_array = true;
    return std::move(*this);
  }
  Route&& takes_into(std::function<std::shared_ptr<BodySink>(const Context&)> made) && {
    return sink = std::move(made), std::move(*this);
  }
  Route&& answers_media(std::string_view media) && { return answer_media = media, std::move(*this); }
  Route&& repeats(Repeat what) && { return repeat = what, std::move(*this); }
  // For work that is more than units of work on the database, or takes long: it hashes passwords, starts a
  // task, sends mail, streams. Such a route is refused in a batch, and its effect and its kept answer are two
  // transactions.
  Route&& by_itself() && { return joins = false, std::move(*this); }
  // Dates as "2026-11-22"; throws std::logic_error for anything else.
  Route&& retired(std::string_view since, std::string_view sunset, std::string_view successor) &&;
};

// The same handler under another spelling of the sources (row A51); not shown in the document.
std::vector<Route> also_at(const std::vector<Route>& routes, Method method, std::string_view documented,
                           std::initializer_list<std::string_view> others);

// The same routes under another prefix, so that two versions of the API answer side by side: with from
// "/api/v1" and to
// "/api/v2", "/api/v1/books" is served at "/api/v2/books" too, with whatever `change` makes of it. Routes
// elsewhere are left out.
std::vector<Route> mounted_at(const std::vector<Route>& routes, std::string_view from, std::string_view to,
                              const std::function<Route(Route)>& change = {});

}  // namespace lumina::http
