// SQL of being signed in: sessions, their refresh tokens, and API keys. Only digests of tokens and keys are
// stored.
#pragma once
#include "core/auth/model.hpp"
#include "core/db/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::auth {

struct NewSession {
  UserId user;
  Timestamp now, expires_at;
  std::string address, agent;
};

// A refresh token with what decides whether it may be used.
struct StoredRefresh {
  SessionId session;
  UserId user;
  Timestamp expires_at;
  std::optional<Timestamp> used_at;
  std::optional<Timestamp> revoked_at;  // of the session
  Timestamp last_seen_at;               // of the session
};

// An API key with its digest.
struct StoredKey : ApiKey {
  UserId user;
  std::string hash;
};

class SessionRepository {
 public:
  explicit SessionRepository(db::Transaction& tx) : tx_(tx) {}

  SessionId insert(const NewSession& session);
  // Those that are neither ended, expired nor unused since `idle_since`; the last used first.
  std::vector<Session> live(UserId user, Timestamp now, Timestamp idle_since);
  std::vector<Session> all(UserId user);
  // Whether that person's session was open and is ended now.
  bool end(SessionId session, UserId user, Timestamp now);
  // Every open session of the person but that one (0: every one); gives how many.
  std::int64_t end_others(UserId user, SessionId kept, Timestamp now);
  // Keeps the `most` last used sessions of the person open.
  void end_beyond(UserId user, int most, Timestamp now);
  void touch(SessionId session, Timestamp now);
  void renew(SessionId session, Timestamp now, Timestamp expires_at, std::string_view address,
             std::string_view agent);

  void insert_token(std::string_view hash, SessionId session, Timestamp now, Timestamp expires_at);
  std::optional<StoredRefresh> find_token(std::string_view hash);
  // Whether the token was unused; of several callers at once one gets true.
  bool use_token(std::string_view hash, Timestamp now);

  // Where people signed in lately, with their e-mail keys; the last first.
  struct KnownAddress {
    std::string address, email_key;
  };
  std::vector<KnownAddress> known_addresses(Timestamp since, int most);

  ApiKeyId insert_key(UserId user, const NewApiKey& key, std::string_view prefix, std::string_view hash,
                      Timestamp now);
  std::vector<StoredKey> keys(UserId user);
  std::optional<StoredKey> find_key(ApiKeyId id, UserId user);
  std::optional<UserId> owner_of_key(std::string_view prefix);
  bool erase_key(ApiKeyId id, UserId user);
  void touch_key(ApiKeyId id, Timestamp now);

  // Of sessions not used since; gives how many.
  std::int64_t blank_addresses(Timestamp before);
  // Deletes what ended or expired before that time; gives the number of sessions.
  std::int64_t purge(Timestamp before);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::auth
