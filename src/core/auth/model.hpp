// The types of accounts, free of HTTP, JSON and SQL. Nothing here that is answered holds a password or a
// digest.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::auth {

struct User {
  UserId id;
  std::string email;
  std::string full_name;
  Role role = Role::patron;
  bool is_admin = false;  // derived from the role
  bool is_active = true;
  Timestamp created_at;
  Timestamp updated_at;
  std::int64_t version = 1;  // part of the ETag, not of the body

  static constexpr std::string_view type_name = "User";
  static std::vector<schema::Field> fields();
};

struct NewUser {
  std::string email;      // up to 255 bytes
  std::string password;   // 8..100 code points, and what PasswordPolicy asks
  std::string full_name;  // 1..255 code points, not blank
  static constexpr std::string_view type_name = "NewUser";
  static std::vector<schema::Field> fields();
};

// The first administrator, with the one-time token that the server printed when it started without any.
struct FirstAdmin {
  std::string token;
  std::string email;
  std::string password;
  std::optional<std::string> full_name;
  static constexpr std::string_view type_name = "FirstAdmin";
  static std::vector<schema::Field> fields();
};

// JSON {email, password}, or the form of the OAuth 2.0 password grant (RFC 6749, 4.3), whose username is the
// e-mail address and whose other members are read and not used.
struct Credentials {
  std::optional<std::string> email, username;
  std::string password;
  std::optional<std::string> grant_type, scope, client_id, client_secret;
  static constexpr std::string_view type_name = "Credentials";
  static std::vector<schema::Field> fields();
};

struct SignedIn {
  std::string access_token;
  std::string token_type = "bearer";
  std::int64_t expires_in = 0;  // seconds
  std::string refresh_token;
  User user;
  static constexpr std::string_view type_name = "SignedIn";
  static std::vector<schema::Field> fields();
};
struct RefreshRequest {
  std::string refresh_token;
  static constexpr std::string_view type_name = "RefreshRequest";
  static std::vector<schema::Field> fields();
};
struct LogoutRequest {
  std::optional<std::string> refresh_token;
  static constexpr std::string_view type_name = "LogoutRequest";
  static std::vector<schema::Field> fields();
};

// Where somebody is signed in.
struct Session {
  SessionId id;
  std::string ip;
  std::string agent;
  Timestamp created_at;
  Timestamp last_seen;  // to within five minutes
  Timestamp expires_at;
  bool current = false;
  static constexpr std::string_view type_name = "Session";
  static std::vector<schema::Field> fields();
};

struct PasswordChange {
  std::string current_password, new_password;
  static constexpr std::string_view type_name = "PasswordChange";
  static std::vector<schema::Field> fields();
};
struct ResetRequest {
  std::string email;
  static constexpr std::string_view type_name = "ResetRequest";
  static std::vector<schema::Field> fields();
};
struct ResetConfirmation {
  std::string token, new_password;
  static constexpr std::string_view type_name = "ResetConfirmation";
  static std::vector<schema::Field> fields();
};

struct ApiKey {
  ApiKeyId id;
  std::string name;
  std::string prefix;
  std::optional<std::vector<std::string>> scopes;  // null: whatever the person may do
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> last_used_at;  // to within five minutes
  std::optional<std::string> key;         // in the answer that made it, never again
  static constexpr std::string_view type_name = "ApiKey";
  static std::vector<schema::Field> fields();
};
struct NewApiKey {
  std::string name;
  std::optional<Timestamp> expires_at;
  std::optional<std::vector<std::string>> scopes;
  static constexpr std::string_view type_name = "NewApiKey";
  static std::vector<schema::Field> fields();
};

struct Profile {
  std::string full_name;
  static constexpr std::string_view type_name = "Profile";
  static std::vector<schema::Field> fields();
};
struct ProfileChanges {
  schema::Patch<std::string> full_name;
  static constexpr std::string_view type_name = "ProfileChanges";
  static std::vector<schema::Field> fields();
};
// What an administrator may change of somebody.
struct UserChanges {
  schema::Patch<std::string> full_name;
  schema::Patch<Role> role;
  schema::Patch<bool> is_active;
  static constexpr std::string_view type_name = "UserChanges";
  static std::vector<schema::Field> fields();
};
struct RoleChange {
  Role role = Role::patron;
  static constexpr std::string_view type_name = "RoleChange";
  static std::vector<schema::Field> fields();
};
struct UserFilter {
  std::optional<std::string> q;  // part of the name or of the e-mail address
  std::optional<Role> role;
  std::optional<bool> is_active;
  static constexpr std::string_view type_name = "UserFilter";
  static std::vector<schema::Field> fields();
};

struct Preferences {
  std::vector<std::string> favorite_genres, favorite_authors, languages, disliked_genres;
  std::int64_t version = 1;  // part of the ETag, not of the body; 1: never set
  static constexpr std::string_view type_name = "Preferences";
  static std::vector<schema::Field> fields();
};

// Everything that is kept about a person, for that person.
struct ExportedLoan {
  BorrowId id;
  BookId book_id;
  std::string title;
  Timestamp borrow_date, due_date;
  std::optional<Timestamp> return_date;
  int renewals = 0;
  static constexpr std::string_view type_name = "ExportedLoan";
  static std::vector<schema::Field> fields();
};
struct ExportedReview {
  ReviewId id;
  BookId book_id;
  std::string title;
  double rating = 0;
  std::string review_text;
  double sentiment_score = 0;
  Timestamp created_at, updated_at;
  static constexpr std::string_view type_name = "ExportedReview";
  static std::vector<schema::Field> fields();
};
struct ExportedVote {
  ReviewId review_id;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedVote";
  static std::vector<schema::Field> fields();
};
struct ExportedHold {
  std::int64_t id = 0;
  BookId book_id;
  std::string status;
  std::optional<std::string> note;
  Timestamp created_at;
  std::optional<Timestamp> ended_at;
  static constexpr std::string_view type_name = "ExportedHold";
  static std::vector<schema::Field> fields();
};
struct ExportedReply {
  std::int64_t id = 0;
  ReviewId review_id;
  std::string reply_text;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedReply";
  static std::vector<schema::Field> fields();
};
struct ExportedReport {
  ReviewId review_id;
  std::string reason;
  std::optional<std::string> note;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedReport";
  static std::vector<schema::Field> fields();
};
struct ExportedListBook {
  BookId book_id;
  std::optional<std::string> note;
  Timestamp added_at;
  static constexpr std::string_view type_name = "ExportedListBook";
  static std::vector<schema::Field> fields();
};
struct ExportedList {
  std::int64_t id = 0;
  std::string name, kind;
  std::optional<std::string> description;
  bool is_public = false;
  std::vector<BookId> book_ids;
  std::vector<ExportedListBook> books;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedList";
  static std::vector<schema::Field> fields();
};
// Who may see or change a list: one's own, or somebody else's that is shared with the person.
struct ExportedGrant {
  std::int64_t list_id = 0;
  UserId user_id;
  std::string access;
  Timestamp granted_at;
  static constexpr std::string_view type_name = "ExportedGrant";
  static std::vector<schema::Field> fields();
};
struct ExportedFine {
  std::int64_t id = 0;
  std::string kind;
  std::optional<BookId> book_id;
  std::optional<std::string> note;
  std::int64_t charged_minor = 0, settled_minor = 0;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedFine";
  static std::vector<schema::Field> fields();
};
struct ExportedLedgerLine {
  std::int64_t fine_id = 0;
  std::string kind;
  std::int64_t amount_minor = 0;
  std::optional<std::string> note;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedLedgerLine";
  static std::vector<schema::Field> fields();
};
struct ExportedBlock {
  std::string reason;
  Timestamp created_at;
  std::optional<Timestamp> lifted_at;
  static constexpr std::string_view type_name = "ExportedBlock";
  static std::vector<schema::Field> fields();
};
// What circulation knows of the person.
struct ExportedPatron {
  std::optional<std::string> category, card_number;
  std::vector<ExportedBlock> blocks;
  static constexpr std::string_view type_name = "ExportedPatron";
  static std::vector<schema::Field> fields();
};
struct ExportedNotification {
  std::string kind, title, body;
  Timestamp created_at;
  std::optional<Timestamp> read_at;
  static constexpr std::string_view type_name = "ExportedNotification";
  static std::vector<schema::Field> fields();
};
// What the person said of recommended books.
struct ExportedFeedback {
  BookId book_id;
  std::string action;
  std::int64_t times = 0;
  Timestamp first_at, last_at;
  static constexpr std::string_view type_name = "ExportedFeedback";
  static std::vector<schema::Field> fields();
};
// A question that the person kept.
struct ExportedSearch {
  std::string name;
  schema::RawJson query;
  bool alert = false;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedSearch";
  static std::vector<schema::Field> fields();
};
struct ExportedRecommendations {
  bool personal = true;
  std::optional<Timestamp> forgotten_at;
  static constexpr std::string_view type_name = "ExportedRecommendations";
  static std::vector<schema::Field> fields();
};
// A version of a document that the person brought.
struct ExportedDocument {
  std::int64_t id = 0, version = 1;
  std::string title, filename, kind, sha256, visibility, status;
  std::int64_t size = 0;
  std::optional<BookId> book_id;
  bool current = false;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedDocument";
  static std::vector<schema::Field> fields();
};
// Who may read a document: one's own, or one that others share.
struct ExportedDocumentGrant {
  std::int64_t document_id = 0;
  UserId user_id;
  std::string access;
  Timestamp granted_at;
  static constexpr std::string_view type_name = "ExportedDocumentGrant";
  static std::vector<schema::Field> fields();
};
// A question with its answer as it was given.
struct ExportedQuestion {
  std::string session_id, question;
  schema::RawJson answer;
  Timestamp created_at;
  static constexpr std::string_view type_name = "ExportedQuestion";
  static std::vector<schema::Field> fields();
};
struct ExportedAction {
  Timestamp at;
  std::string action, resource;
  std::optional<std::int64_t> resource_id;
  std::string outcome, address;
  static constexpr std::string_view type_name = "ExportedAction";
  static std::vector<schema::Field> fields();
};
struct PersonalRecord {
  Timestamp exported_at;
  User user;
  Preferences preferences;
  std::vector<Session> sessions;
  std::vector<ApiKey> api_keys;
  std::vector<ExportedLoan> loans;
  std::vector<ExportedReview> reviews;
  std::vector<ExportedVote> helpful_votes;
  std::vector<ExportedHold> holds;
  std::vector<ExportedReply> replies;
  std::vector<ExportedReport> reports;
  std::vector<ExportedList> collections;
  std::vector<ExportedGrant> grants;
  ExportedPatron patron;
  std::vector<ExportedFine> fines;
  std::vector<ExportedLedgerLine> ledger;
  std::vector<ExportedNotification> notifications;
  schema::RawJson notification_settings;  // null: never set
  std::vector<ExportedFeedback> recommendation_feedback;
  std::vector<ExportedSearch> saved_searches;
  ExportedRecommendations recommendation_settings;
  std::vector<ExportedDocument> documents;
  std::vector<ExportedDocumentGrant> document_grants;
  std::vector<ExportedQuestion> questions;
  std::vector<ExportedAction> audit;
  static constexpr std::string_view type_name = "PersonalRecord";
  static std::vector<schema::Field> fields();
};

// The names that API keys can be restricted to: those of Permission, and "books:read" for nothing but what is
// public.
constexpr std::string_view read_only_scope = "books:read";
bool is_scope(std::string_view name);
// As the bit set that Caller carries; no list is everything.
std::uint32_t scope_bits(const std::optional<std::vector<std::string>>& scopes);

}  // namespace lumina::auth
