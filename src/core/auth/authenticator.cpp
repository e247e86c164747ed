#include "core/auth/authenticator.hpp"

#include "core/auth/session_repository.hpp"
#include "core/base/text.hpp"
#include "core/security/random.hpp"

#include <utility>

namespace lumina::auth {
namespace {

using security::Claims;

constexpr auto seen_precision = std::chrono::minutes(5);
constexpr auto pair_life = std::chrono::seconds(60);
constexpr std::size_t most_pairs = 4096;

Failure invalid_token() {
  return fail(ErrorKind::unauthenticated, "invalid_token", "Could not validate credentials");
}
Failure invalid_api_key() {
  return fail(ErrorKind::unauthenticated, "invalid_api_key", "The API key is not valid");
}

Result<Caller> identified(Caller&& known, UserId user, const AccountState& state) {
  known.user = user;
  known.role = state.role;
  known.email = state.email;
  return std::move(known);
}

Result<Caller> with_token(const Claims& claims, const AccountState& state, Caller&& known) {
  if (!state.may_act() || state.epoch != claims.epoch) return invalid_token();
  if (claims.session.value != 0) {
    if (!state.session(claims.session)) return invalid_token();
    known.session = claims.session;
  }
  return identified(std::move(known), claims.user, state);
}

Result<Caller> with_key(std::string_view key, std::string_view prefix, UserId owner,
                        const AccountState& state, Timestamp now, Caller&& known) {
  const auto* stored = state.may_act() ? state.key(prefix) : nullptr;
  if (!stored || !security::constant_time_equal(stored->hash, security::sha256_hex(key)))
    return invalid_api_key();
  if (stored->expires_at && *stored->expires_at <= now) return invalid_api_key();
  known.scopes = stored->scopes;
  known.api_key = stored->id;
  return identified(std::move(known), owner, state);
}

Result<Caller> with_pair(UserId user, const std::string& mark, const AccountState& state, Caller&& known) {
  if (!state.may_act() || state.password_mark != mark) return wrong_credentials();
  return identified(std::move(known), user, state);
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

std::string mark_of(std::string_view password_hash) { return security::sha256(password_hash).substr(0, 16); }

AccountStatePtr load(db::Transaction& tx, UserId user, Timestamp now, Timestamp idle_since) {
  auto state = std::make_shared<AccountState>();
  auto account = UserRepository(tx).find(user);
  if (!account) return state;
  state->exists = true;
  state->is_active = account->is_active;
  state->role = account->role;
  state->epoch = account->epoch;
  state->email = std::move(account->email);
  state->password_mark = mark_of(account->password_hash);
  SessionRepository sessions(tx);
  for (const auto& session : sessions.live(user, now, idle_since))
    state->sessions.push_back({session.id, session.last_seen});
  for (auto& key : sessions.keys(user))
    state->keys.push_back({key.id, std::move(key.prefix), std::move(key.hash), scope_bits(key.scopes),
                           key.expires_at, key.last_used_at});
  return state;
}

}  // namespace

RequestAuthenticator::RequestAuthenticator(db::Database& database, const Clock& clock,
                                           const security::TokenVerifier& tokens, AccountStates& states,
                                           PasswordGate& gate, const LiveAuthSettings& settings)
    : database_(database),
      clock_(clock),
      tokens_(tokens),
      states_(states),
      gate_(gate),
      settings_(settings),
      pair_key_(security::random_bytes(32)) {}

Eventual<Result<Caller>> RequestAuthenticator::authenticate(const http::Request& request, Caller known) {
  const auto header = request.head.header("Authorization");
  if (header.empty()) {
    const auto key = request.head.header("X-API-Key");
    if (key.empty()) return Result<Caller>(std::move(known));
    return by_key(key, std::move(known));
  }
  const auto space = header.find(' ');
  const auto scheme = header.substr(0, space);
  const auto rest = space == std::string_view::npos ? std::string_view{} : trim_ascii(header.substr(space));
  if (iequals(scheme, "Bearer")) return by_token(rest, std::move(known));
  if (iequals(scheme, "Basic")) return by_password(request, rest, std::move(known));
  return Result<Caller>(invalid_token());
}

Eventual<Result<Caller>> RequestAuthenticator::by_token(std::string_view token, Caller&& known) {
  auto claims = tokens_.check(token, clock_.now());
  if (!claims) return Result<Caller>(Failure(std::move(claims.error())));
  if (const auto state = states_.find((*claims)->user)) return with_token(**claims, *state, std::move(known));
  return by_token_later(std::move(*claims), std::move(known));
}

Task<Result<Caller>> RequestAuthenticator::by_token_later(ClaimsPtr claims, Caller known) {
  auto state = co_await read_state(claims->user);
  if (!state) co_return Failure(std::move(state.error()));
  auto caller = with_token(*claims, **state, std::move(known));
  if (caller && caller->session) {
    const auto* session = (*state)->session(*caller->session);
    if (session->last_seen + seen_precision < clock_.now()) co_await touch_session(session->id);
  }
  co_return std::move(caller);
}

Eventual<Result<Caller>> RequestAuthenticator::by_key(std::string_view key, Caller&& known) {
  const auto prefix = security::api_key_prefix(key);
  if (!prefix) return Result<Caller>(invalid_api_key());
  const auto owner = states_.owner_of_key(*prefix);
  if (owner)
    if (const auto state = states_.find(*owner))
      return with_key(key, *prefix, *owner, *state, clock_.now(), std::move(known));
  return by_key_later(std::string(key), std::string(*prefix), owner, std::move(known));
}

Task<Result<Caller>> RequestAuthenticator::by_key_later(std::string key, std::string prefix,
                                                        std::optional<UserId> owner, Caller known) {
  if (!owner) {
    auto look = [prefix](db::Transaction& tx) { return SessionRepository(tx).owner_of_key(prefix); };
    auto found = co_await database_.read(std::move(look));
    if (!found) co_return Failure(std::move(found.error()));
    owner = *found;
    if (!owner) co_return invalid_api_key();
    states_.keep_owner_of_key(prefix, *owner);
  }
  auto state = co_await read_state(*owner);
  if (!state) co_return Failure(std::move(state.error()));
  const Timestamp now = clock_.now();
  auto caller = with_key(key, prefix, *owner, **state, now, std::move(known));
  if (caller) {
    const auto* stored = (*state)->key(prefix);
    if (!stored->last_used_at || *stored->last_used_at + seen_precision < now) co_await touch_key(stored->id);
  }
  co_return std::move(caller);
}

Eventual<Result<Caller>> RequestAuthenticator::by_password(const http::Request& request,
                                                           std::string_view encoded, Caller&& known) {
  if (!settings_.get()->basic_auth)
    return Result<Caller>(fail(ErrorKind::unauthenticated, "basic_auth_off",
                               "Basic authentication is turned off on this server"));
  if (!request.tls && !is_loopback(request.peer_address))
    return Result<Caller>(fail(ErrorKind::unauthenticated, "basic_auth_needs_tls",
                               "Basic authentication is accepted over HTTPS only"));
  const auto decoded = base64_decode(encoded);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos || !is_valid_utf8(*decoded) || decoded->find('\0') != std::string::npos ||
      decoded->size() > 1280)
    return Result<Caller>(invalid_token());
  std::string pair = security::hmac_sha256(pair_key_, *decoded);
  if (const auto found = find_pair(pair))
    if (const auto state = states_.find(found->user))
      return with_pair(found->user, found->password_mark, *state, std::move(known));
  return by_password_later(decoded->substr(0, colon), decoded->substr(colon + 1), std::move(pair),
                           std::move(known));
}

Task<Result<Caller>> RequestAuthenticator::by_password_later(std::string email, std::string password,
                                                             std::string pair, Caller known) {
  auto found = find_pair(pair);
  if (!found) {
    auto proven = co_await gate_.prove(std::move(email), std::move(password), known);
    if (!proven) co_return Failure(std::move(proven.error()));
    found = KnownPair{proven->account.id, mark_of(proven->account.password_hash),
                      std::chrono::steady_clock::now() + pair_life};
    keep_pair(pair, *found);
  }
  auto state = co_await read_state(found->user);
  if (!state) co_return Failure(std::move(state.error()));
  co_return with_pair(found->user, found->password_mark, **state, std::move(known));
}

Task<Result<AccountStatePtr>> RequestAuthenticator::read_state(UserId user) {
  const auto ticket = states_.before_reading(user);
  const Timestamp now = clock_.now();
  const Timestamp idle_since = now - settings_.get()->session_idle;
  auto work = [user, now, idle_since](db::Transaction& tx) { return load(tx, user, now, idle_since); };
  auto state = co_await database_.read(std::move(work));
  if (state && (*state)->exists) states_.keep(user, ticket, *state);
  co_return std::move(state);
}

// Having been seen is not worth refusing a request for: when the database cannot write now, a later one notes
// it.
Task<void> RequestAuthenticator::touch_session(SessionId session) {
  auto work = [session, now = clock_.now()](db::Transaction& tx) {
    SessionRepository(tx).touch(session, now);
  };
  (void)co_await database_.write(std::move(work));
}
Task<void> RequestAuthenticator::touch_key(ApiKeyId key) {
  auto work = [key, now = clock_.now()](db::Transaction& tx) { SessionRepository(tx).touch_key(key, now); };
  (void)co_await database_.write(std::move(work));
}

std::optional<RequestAuthenticator::KnownPair> RequestAuthenticator::find_pair(const std::string& pair) {
  std::lock_guard lock(pairs_mutex_);
  const auto it = pairs_.find(pair);
  if (it == pairs_.end() || it->second.until <= std::chrono::steady_clock::now()) return {};
  return it->second;
}

void RequestAuthenticator::keep_pair(const std::string& pair, KnownPair known) {
  std::lock_guard lock(pairs_mutex_);
  if (pairs_.size() >= most_pairs)
    std::erase_if(pairs_,
                  [now = std::chrono::steady_clock::now()](const auto& p) { return p.second.until <= now; });
  if (pairs_.size() >= most_pairs) pairs_.clear();
  pairs_.insert_or_assign(pair, std::move(known));
}

}  // namespace lumina::auth
