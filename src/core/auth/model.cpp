#include "core/auth/model.hpp"

#include "core/auth/email.hpp"
#include "core/base/text.hpp"

#include <algorithm>

namespace lumina::auth {
namespace {

using schema::Field;
using schema::Rule;

bool has_text(std::string_view text) { return !trim(text).empty(); }
bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}
bool is_language(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<Rule> name_of(double most) {
  return {schema::length(1, most), schema::format("not-blank", &has_text, "must not be blank"),
          schema::format("one-line", &is_one_line, "must not contain control characters")};
}
std::vector<Rule> email_rules() {
  return {schema::format("email", &is_email, "must be an e-mail address of at most 255 characters")};
}
// The rest of the policy is configuration, and checked by the service.
std::vector<Rule> new_password_rules() { return {schema::length(8, 100)}; }
// Long enough for anything that was ever accepted; what is longer is not worth hashing.
std::vector<Rule> given_password_rules() { return {schema::length(1, 1024)}; }
std::vector<Rule> token_rules() { return {schema::length(1, 200)}; }
std::vector<Rule> list_of_names() { return {schema::items(0, 50), schema::length(1, 100)}; }

}  // namespace

bool is_scope(std::string_view name) {
  return name == read_only_scope ||
         std::find(permission_names.begin(), permission_names.end(), name) != permission_names.end();
}

std::uint32_t scope_bits(const std::optional<std::vector<std::string>>& scopes) {
  if (!scopes) return every_scope;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < permission_names.size(); ++i)
    if (std::find(scopes->begin(), scopes->end(), permission_names[i]) != scopes->end())
      bits |= scope_bit(static_cast<Permission>(i));
  return bits;
}

std::vector<Field> User::fields() {
  return {{"id", &User::id, "Identifier"},
          {"email", &User::email, "E-mail address, as given"},
          {"full_name", &User::full_name, "Name"},
          {"role", &User::role, "patron, librarian or admin"},
          {"is_admin", &User::is_admin, "Whether the role is admin"},
          {"is_active", &User::is_active, "false: cannot sign in"},
          {"created_at", &User::created_at, "When the account was made"},
          {"updated_at", &User::updated_at, "When it was last changed"}};
}
std::vector<Field> NewUser::fields() {
  return {{"email", &NewUser::email, "E-mail address", email_rules()},
          {"password", &NewUser::password, "Not one that many people use, not the e-mail address",
           new_password_rules()},
          {"full_name", &NewUser::full_name, "Name", name_of(255)}};
}
std::vector<Field> FirstAdmin::fields() {
  return {{"token", &FirstAdmin::token, "The one-time token that the server printed", token_rules()},
          {"email", &FirstAdmin::email, "E-mail address", email_rules()},
          {"password", &FirstAdmin::password, "Password", new_password_rules()},
          {"full_name", &FirstAdmin::full_name, "Name (default Administrator)", name_of(255)}};
}
std::vector<Field> Credentials::fields() {
  return {
      {"email", &Credentials::email, "E-mail address", {schema::length(1, 255)}},
      {"username",
       &Credentials::username,
       "The e-mail address, as OAuth 2.0 forms call it",
       {schema::length(1, 255)}},
      {"password", &Credentials::password, "Password", given_password_rules()},
      {"grant_type", &Credentials::grant_type, "\"password\" in OAuth 2.0 forms", {schema::length(0, 100)}},
      {"scope", &Credentials::scope, "Not used", {schema::length(0, 1000)}},
      {"client_id", &Credentials::client_id, "Not used", {schema::length(0, 1000)}},
      {"client_secret", &Credentials::client_secret, "Not used", {schema::length(0, 1000)}}};
}
std::vector<Field> SignedIn::fields() {
  return {{"access_token", &SignedIn::access_token, "For the header Authorization: Bearer"},
          {"token_type", &SignedIn::token_type, "bearer"},
          {"expires_in", &SignedIn::expires_in, "Life of the access token in seconds"},
          {"refresh_token", &SignedIn::refresh_token, "For POST /auth/refresh, once"},
          {"user", &SignedIn::user, "Who is signed in"}};
}
std::vector<Field> RefreshRequest::fields() {
  return {{"refresh_token", &RefreshRequest::refresh_token, "The newest refresh token of the session",
           token_rules()}};
}
std::vector<Field> LogoutRequest::fields() {
  return {
      {"refresh_token", &LogoutRequest::refresh_token, "Ends the session of this token too", token_rules()}};
}
std::vector<Field> Session::fields() {
  return {{"id", &Session::id, "Identifier"},
          {"ip", &Session::ip, "Address at the last sign-in or refresh"},
          {"agent", &Session::agent, "Program at the last sign-in or refresh"},
          {"created_at", &Session::created_at, "When it began"},
          {"last_seen", &Session::last_seen, "When it was last used, to within five minutes"},
          {"expires_at", &Session::expires_at, "When it ends unless it is refreshed"},
          {"current", &Session::current, "Whether this request belongs to it"}};
}
std::vector<Field> PasswordChange::fields() {
  return {
      {"current_password", &PasswordChange::current_password, "The password so far", given_password_rules()},
      {"new_password", &PasswordChange::new_password, "The password from now on", new_password_rules()}};
}
std::vector<Field> ResetRequest::fields() {
  return {{"email", &ResetRequest::email, "E-mail address of the account", email_rules()}};
}
std::vector<Field> ResetConfirmation::fields() {
  return {
      {"token", &ResetConfirmation::token, "The token from the mail", token_rules()},
      {"new_password", &ResetConfirmation::new_password, "The password from now on", new_password_rules()}};
}
std::vector<Field> ApiKey::fields() {
  return {{"id", &ApiKey::id, "Identifier"},
          {"name", &ApiKey::name, "What it is for"},
          {"prefix", &ApiKey::prefix, "The part of the key that is not secret"},
          {"scopes", &ApiKey::scopes, "What it is restricted to; null: whatever its owner may do"},
          {"created_at", &ApiKey::created_at, "When it was made"},
          {"expires_at", &ApiKey::expires_at, "When it stops working"},
          {"last_used_at", &ApiKey::last_used_at, "When it was last used, to within five minutes"},
          Field("key", &ApiKey::key, "The key, for the header X-API-Key; shown once").hide_when_absent()};
}
std::vector<Field> NewApiKey::fields() {
  return {{"name", &NewApiKey::name, "What it is for", name_of(100)},
          {"expires_at", &NewApiKey::expires_at, "When it stops working (default never)"},
          {"scopes",
           &NewApiKey::scopes,
           "Permissions such as books:write, or books:read (default: whatever you may do)",
           {schema::items(1, 20),
            schema::format("scope", &is_scope, "must be a permission such as books:write, or books:read")}}};
}
std::vector<Field> Profile::fields() { return {{"full_name", &Profile::full_name, "Name", name_of(255)}}; }
std::vector<Field> ProfileChanges::fields() {
  return {{"full_name", &ProfileChanges::full_name, "Name", name_of(255)}};
}
std::vector<Field> UserChanges::fields() {
  return {{"full_name", &UserChanges::full_name, "Name", name_of(255)},
          {"role", &UserChanges::role, "patron, librarian or admin"},
          {"is_active", &UserChanges::is_active, "false: signs out everywhere and cannot sign in"}};
}
std::vector<Field> RoleChange::fields() {
  return {{"role", &RoleChange::role, "patron, librarian or admin"}};
}
std::vector<Field> UserFilter::fields() {
  return {{"q", &UserFilter::q, "Part of the name or of the e-mail address", {schema::length(1, 200)}},
          {"role", &UserFilter::role, "Only this role"},
          {"is_active", &UserFilter::is_active, "Only accounts that can, or cannot, sign in"}};
}
std::vector<Field> Preferences::fields() {
  return {{"favorite_genres", &Preferences::favorite_genres, "Genres to recommend", list_of_names()},
          {"favorite_authors", &Preferences::favorite_authors, "Authors to recommend", list_of_names()},
          {"languages",
           &Preferences::languages,
           "Languages one reads (BCP 47)",
           {schema::items(0, 50), schema::length(1, 35),
            schema::format("language", &is_language, "must be a language tag such as en or pt-BR")}},
          {"disliked_genres", &Preferences::disliked_genres, "Genres never to recommend", list_of_names()}};
}
std::vector<Field> ExportedLoan::fields() {
  return {{"id", &ExportedLoan::id, "Identifier"},
          {"book_id", &ExportedLoan::book_id, "The book"},
          {"title", &ExportedLoan::title, "Its title"},
          {"borrow_date", &ExportedLoan::borrow_date, "When it was borrowed"},
          {"due_date", &ExportedLoan::due_date, "When it was due"},
          {"return_date", &ExportedLoan::return_date, "When it came back"},
          {"renewals", &ExportedLoan::renewals, "How often it was renewed"}};
}
std::vector<Field> ExportedReview::fields() {
  return {{"id", &ExportedReview::id, "Identifier"},
          {"book_id", &ExportedReview::book_id, "The book"},
          {"title", &ExportedReview::title, "Its title"},
          {"rating", &ExportedReview::rating, "1 to 5"},
          {"review_text", &ExportedReview::review_text, "What was written"},
          {"sentiment_score", &ExportedReview::sentiment_score, "How it was read, -1 to 1"},
          {"created_at", &ExportedReview::created_at, "When it was written"},
          {"updated_at", &ExportedReview::updated_at, "When it was last changed"}};
}
std::vector<Field> ExportedVote::fields() {
  return {{"review_id", &ExportedVote::review_id, "The review that was found helpful"},
          {"created_at", &ExportedVote::created_at, "When"}};
}
std::vector<Field> PersonalRecord::fields() {
  return {
      {"exported_at", &PersonalRecord::exported_at, "When this was put together"},
      {"user", &PersonalRecord::user, "The account"},
      {"preferences", &PersonalRecord::preferences, "What the person likes"},
      {"sessions", &PersonalRecord::sessions, "Where the person is or was signed in"},
      {"api_keys", &PersonalRecord::api_keys, "Keys, without their secrets"},
      {"loans", &PersonalRecord::loans, "Every loan"},
      {"reviews", &PersonalRecord::reviews, "Every review"},
      {"helpful_votes", &PersonalRecord::helpful_votes, "Reviews that were marked as helpful"},
      {"holds", &PersonalRecord::holds, "Every hold"},
      {"replies", &PersonalRecord::replies, "Every reply to a review"},
      {"reports", &PersonalRecord::reports, "Reviews that were reported"},
      {"collections", &PersonalRecord::collections, "Every list with its books, in order"},
      {"grants", &PersonalRecord::grants, "Whom one's lists are shared with, and what others share"},
      {"patron", &PersonalRecord::patron, "Category, library card and blocks"},
      {"fines", &PersonalRecord::fines, "Every fine"},
      {"ledger", &PersonalRecord::ledger, "What was charged, paid, waived and credited"},
      {"notifications", &PersonalRecord::notifications, "What the library told the person"},
      {"notification_settings", &PersonalRecord::notification_settings, "How the person wants to be told"},
      {"saved_searches", &PersonalRecord::saved_searches, "Questions that the person kept"},
      {"recommendation_feedback", &PersonalRecord::recommendation_feedback,
       "What the person said of recommended books"},
      {"recommendation_settings", &PersonalRecord::recommendation_settings,
       "Whether recommendations are made for the person"},
      {"documents", &PersonalRecord::documents, "Every version of every document that the person brought"},
      {"document_grants", &PersonalRecord::document_grants,
       "Whom one's documents are shared with, and what others share"},
      {"questions", &PersonalRecord::questions, "Every question to the library, with its answer"},
      {"audit", &PersonalRecord::audit,
       "What the person did and what was done to the account, newest first"}};
}
std::vector<Field> ExportedFeedback::fields() {
  return {{"book_id", &ExportedFeedback::book_id, "The book"},
          {"action", &ExportedFeedback::action, "click, like, dislike, dismiss, shown or opened"},
          {"times", &ExportedFeedback::times, "How often"},
          {"first_at", &ExportedFeedback::first_at, "First"},
          {"last_at", &ExportedFeedback::last_at, "Last"}};
}
std::vector<Field> ExportedSearch::fields() {
  return {{"name", &ExportedSearch::name, "What the person called it"},
          {"query", &ExportedSearch::query, "Filters and order of GET /books"},
          {"alert", &ExportedSearch::alert, "Whether it tells of new books"},
          {"created_at", &ExportedSearch::created_at, "When it was kept"}};
}
std::vector<Field> ExportedRecommendations::fields() {
  return {{"personal", &ExportedRecommendations::personal, "Whether what the person reads shapes them"},
          {"forgotten_at", &ExportedRecommendations::forgotten_at, "What was done before does not count"}};
}
std::vector<Field> ExportedDocument::fields() {
  return {{"id", &ExportedDocument::id, "Identifier; its bytes: GET /documents/{id}/content"},
          {"version", &ExportedDocument::version, "Which version, from 1"},
          {"title", &ExportedDocument::title, "Title"},
          {"filename", &ExportedDocument::filename, "Name of the file"},
          {"kind", &ExportedDocument::kind, "pdf, docx, epub, html, md or txt"},
          {"sha256", &ExportedDocument::sha256, "Digest of its bytes"},
          {"visibility", &ExportedDocument::visibility, "private, public or borrowers"},
          {"status", &ExportedDocument::status, "pending, processing, ready or failed"},
          {"size", &ExportedDocument::size, "Bytes"},
          {"book_id", &ExportedDocument::book_id, "Of which book"},
          {"current", &ExportedDocument::current, "Whether it is the version that is shown"},
          {"created_at", &ExportedDocument::created_at, "When it was brought"}};
}
std::vector<Field> ExportedDocumentGrant::fields() {
  return {{"document_id", &ExportedDocumentGrant::document_id, "Which document"},
          {"user_id", &ExportedDocumentGrant::user_id, "Who may"},
          {"access", &ExportedDocumentGrant::access, "view or edit"},
          {"granted_at", &ExportedDocumentGrant::granted_at, "Since when"}};
}
std::vector<Field> ExportedQuestion::fields() {
  return {{"session_id", &ExportedQuestion::session_id, "Of which conversation"},
          {"question", &ExportedQuestion::question, "What was asked"},
          {"answer", &ExportedQuestion::answer, "What was answered, as it was answered"},
          {"created_at", &ExportedQuestion::created_at, "When"}};
}
std::vector<Field> ExportedHold::fields() {
  return {{"id", &ExportedHold::id, "Identifier"},
          {"book_id", &ExportedHold::book_id, "The book"},
          {"status", &ExportedHold::status, "How it stands"},
          {"note", &ExportedHold::note, "More"},
          {"created_at", &ExportedHold::created_at, "When"},
          {"ended_at", &ExportedHold::ended_at, "When it was over"}};
}
std::vector<Field> ExportedReply::fields() {
  return {{"id", &ExportedReply::id, "Identifier"},
          {"review_id", &ExportedReply::review_id, "To which review"},
          {"reply_text", &ExportedReply::reply_text, "The reply"},
          {"created_at", &ExportedReply::created_at, "When"}};
}
std::vector<Field> ExportedReport::fields() {
  return {{"review_id", &ExportedReport::review_id, "Which review"},
          {"reason", &ExportedReport::reason, "What was wrong with it"},
          {"note", &ExportedReport::note, "More"},
          {"created_at", &ExportedReport::created_at, "When"}};
}
std::vector<Field> ExportedList::fields() {
  return {{"id", &ExportedList::id, "Identifier"},
          {"name", &ExportedList::name, "Name"},
          {"kind", &ExportedList::kind, "reading, wishlist or curated"},
          {"description", &ExportedList::description, "What it is about"},
          {"is_public", &ExportedList::is_public, "Whether everybody may see it"},
          {"book_ids", &ExportedList::book_ids, "Its books, in order"},
          {"books", &ExportedList::books, "The same with what was noted about each"},
          {"created_at", &ExportedList::created_at, "When it was made"}};
}
std::vector<Field> ExportedListBook::fields() {
  return {{"book_id", &ExportedListBook::book_id, "The book"},
          {"note", &ExportedListBook::note, "What was noted about it"},
          {"added_at", &ExportedListBook::added_at, "When it was put there"}};
}
std::vector<Field> ExportedGrant::fields() {
  return {{"list_id", &ExportedGrant::list_id, "Which list"},
          {"user_id", &ExportedGrant::user_id, "Who may"},
          {"access", &ExportedGrant::access, "view or edit"},
          {"granted_at", &ExportedGrant::granted_at, "Since when"}};
}
std::vector<Field> ExportedFine::fields() {
  return {{"id", &ExportedFine::id, "Identifier"},
          {"kind", &ExportedFine::kind, "overdue, lost, damage or other"},
          {"book_id", &ExportedFine::book_id, "For which book"},
          {"note", &ExportedFine::note, "More"},
          {"charged_minor", &ExportedFine::charged_minor, "In minor units of the currency"},
          {"settled_minor", &ExportedFine::settled_minor, "Paid, waived and credited of it"},
          {"created_at", &ExportedFine::created_at, "When"}};
}
std::vector<Field> ExportedLedgerLine::fields() {
  return {{"fine_id", &ExportedLedgerLine::fine_id, "Of which fine"},
          {"kind", &ExportedLedgerLine::kind, "charge, payment, waiver or credit"},
          {"amount_minor", &ExportedLedgerLine::amount_minor, "In minor units; below zero what is taken off"},
          {"note", &ExportedLedgerLine::note, "More"},
          {"created_at", &ExportedLedgerLine::created_at, "When"}};
}
std::vector<Field> ExportedBlock::fields() {
  return {{"reason", &ExportedBlock::reason, "Why borrowing was not allowed"},
          {"created_at", &ExportedBlock::created_at, "Since when"},
          {"lifted_at", &ExportedBlock::lifted_at, "When it ended"}};
}
std::vector<Field> ExportedPatron::fields() {
  return {{"category", &ExportedPatron::category, "Category, by its code"},
          {"card_number", &ExportedPatron::card_number, "On the library card"},
          {"blocks", &ExportedPatron::blocks, "Every block by staff"}};
}
std::vector<Field> ExportedNotification::fields() {
  return {{"kind", &ExportedNotification::kind, "What it was about"},
          {"title", &ExportedNotification::title, "One line"},
          {"body", &ExportedNotification::body, "What there was to know"},
          {"created_at", &ExportedNotification::created_at, "When it was made"},
          {"read_at", &ExportedNotification::read_at, "When it was read"}};
}
std::vector<Field> ExportedAction::fields() {
  return {{"at", &ExportedAction::at, "When"},
          {"action", &ExportedAction::action, "What was done"},
          {"resource", &ExportedAction::resource, "To what kind of thing"},
          {"resource_id", &ExportedAction::resource_id, "To which"},
          {"outcome", &ExportedAction::outcome, "success or refused"},
          {"address", &ExportedAction::address,
           "From where the person did it; empty for what others did, and when it is no longer kept"}};
}

}  // namespace lumina::auth
