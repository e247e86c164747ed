// Everything an App is made of, in the order in which it is made. Only for the files of src/ that put the
// parts together.
#pragma once
#include "app.hpp"
#include "app_figures.hpp"
#include "app_recs.hpp"
#include "core/audit/routes.hpp"
#include "core/auth/account_pages.hpp"
#include "core/auth/account_states.hpp"
#include "core/auth/authenticator.hpp"
#include "core/auth/email_change.hpp"
#include "core/auth/password_gate.hpp"
#include "core/auth/password_work.hpp"
#include "core/auth/reset_mailer.hpp"
#include "core/auth/retention.hpp"
#include "core/auth/routes.hpp"
#include "core/blobs/store.hpp"
#include "core/cache/body_cache.hpp"
#include "core/calls/idempotency.hpp"
#include "core/calls/routes.hpp"
#include "core/config/secret.hpp"
#include "core/db/migrator.hpp"
#include "core/events/hub.hpp"
#include "core/events/outbox.hpp"
#include "core/events/routes.hpp"
#include "core/extract/extractor.hpp"
#include "core/http/address_rules.hpp"
#include "core/http/expand.hpp"
#include "core/http/openapi.hpp"
#include "core/http/pipeline.hpp"
#include "core/http/rate_classes.hpp"
#include "core/http/rate_limiter.hpp"
#include "core/jobs/routes.hpp"
#include "core/json/codec.hpp"
#include "core/llm/models.hpp"
#include "core/mail/account_mails.hpp"
#include "core/mail/routes.hpp"
#include "core/runtime/block_on.hpp"
#include "core/runtime/pool.hpp"
#include "core/security/login_guard.hpp"
#include "core/security/random.hpp"
#include "core/security/token.hpp"
#include "core/system/routes.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/process_metrics.hpp"
#include "core/webhooks/repository.hpp"
#include "core/webhooks/routes.hpp"
#include "core/webhooks/sender.hpp"
#include "modules/ai/consensus.hpp"
#include "modules/ai/document_job.hpp"
#include "modules/ai/document_routes.hpp"
#include "modules/ai/review_scores.hpp"
#include "modules/ai/routes.hpp"
#include "modules/ai/summary_jobs.hpp"
#include "modules/books/author_routes.hpp"
#include "modules/books/browse_routes.hpp"
#include "modules/books/cover_routes.hpp"
#include "modules/books/exchange_routes.hpp"
#include "modules/books/export_routes.hpp"
#include "modules/books/import_job.hpp"
#include "modules/books/import_routes.hpp"
#include "modules/books/importer.hpp"
#include "modules/books/index_retries.hpp"
#include "modules/books/opds_routes.hpp"
#include "modules/books/record_routes.hpp"
#include "modules/books/routes.hpp"
#include "modules/books/search_routes.hpp"
#include "modules/books/search_service.hpp"
#include "modules/books/work_routes.hpp"
#include "modules/borrows/analytics_routes.hpp"
#include "modules/borrows/branch_service.hpp"
#include "modules/borrows/copy_routes.hpp"
#include "modules/borrows/copy_service.hpp"
#include "modules/borrows/desk_routes.hpp"
#include "modules/borrows/desk_service.hpp"
#include "modules/borrows/due_feed_routes.hpp"
#include "modules/borrows/forecast_service.hpp"
#include "modules/borrows/hold_routes.hpp"
#include "modules/borrows/hold_service.hpp"
#include "modules/borrows/ledger_routes.hpp"
#include "modules/borrows/loan_privacy.hpp"
#include "modules/borrows/merged_books.hpp"
#include "modules/borrows/routes.hpp"
#include "modules/borrows/rule_routes.hpp"
#include "modules/borrows/service.hpp"
#include "modules/borrows/sip2_desk.hpp"
#include "modules/lists/feed_routes.hpp"
#include "modules/lists/routes.hpp"
#include "modules/notices/notifier.hpp"
#include "modules/notices/routes.hpp"
#include "modules/notices/saved_searches.hpp"
#include "modules/pages/mcp.hpp"
#include "modules/pages/routes.hpp"
#include "modules/reports/routes.hpp"
#include "modules/reviews/routes.hpp"
#include "modules/reviews/sentiment_builtin.hpp"
#include "reader_notes.hpp"
#include "request_metrics.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <thread>

namespace lumina {

// The quotas of the route classes, a window of a minute each. Classes with quota 0 are not limited by
// themselves.
class RateRules {
 public:
  explicit RateRules(const config::Config& c)
      : limiter_({{"default", quota(c.rate_limit), 60},
                  {"account", quota(c.login_rate * 4), 60},
                  {"upload", quota(c.upload_rate), 60},
                  {"search", quota(c.search_rate), 60},
                  {"user", quota(c.rate_limit), 60},
                  {"download", quota(c.download_rate), 60},
                  {"login", quota(c.login_rate), 60}}),
        quotas_{c.rate_limit, c.login_rate,    c.upload_rate, c.search_rate,
                c.rate_limit, c.download_rate, c.login_rate},
        off_(c.rate_limit == 0) {}

  std::optional<http::RateState> check(http::RateClass rate, std::string_view address,
                                       std::optional<UserId> user) {
    if (off_ || rate == http::RateClass::unlimited) return {};
    if (user) return state(4, fmt::format("user:{}", user->value));
    const std::string client = http::address_key(address);
    auto standing = state(0, client);
    const std::size_t policy = policy_of(rate);
    if (!standing.allowed || quotas_[policy] == 0 || policy == 0) return standing;
    return state(policy, client);
  }

 private:
  static int quota(std::int64_t n) { return static_cast<int>(std::clamp<std::int64_t>(n, 1, 1'000'000'000)); }
  static std::size_t policy_of(http::RateClass rate) {
    if (rate == http::download_class) return 5;
    if (rate == http::sign_in_class) return 6;
    switch (rate) {
      case http::RateClass::login:
        return 1;
      case http::RateClass::upload:
        return 2;
      case http::RateClass::search:
        return 3;
      default:
        return 0;
    }
  }
  http::RateState state(std::size_t index, std::string_view client) {
    const http::PolicyId id{index};
    const auto decision = limiter_.check(id, client);
    const auto& policy = limiter_.policy(id);
    return {decision.allowed,      policy.name,        policy.quota,
            policy.window_seconds, decision.remaining, decision.reset_seconds};
  }
  http::RateLimiter limiter_;
  std::array<std::int64_t, 7> quotas_;
  bool off_;
};

inline std::size_t cores() { return std::max(1U, std::thread::hardware_concurrency()); }

ai::DocumentRules document_rules(const config::Config& config);

struct App::Parts {
  config::Config config;
  std::shared_ptr<const Clock> clock;
  std::string origin = security::fast_request_id();
  db::Database database;
  metrics::Registry registry;
  events::Bus bus;
  events::Journal journal;
  events::Hub hub;
  cache::BodyCache cache;
  runtime::Pool cpu{"cpu", cores(), 256};
  runtime::Pool hashing{"hash", std::max<std::size_t>(1, cores() / 2), 256};
  runtime::Pool files{"files", 1, 64};
  runtime::Pool scans{"scans", 2, 64};
  runtime::Pool background;
  jobs::Queue job_queue;
  jobs::Runner runner;
  jobs::Scheduler scheduler;
  jobs::TaskService tasks;
  jobs::Spool spool;
  security::TokenKey token_key;
  webhooks::WebhookService webhook_service;
  webhooks::Sender webhook_sender;
  security::PasswordHasher hasher;
  std::unique_ptr<security::LoginGuard> login_guard;
  auth::LiveAuthSettings auth_settings;
  auth::AccountStates account_states;
  auth::PasswordWork password_work;
  auth::PasswordGate password_gate;
  security::TokenIssuer issuer;
  security::TokenVerifier verifier;
  mail::Mailer mailer;
  mail::AccountMails account_mails;
  auth::NoMail no_reset_mail;
  auth::AuthService sign_in;
  auth::AccountService people;
  auth::NoAddressMail no_address_mail;
  auth::EmailChanges email_changes;
  auth::ApiKeyService api_keys;
  auth::Administration administration;
  auth::RequestAuthenticator authenticator;
  books::BookService books;
  books::CoverService covers;
  books::LookupService lookup;
  books::ImportRows import_rows;
  books::Importer importer;
  books::SearchIndex search_index;
  books::SearchService search;
  books::SearchLog search_log;
  books::IndexRetries index_retries;
  jobs::DeadLetters dead_letters;
  books::RecordService records;
  books::AuthorService authors;
  books::BrowseService browse;
  books::WorkService works;
  borrows::RuleBook rule_book;
  borrows::HoldRules hold_rules;
  borrows::MergedBooks merged_lending;
  borrows::BorrowService borrows;
  borrows::CopyService copies;
  borrows::BranchService branches;
  borrows::ForecastService forecasts;
  borrows::HoldService holds;
  borrows::DeskService desk;
  borrows::RuleService rule_setting;
  borrows::SimulationService simulation;
  borrows::LedgerService ledger;
  borrows::DueFeedService due_feeds;
  borrows::AnalyticsService analytics;
  borrows::Sip2Desk self_check;
  borrows::LoanPrivacy loan_privacy;
  reviews::BuiltinSentiment sentiment;
  reviews::UnusualService unusual_reviews;
  reviews::ReviewService reviews;
  reviews::ModerationService moderation;
  llm::PromptBook prompts;
  ai::UsageBook ai_usage;
  llm::Models models;
  ai::SummaryService summaries;
  ai::ReviewScores review_scores;
  ai::ConsensusService consensus;
  blobs::Store blobs;
  extract::Extractor extractor;
  ai::DocumentService documents;
  ai::DocumentProcessor document_processor;
  ai::PassageIndex passages;
  ai::KeptVectors passage_vectors, book_vectors;
  ai::VectorJobs vector_jobs;
  ai::QaService questions;
  lists::ListService lists;
  lists::SyncService reading_sync;
  Recommending recs;
  notices::NoticeService notices;
  notices::Notifier notifier;
  notices::SavedSearches saved_searches;
  reports::ReportService reports;
  pages::PageService pages;
  calls::Idempotency once;
  std::shared_ptr<RateRules> rates;
  std::mutex rates_mutex;
  http::Router router;
  std::string openapi;
  RequestMetrics request_metrics;
  LibraryFigures library_figures;
  http::Pipeline pipeline;
  std::atomic<bool> draining{false};

  Parts(config::Config given, std::shared_ptr<const Clock> given_clock);
  std::vector<http::Route> routes();
  std::vector<http::Expansion> of_a_book();
  Task<Result<std::string>> newest_reviews(BookId book, std::int64_t most);
  Task<Result<std::string>> open_holds(UserId user);
  Task<Result<std::pair<std::int64_t, std::string>>> found_lists(std::string q, int limit, Caller by);
  Task<Result<ai::Written>> written_answer(std::string question, std::vector<ai::Evidence> texts, UserId by);
  Task<Result<std::vector<ai::BookEvidence>>> books_asked_about(std::string question);
  Task<Result<std::optional<books::Book>>> book_titled(std::vector<std::string> words);
  Task<std::optional<std::vector<BookId>>> books_meant(std::string query, std::size_t most);
  Task<Result<std::pair<std::int64_t, std::string>>> found_documents(std::string q, int limit, Caller by);
  TimeZone zone_of(db::Transaction& tx, std::optional<std::int64_t> branch);
  notices::NoticeRules notice_rules();
  http::PipelineOptions pipeline_options();
  http::RateCheck rate_check();
  Task<system::Readiness> readiness();
  void tie_records();
  std::vector<notices::NewBook> new_books(db::Transaction& tx, const std::string& query, Timestamp since,
                                          int most);
  bool has_borrowed(db::Transaction& tx, UserId user, BookId book);
  void show_figures();
  void handle_jobs();
  void make_schedules();
  void add_documents();
};

}  // namespace lumina
