#include "core/auth/account_service.hpp"

#include "core/auth/account_rules.hpp"
#include "core/auth/session_repository.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace lumina::auth {
namespace {

Failure stale(const char* what) {
  return fail(ErrorKind::stale, "stale", std::string(what) + " changed since you read it; read it again");
}

events::Change about_user(std::string_view type, UserId user) {
  return {.type = type, .resource = "user", .resource_id = user.value, .subject = user};
}

// Null has no meaning for what every account has.
Status check_nothing_emptied(const UserChanges& changes) {
  std::vector<FieldError> faults;
  const auto check = [&](const auto& field, std::string_view name) {
    if (field.mentioned() && field.state != std::decay_t<decltype(field)>::State::value)
      faults.push_back({{"body", std::string(name)}, "must not be null", "type"});
  };
  check(changes.full_name, "full_name");
  check(changes.role, "role");
  check(changes.is_active, "is_active");
  if (!faults.empty()) return invalid(std::move(faults));
  return {};
}

// Without white space at the ends, without repetitions.
std::vector<std::string> cleaned(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) {
    std::string clean(trim(name));
    if (!clean.empty() && std::find(out.begin(), out.end(), clean) == out.end())
      out.push_back(std::move(clean));
  }
  return out;
}

}  // namespace

Task<Result<User>> AccountService::find(UserId id) {
  auto work = [id](db::Transaction& tx) -> Result<User> {
    if (auto account = UserRepository(tx).find(id)) return User(std::move(*account));
    return no_such_user();
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Page<User>>> AccountService::list(UserFilter filter, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [filter = std::move(filter), page = std::move(page)](db::Transaction& tx) {
    UserRepository users(tx);
    Page<User> out;
    out.items = users.list(filter, page);
    out.total = users.count(filter);
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<User>> AccountService::change(UserId id, UserChanges changes, Precondition seen, Caller by) {
  if (auto whole = check_nothing_emptied(changes); !whole) co_return Failure(std::move(whole.error()));
  auto work = [this, id, changes = std::move(changes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<User> {
    UserRepository users(tx);
    const bool standing = changes.role.mentioned() || changes.is_active.mentioned();
    if (standing) users.lock_admins();
    const auto now = users.find_locked(id);
    if (!now) return no_such_user();
    if (!seen.allows(now->version)) return stale("The account");
    const Role role = changes.role.mentioned() ? changes.role.value : now->role;
    const bool active = changes.is_active.mentioned() ? changes.is_active.value : now->is_active;
    const bool was_admin = now->role == Role::admin && now->is_active;
    if (was_admin && !(role == Role::admin && active) && users.active_admins() <= 1) return last_admin();

    const Timestamp at = clock_.now();
    if (changes.full_name.mentioned() && clean_name(changes.full_name.value) != now->full_name) {
      const std::string name = clean_name(changes.full_name.value);
      users.set_name(id, name, name_key(name), at);
      journal_.record(tx, by, about_user("user.updated", id));
    }
    if (role != now->role) {
      users.set_role(id, role, at);
      auto change = about_user("user.role_changed", id);
      change.payload = R"({"role":")" + std::string(role_names[static_cast<std::size_t>(role)]) + "\"}";
      journal_.record(tx, by, change);
    }
    if (active != now->is_active) {
      users.set_active(id, active, at);
      if (!active) SessionRepository(tx).end_others(id, SessionId{}, at);
      journal_.record(tx, by, about_user(active ? "user.activated" : "user.deactivated", id));
    }
    return User(*users.find(id));
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> AccountService::erase(UserId id, Precondition seen, Caller by) {
  auto work = [this, id, seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<std::string> {
    UserRepository users(tx);
    users.lock_admins();
    const auto now = users.find_locked(id);
    if (!now) return no_such_user();
    if (!seen.allows(now->version)) return stale("The account");
    if (now->role == Role::admin && now->is_active && users.active_admins() <= 1) return last_admin();
    if (users.has_open_loans(id))
      return fail(ErrorKind::refused, "open_loans", "The account cannot be deleted while loans are open");
    for (const auto& step : erasures_) step(tx, id);
    users.anonymise(id, clock_.now());
    journal_.record(tx, by, about_user("user.deleted", id));
    return now->email;
  };
  auto email = co_await database_.write(std::move(work));
  if (!email) co_return Failure(std::move(email.error()));
  gate_.forget(*email);
  co_return Status{};
}

Task<Status> AccountService::erase_own(Precondition seen, Caller by) {
  if (auto person = check_signed_in_person(by); !person) co_return Failure(std::move(person.error()));
  const UserId id = by.id();
  co_return co_await erase(id, std::move(seen), std::move(by));
}

Task<Result<Preferences>> AccountService::preferences(UserId id) {
  auto work = [id](db::Transaction& tx) {
    return UserRepository(tx).preferences(id).value_or(Preferences{});
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Preferences>> AccountService::set_preferences(Preferences wishes, Precondition seen, Caller by) {
  wishes.favorite_genres = cleaned(wishes.favorite_genres);
  wishes.favorite_authors = cleaned(wishes.favorite_authors);
  wishes.languages = cleaned(wishes.languages);
  wishes.disliked_genres = cleaned(wishes.disliked_genres);
  auto work = [this, wishes = std::move(wishes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Preferences> {
    UserRepository users(tx);
    if (!users.find_locked(by.id())) return no_such_user();
    const auto now = users.preferences(by.id()).value_or(Preferences{});
    if (!seen.allows(now.version)) return stale("What you like");
    users.set_preferences(by.id(), wishes, clock_.now());
    journal_.record(tx, by, about_user("user.preferences_changed", by.id()));
    return *users.preferences(by.id());
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<PersonalRecord>> AccountService::record(Caller by) {
  auto work = [this, by = std::move(by)](db::Transaction& tx) -> Result<PersonalRecord> {
    UserRepository users(tx);
    SessionRepository sessions(tx);
    auto account = users.find(by.id());
    if (!account) return no_such_user();
    PersonalRecord record;
    record.exported_at = clock_.now();
    record.user = std::move(*account);
    record.preferences = users.preferences(by.id()).value_or(Preferences{});
    record.sessions = sessions.all(by.id());
    for (auto& session : record.sessions) session.current = by.session == session.id;
    for (auto& key : sessions.keys(by.id())) record.api_keys.push_back(std::move(key));
    record.loans = users.loans(by.id());
    record.reviews = users.reviews(by.id());
    record.helpful_votes = users.helpful_votes(by.id());
    record.holds = users.holds(by.id());
    record.replies = users.replies(by.id());
    record.reports = users.reports(by.id());
    record.collections = users.lists(by.id());
    record.grants = users.grants(by.id());
    record.patron = users.patron(by.id());
    record.fines = users.fines(by.id());
    record.ledger = users.ledger(by.id());
    record.notifications = users.notifications(by.id());
    record.notification_settings = users.notification_settings(by.id());
    record.recommendation_feedback = users.recommendation_feedback(by.id());
    record.saved_searches = users.saved_searches(by.id());
    record.recommendation_settings = users.recommendation_settings(by.id());
    record.documents = users.documents(by.id());
    record.document_grants = users.document_grants(by.id());
    record.questions = users.questions(by.id());
    record.audit = users.actions(by.id());
    return record;
  };
  co_return co_await database_.read(std::move(work));
}

}  // namespace lumina::auth
