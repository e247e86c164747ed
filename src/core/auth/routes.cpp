#include "core/auth/routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/rate_classes.hpp"
#include "core/http/resource.hpp"

#include <iterator>
#include <utility>

namespace lumina::auth {

// An answer that holds tokens or keys: not to be kept by anybody on the way, and without an ETag to compare.
template <class T>
struct Secret {
  T value;
};

}  // namespace lumina::auth

template <class T>
struct lumina::http::Answer<lumina::auth::Secret<T>> {
  static void document(Route& route) { route.answer = &schema::type_of<T>(); }
  static Response make(Context& context, auth::Secret<T>&& secret) {
    auto response = detail::json_response(context.route->success, json::encode(secret.value), 0, false);
    response.set("Cache-Control", "no-store");
    return response;
  }
};

namespace lumina::auth {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto anyone = Access::anyone();
constexpr auto signed_in = Access::signed_in();
constexpr auto admin = Access::needs(Permission::users_manage);

template <class T>
Task<Result<Secret<T>>> secret(Task<Result<T>> task) {
  auto value = co_await std::move(task);
  if (!value) co_return Failure(std::move(value.error()));
  co_return Secret<T>{std::move(*value)};
}

std::string agent_of(const RawRequest& request) { return std::string(request.header("User-Agent")); }

Task<Result<Secret<SignedIn>>> missing_email() {
  co_return lumina::invalid({{{"body", "email"}, "is required", "missing"}});
}

Task<Result<Secret<SignedIn>>> sign_in(AuthService& auth, const Credentials& given, const RawRequest& request,
                                       const Caller& by) {
  if (!given.email && !given.username) return missing_email();
  return secret(
      auth.sign_in(given.email ? *given.email : *given.username, given.password, agent_of(request), by));
}

UserChanges only_name(const schema::Patch<std::string>& full_name) {
  UserChanges changes;
  changes.full_name = full_name;
  return changes;
}
UserChanges only_name(const std::string& full_name) {
  return only_name(schema::Patch<std::string>{schema::Patch<std::string>::State::value, full_name});
}
UserChanges only_role(Role role) {
  UserChanges changes;
  changes.role = {schema::Patch<Role>::State::value, role};
  return changes;
}
UserChanges only_active(bool active) {
  UserChanges changes;
  changes.is_active = {schema::Patch<bool>::State::value, active};
  return changes;
}

// Other spellings of the source documents (row A51).
void add_aliases(std::vector<Route>& routes, Method method, std::string_view documented,
                 std::initializer_list<std::string_view> others) {
  auto more = also_at(routes, method, documented, others);
  std::move(more.begin(), more.end(), std::back_inserter(routes));
}

}  // namespace

std::vector<Route> auth_routes(AuthService& auth, ApiKeyService& keys) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Accounts")); };

  add(post("/api/v1/auth/register", "Make an account", anyone, {refused}, [&](Body<NewUser> user, Caller by) {
        return created(auth.sign_up(*user, by), "/api/v1/users/");
      }).by_itself());
  add(post("/api/v1/auth/login", "Sign in", anyone, {},
           [&](JsonOrForm<Credentials> given, RawRequest request, Caller by) {
             return sign_in(auth, *given, request, by);
           })
          .limited(sign_in_class)
          .repeats(Repeat::served)
          .by_itself());
  add(post("/api/v1/auth/refresh", "Exchange a refresh token for new tokens", anyone, {},
           [&](Body<RefreshRequest> given, RawRequest request, Caller by) {
             return secret(auth.refresh(given->refresh_token, agent_of(request), by));
           })
          .repeats(Repeat::served)
          .explained("A refresh token can be used once. Using one again ends its session, because somebody "
                     "else has it."));
  add(post(
      "/api/v1/auth/logout", "Sign out", signed_in, {},
      [&](OptionalBody<LogoutRequest> given, Caller by) { return auth.sign_out(given->refresh_token, by); }));
  add(post("/api/v1/auth/bootstrap", "Make the first administrator", anyone, {refused},
           [&](Body<FirstAdmin> first, Caller by) {
             return created(auth.make_first_admin(*first, by), "/api/v1/users/");
           })
          .by_itself()
          .limited(RateClass::login)
          .explained("With the one-time token that a server without administrators prints when it starts."));

  add(get("/api/v1/auth/sessions", "Where you are signed in", signed_in, {},
          [&](Caller by) { return auth.sessions(by); }));
  add(del("/api/v1/auth/sessions", "Sign out everywhere", signed_in, {},
          [&](Caller by) { return auth.end_all_sessions(by); }));
  add(del("/api/v1/auth/sessions/{id}", "Sign out somewhere", signed_in, {ErrorKind::not_found},
          [&](Path<SessionId> id, Caller by) { return auth.end_session(*id, by); }));

  add(post("/api/v1/auth/password-reset", "Ask for a mail that resets a forgotten password", anyone, {},
           [&](Body<ResetRequest> request, Caller by) { return auth.request_reset(request->email, by); })
          .limited(RateClass::login)
          .by_itself()
          .with_status(202)
          .explained("The answer is the same whether anybody has the address or not."));
  add(post("/api/v1/auth/password-reset/confirm", "Set a new password with the token from the mail", anyone,
           {refused},
           [&](Body<ResetConfirmation> confirmation, Caller by) {
             return auth.confirm_reset(*confirmation, by);
           })
          .limited(RateClass::login)
          .by_itself());

  add(post("/api/v1/auth/api-keys", "Make an API key", signed_in, {refused, ErrorKind::not_found},
           [&](Body<NewApiKey> key, Caller by) { return secret(keys.create(*key, by)); })
          .with_status(201)
          .repeats(Repeat::withheld)
          .explained("The key is in this answer and nowhere else, ever."));
  add(get("/api/v1/auth/api-keys", "List your API keys", signed_in, {},
          [&](Caller by) { return keys.list(by); }));
  add(del("/api/v1/auth/api-keys/{id}", "Delete an API key", signed_in, {ErrorKind::not_found},
          [&](Path<ApiKeyId> id, Caller by) { return keys.remove(*id, by); }));

  add_aliases(routes, Method::post, "/api/v1/auth/register", {"/api/v1/auth/signup"});
  // Spellings of the first drafts, on their way out.
  for (const auto& [old, now] : {std::pair{"/api/v1/users/register", "/api/v1/auth/register"},
                                 std::pair{"/api/v1/users/login", "/api/v1/auth/login"}})
    for (auto& alias : also_at(routes, Method::post, now, {old}))
      routes.push_back(std::move(alias).retired("2026-11-22", "2027-11-22", now));
  add_aliases(routes, Method::post, "/api/v1/auth/logout", {"/api/v1/auth/signout"});
  add_aliases(routes, Method::post, "/api/v1/auth/api-keys", {"/api/v1/api-keys"});
  add_aliases(routes, Method::get, "/api/v1/auth/api-keys", {"/api/v1/api-keys"});
  add_aliases(routes, Method::del, "/api/v1/auth/api-keys/{id}", {"/api/v1/api-keys/{id}"});
  return routes;
}

std::vector<Route> account_routes(AuthService& auth, AccountService& accounts) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Accounts")); };

  add(get("/api/v1/users/me", "Your account", signed_in, {ErrorKind::not_found},
          [&](Caller by) { return versioned(accounts.find(by.id())); }));
  add(patch("/api/v1/users/me", "Change your account", signed_in,
            {ErrorKind::not_found, refused, ErrorKind::stale},
            [&](Body<ProfileChanges> changes, IfMatch seen, Caller by) {
              return versioned(accounts.change(by.id(), only_name(changes->full_name), *seen, by));
            }));
  add(put("/api/v1/users/me", "Replace your account's name", signed_in,
          {ErrorKind::not_found, refused, ErrorKind::stale},
          [&](Body<Profile> profile, IfMatch seen, Caller by) {
            return versioned(accounts.change(by.id(), only_name(profile->full_name), *seen, by));
          }));
  add(del("/api/v1/users/me", "Erase your account", signed_in,
          {ErrorKind::not_found, refused, ErrorKind::stale},
          [&](IfMatch seen, Caller by) { return accounts.erase_own(*seen, by); })
          .by_itself()
          .explained("Name, address, password, wishes and sessions are erased. Loans and reviews stay, "
                     "without a name."));
  add(put("/api/v1/users/me/password", "Change your password", signed_in, {ErrorKind::not_found, refused},
          [&](Body<PasswordChange> change, Caller by) { return auth.change_password(*change, by); })
          .by_itself()
          .explained("Every other session ends."));
  add(get("/api/v1/users/me/preferences", "What you like", signed_in, {},
          [&](Caller by) { return versioned(accounts.preferences(by.id())); }));
  add(put("/api/v1/users/me/preferences", "Say what you like", signed_in,
          {ErrorKind::not_found, ErrorKind::stale}, [&](Body<Preferences> wishes, IfMatch seen, Caller by) {
            return versioned(accounts.set_preferences(*wishes, *seen, by));
          }));
  add(get("/api/v1/users/me/export", "Everything that is kept about you", signed_in, {ErrorKind::not_found},
          [&](Caller by) { return secret(accounts.record(by)); })
          .repeats(Repeat::withheld));

  add(get("/api/v1/users", "List the accounts", admin, {},
          [&](Query<UserFilter> filter, Paging page) { return accounts.list(*filter, *page); }));
  add(get("/api/v1/users/{id}", "Read an account", admin, {ErrorKind::not_found},
          [&](Path<UserId> id) { return versioned(accounts.find(*id)); }));
  add(patch("/api/v1/users/{id}", "Change an account", admin,
            {ErrorKind::not_found, refused, ErrorKind::stale},
            [&](Path<UserId> id, Body<UserChanges> changes, IfMatch seen, Caller by) {
              return versioned(accounts.change(*id, *changes, *seen, by));
            }));
  add(del("/api/v1/users/{id}", "Erase an account", admin, {ErrorKind::not_found, refused, ErrorKind::stale},
          [&](Path<UserId> id, IfMatch seen, Caller by) { return accounts.erase(*id, *seen, by); }));
  add(put("/api/v1/users/{id}/role", "Give somebody a role", admin,
          {ErrorKind::not_found, refused, ErrorKind::stale},
          [&](Path<UserId> id, Body<RoleChange> change, IfMatch seen, Caller by) {
            return versioned(accounts.change(*id, only_role(change->role), *seen, by));
          }));
  add(post("/api/v1/users/{id}/deactivate", "Keep somebody from signing in", admin,
           {ErrorKind::not_found, refused, ErrorKind::stale}, [&](Path<UserId> id, Caller by) {
             return versioned(accounts.change(*id, only_active(false), {}, by));
           }));
  add(post("/api/v1/users/{id}/activate", "Let somebody sign in again", admin,
           {ErrorKind::not_found, refused, ErrorKind::stale}, [&](Path<UserId> id, Caller by) {
             return versioned(accounts.change(*id, only_active(true), {}, by));
           }));

  for (const Method method : {Method::get, Method::patch, Method::put})
    add_aliases(routes, method, "/api/v1/users/me", {"/api/v1/auth/me", "/api/v1/auth/profile"});
  for (const Method method : {Method::get, Method::put})
    add_aliases(routes, method, "/api/v1/users/me/preferences", {"/api/v1/preferences"});
  return routes;
}

std::vector<Route> email_routes(EmailChanges& changes) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Accounts").by_itself()); };
  add(post("/api/v1/users/me/email", "Ask for another e-mail address", signed_in,
           {ErrorKind::not_found, refused},
           [&](Body<NewEmail> wanted, Caller by) { return changes.request(*wanted, by); })
          .with_status(202)
          .limited(RateClass::login)
          .explained("A token goes to the new address by mail; the address changes when it comes back."));
  add(post(
          "/api/v1/users/me/email/confirm", "Change the address with the token from the mail", anyone,
          {refused},
          [&](Body<EmailConfirmation> confirmation, Caller by) { return changes.confirm(*confirmation, by); })
          .limited(RateClass::login));
  return routes;
}

}  // namespace lumina::auth
