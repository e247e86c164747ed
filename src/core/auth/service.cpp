#include "core/auth/service.hpp"

#include "core/auth/account_rules.hpp"
#include "core/auth/email.hpp"
#include "core/auth/session_repository.hpp"
#include "core/security/random.hpp"

#include <utility>

namespace lumina::auth {
namespace {

using std::chrono::seconds;

constexpr auto purge_after = std::chrono::hours(24 * 30);
constexpr auto between_resets = std::chrono::minutes(1);

Failure invalid_refresh() {
  return fail(ErrorKind::unauthenticated, "invalid_token", "The refresh token is not valid; sign in again");
}
Failure invalid_reset() {
  return fail(ErrorKind::refused, "invalid_reset_token", "The reset token is not valid or has expired");
}

// The same request, made by that person: for what happens before anybody is signed in.
Caller as(Caller by, UserId user) {
  by.user = user;
  return by;
}

events::Change about_user(std::string_view type, UserId user) {
  return {.type = type, .resource = "user", .resource_id = user.value, .subject = user};
}
events::Change about_session(std::string_view type, SessionId session, UserId user) {
  return {.type = type, .resource = "session", .resource_id = session.value, .subject = user};
}

}  // namespace

AuthService::AuthService(db::Database& database, const Clock& clock, events::Journal& journal,
                         PasswordWork& work, PasswordGate& gate, const security::TokenIssuer& issuer,
                         ResetMailer& mailer, const LiveAuthSettings& settings)
    : database_(database),
      clock_(clock),
      journal_(journal),
      work_(work),
      gate_(gate),
      issuer_(issuer),
      mailer_(mailer),
      settings_(settings) {}

Task<Result<User>> AuthService::sign_up(NewUser user, Caller by) {
  auto good = check_password_choice(settings_.get()->policy, user.password, user.email, "password");
  if (!good) co_return Failure(std::move(good.error()));
  // An address that is taken is not worth a hash; the insert decides.
  auto look = [key = email_key(user.email)](db::Transaction& tx) {
    return UserRepository(tx).find_by_email(key).has_value();
  };
  auto taken = co_await database_.read(std::move(look));
  if (!taken) co_return Failure(std::move(taken.error()));
  if (*taken) co_return email_taken();
  auto hash = co_await work_.hash(std::move(user.password));
  if (!hash) co_return Failure(std::move(hash.error()));
  auto work = [this, row = account_row(user.email, user.full_name, std::move(*hash), Role::patron),
               by = std::move(by)](db::Transaction& tx) -> Result<User> {
    UserRepository users(tx);
    const auto id = users.insert(row, clock_.now());
    if (!id) return email_taken();
    journal_.record(tx, as(by, *id), about_user("user.registered", *id));
    return *users.find(*id);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<SignedIn>> AuthService::sign_in(std::string email, std::string password, std::string agent,
                                            Caller by) {
  auto proven = co_await gate_.prove(std::move(email), std::move(password), by);
  if (!proven) co_return Failure(std::move(proven.error()));
  const auto settings = settings_.get();
  std::string token = security::opaque_token();
  auto work = [this, settings, user = proven->account.id, hash = proven->account.password_hash,
               stronger = proven->stronger_hash, token_hash = security::sha256_hex(token),
               agent = clean_agent(agent), by = std::move(by)](db::Transaction& tx) -> Result<Opened> {
    UserRepository users(tx);
    auto account = users.find_locked(user);
    if (!account || account->password_hash != hash) return wrong_credentials();
    if (!account->is_active) return account_disabled();
    if (!stronger.empty()) users.strengthen_password(user, hash, stronger);
    const Timestamp now = clock_.now();
    const Timestamp expires_at = now + settings->refresh_life;
    SessionRepository sessions(tx);
    const NewSession fresh{user, now, expires_at, clean_agent(by.address), agent};
    const SessionId session = sessions.insert(fresh);
    sessions.insert_token(token_hash, session, now, expires_at);
    sessions.end_beyond(user, settings->most_sessions, now);
    journal_.record(tx, as(by, user), about_session("session.created", session, user));
    return Opened{std::move(*account), session, false};
  };
  auto opened = co_await database_.write(std::move(work));
  if (!opened) co_return Failure(std::move(opened.error()));
  co_return issue(std::move(*opened), std::move(token));
}

Task<Result<SignedIn>> AuthService::refresh(std::string refresh_token, std::string agent, Caller by) {
  const auto settings = settings_.get();
  std::string token = security::opaque_token();
  auto work = [this, settings, used_hash = security::sha256_hex(refresh_token),
               token_hash = security::sha256_hex(token), agent = clean_agent(agent),
               by = std::move(by)](db::Transaction& tx) -> Result<Opened> {
    SessionRepository sessions(tx);
    const Timestamp now = clock_.now();
    const auto stored = sessions.find_token(used_hash);
    if (!stored) return invalid_refresh();
    auto account = UserRepository(tx).find_locked(stored->user);
    if (!account || !account->is_active || stored->revoked_at) return invalid_refresh();
    if (stored->used_at || !sessions.use_token(used_hash, now)) {
      sessions.end(stored->session, stored->user, now);
      auto change = about_session("session.revoked", stored->session, stored->user);
      change.payload = R"({"reason":"refresh_token_reused"})";
      journal_.record(tx, by, change);
      return Opened{std::move(*account), stored->session, true};
    }
    if (stored->expires_at <= now || stored->last_seen_at + settings->session_idle <= now)
      return invalid_refresh();
    const Timestamp expires_at = now + settings->refresh_life;
    sessions.insert_token(token_hash, stored->session, now, expires_at);
    sessions.renew(stored->session, now, expires_at, clean_agent(by.address), agent);
    journal_.record(tx, as(by, stored->user),
                    about_session("session.refreshed", stored->session, stored->user));
    return Opened{std::move(*account), stored->session, false};
  };
  auto opened = co_await database_.write(std::move(work));
  if (!opened) co_return Failure(std::move(opened.error()));
  if (opened->reused) co_return invalid_refresh();
  co_return issue(std::move(*opened), std::move(token));
}

SignedIn AuthService::issue(Opened opened, std::string refresh_token) const {
  const Account& account = opened.account;
  const auto life = settings_.get()->access_life;
  security::Claims claims;
  claims.subject = account.email;
  claims.user = account.id;
  claims.role = account.role;
  claims.session = opened.session;
  claims.epoch = account.epoch;
  claims.id = security::fast_request_id();
  claims.issued_at = clock_.now();
  claims.expires_at = claims.issued_at + life;
  SignedIn answer;
  answer.access_token = issuer_.issue(claims);
  answer.expires_in = std::chrono::duration_cast<seconds>(life).count();
  answer.refresh_token = std::move(refresh_token);
  answer.user = std::move(opened.account);
  return answer;
}

Task<Status> AuthService::sign_out(std::optional<std::string> refresh_token, Caller by) {
  const auto token_hash = refresh_token ? std::optional(security::sha256_hex(*refresh_token)) : std::nullopt;
  auto work = [this, token_hash, by = std::move(by)](db::Transaction& tx) -> Status {
    SessionRepository sessions(tx);
    const Timestamp now = clock_.now();
    const auto end = [&](SessionId session) {
      if (sessions.end(session, by.id(), now))
        journal_.record(tx, by, about_session("session.ended", session, by.id()));
    };
    if (by.session) end(*by.session);
    if (!token_hash) return {};
    const auto stored = sessions.find_token(*token_hash);
    if (stored && stored->user == by.id()) end(stored->session);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<std::vector<Session>>> AuthService::sessions(Caller by) {
  const Timestamp now = clock_.now();
  const Timestamp idle_since = now - settings_.get()->session_idle;
  auto work = [now, idle_since, by = std::move(by)](db::Transaction& tx) {
    auto open = SessionRepository(tx).live(by.id(), now, idle_since);
    for (auto& session : open) session.current = by.session == session.id;
    return open;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Status> AuthService::end_session(SessionId session, Caller by) {
  auto work = [this, session, by = std::move(by)](db::Transaction& tx) -> Status {
    if (!SessionRepository(tx).end(session, by.id(), clock_.now())) return not_found("Session not found");
    journal_.record(tx, by, about_session("session.ended", session, by.id()));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> AuthService::end_all_sessions(Caller by) {
  auto work = [this, by = std::move(by)](db::Transaction& tx) -> Status {
    UserRepository(tx).raise_epoch(by.id());
    SessionRepository(tx).end_others(by.id(), SessionId{}, clock_.now());
    journal_.record(tx, by, about_user("session.all_ended", by.id()));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> AuthService::change_password(PasswordChange change, Caller by) {
  if (auto person = check_signed_in_person(by); !person) co_return Failure(std::move(person.error()));
  auto good = check_password_choice(settings_.get()->policy, change.new_password, by.email, "new_password");
  if (!good) co_return Failure(std::move(good.error()));
  auto proven = co_await gate_.prove_again(by.id(), std::move(change.current_password), by);
  if (!proven) co_return Failure(std::move(proven.error()));
  auto hash = co_await work_.hash(std::move(change.new_password));
  if (!hash) co_return Failure(std::move(hash.error()));
  auto work = [this, old_hash = proven->account.password_hash, hash = std::move(*hash),
               by = std::move(by)](db::Transaction& tx) -> Status {
    UserRepository users(tx);
    const auto account = users.find_locked(by.id());
    if (!account || account->password_hash != old_hash)
      return fail(ErrorKind::refused, "wrong_password", "The current password is incorrect");
    const Timestamp now = clock_.now();
    users.set_password(by.id(), hash, now);
    // The caller's own token goes on: it belongs to the one session that stays.
    if (!by.session) users.raise_epoch(by.id());
    SessionRepository(tx).end_others(by.id(), by.session.value_or(SessionId{}), now);
    journal_.record(tx, by, about_user("user.password_changed", by.id()));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> AuthService::request_reset(std::string email, Caller by) {
  auto work = [this, email = std::move(email), by = std::move(by)](db::Transaction& tx) -> Status {
    // Without mail the token reaches nobody; the attempt is on record all the same.
    if (!mailer_.take_request(tx, email, by)) begin_reset(tx, email_key(email), security::opaque_token(), by);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

std::optional<AuthService::Reset> AuthService::begin_reset(db::Transaction& tx, const std::string& email_key,
                                                           const std::string& token, const Caller& by,
                                                           std::optional<std::chrono::minutes> life) {
  UserRepository users(tx);
  const Timestamp now = clock_.now();
  const auto account = users.find_by_email(email_key);
  const bool sends =
      account && account->is_active && !users.reset_requested_since(account->id, now - between_resets);
  if (!sends) {
    const auto subject = account ? std::optional(account->id.value) : std::nullopt;
    journal_.refused(tx, by, "user.password_reset_requested", "user", subject, "{}");
    return std::nullopt;
  }
  const Timestamp expires_at = now + life.value_or(settings_.get()->reset_life);
  users.insert_reset(security::sha256_hex(token), account->id, now, expires_at);
  journal_.record(tx, by, about_user("user.password_reset_requested", account->id));
  return Reset{User(*account), expires_at};
}

Task<Status> AuthService::confirm_reset(ResetConfirmation confirmation, Caller by) {
  const std::string token_hash = security::sha256_hex(confirmation.token);
  auto look = [this, token_hash](db::Transaction& tx) -> std::optional<Account> {
    UserRepository users(tx);
    const auto user = users.find_reset(token_hash, clock_.now());
    return user ? users.find(*user) : std::nullopt;
  };
  auto account = co_await database_.read(std::move(look));
  if (!account) co_return Failure(std::move(account.error()));
  if (!*account) co_return invalid_reset();
  const std::string email = (*account)->email;
  auto good =
      check_password_choice(settings_.get()->policy, confirmation.new_password, email, "new_password");
  if (!good) co_return Failure(std::move(good.error()));
  auto hash = co_await work_.hash(std::move(confirmation.new_password));
  if (!hash) co_return Failure(std::move(hash.error()));
  auto work = [this, token_hash, hash = std::move(*hash), by = std::move(by)](db::Transaction& tx) -> Status {
    UserRepository users(tx);
    const Timestamp now = clock_.now();
    const auto user = users.use_reset(token_hash, now);
    if (!user || !users.find_locked(*user)) return invalid_reset();
    users.set_password(*user, hash, now);
    users.raise_epoch(*user);
    SessionRepository(tx).end_others(*user, SessionId{}, now);
    journal_.record(tx, as(by, *user), about_user("user.password_reset", *user));
    return {};
  };
  auto done = co_await database_.write(std::move(work));
  if (done) gate_.forget(email);
  co_return done;
}

std::string AuthService::offer_bootstrap() {
  return bootstrap_.offer(clock_.now(), settings_.get()->bootstrap_life);
}

Task<Result<User>> AuthService::make_first_admin(FirstAdmin first, Caller by) {
  auto good = check_password_choice(settings_.get()->policy, first.password, first.email, "password");
  if (!good) co_return Failure(std::move(good.error()));
  if (!bootstrap_.claim(first.token, clock_.now()))
    co_return fail(ErrorKind::unauthenticated, "invalid_token",
                   "The one-time token is not valid or has expired");
  struct Claim {
    BootstrapToken& token;
    bool spent = false;
    ~Claim() { spent ? token.spend() : token.give_back(); }
  } claim{bootstrap_};
  auto hash = co_await work_.hash(std::move(first.password));
  if (!hash) co_return Failure(std::move(hash.error()));
  const std::string name = first.full_name.value_or("Administrator");
  auto work = [this, row = account_row(first.email, name, std::move(*hash), Role::admin),
               by = std::move(by)](db::Transaction& tx) -> Result<User> {
    UserRepository users(tx);
    if (users.active_admins() > 0)
      return fail(ErrorKind::refused, "admin_exists", "There is an administrator already; ask that person");
    const auto id = users.insert(row, clock_.now());
    if (!id) return email_taken();
    journal_.record(tx, as(by, *id), about_user("user.registered", *id));
    return *users.find(*id);
  };
  auto made = co_await database_.write(std::move(work));
  claim.spent = made.has_value();
  co_return made;
}

Task<Status> AuthService::purge() {
  auto work = [this](db::Transaction& tx) -> Status {
    SessionRepository(tx).purge(clock_.now() - purge_after);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

}  // namespace lumina::auth
