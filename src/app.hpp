// The composition root: every object of the server, in the order in which they depend on each other.
//
// Made from a checked configuration; owns everything; destroyed in reverse. It knows nothing of sockets: the
// server (src/cli/serve.cpp) and the tests both drive application().
#pragma once
#include "core/auth/administration.hpp"
#include "core/auth/service.hpp"
#include "core/base/clock.hpp"
#include "core/config/config.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/http/message.hpp"
#include "core/http/router.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/telemetry/metrics.hpp"
#include "modules/books/importer.hpp"
#include "modules/books/service.hpp"
#include "modules/borrows/hold_service.hpp"
#include "modules/borrows/ledger_service.hpp"
#include "modules/borrows/loan_privacy.hpp"
#include "modules/borrows/service.hpp"

#include <memory>
#include <string>

namespace lumina::borrows {
class BranchService;
class CopyService;
class RuleService;
}  // namespace lumina::borrows
namespace lumina::blobs {
class Store;
}
namespace lumina::mail {
class AccountMails;
}

namespace lumina::reports {
class ReportService;
}
namespace lumina::sip2 {
class Host;
}

namespace lumina {

class App {
 public:
  // Opens and migrates the database; throws when it cannot, or when a setting makes no sense.
  explicit App(config::Config config, std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>());
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  http::Application& application();
  const http::Router& router() const;
  const std::string& openapi() const;
  db::Database& database();
  metrics::Registry& metrics();
  events::Journal& journal();
  auth::AuthService& sign_in();
  auth::Administration& administration();
  books::BookService& books();
  books::Importer& importer();
  borrows::BorrowService& borrows();
  jobs::Queue& job_queue();
  jobs::Runner& runner();
  jobs::Scheduler& scheduler();
  borrows::HoldService& holds();
  borrows::LedgerService& ledger();
  borrows::LoanPrivacy& loan_privacy();
  borrows::CopyService& copies();
  borrows::BranchService& branches();
  borrows::RuleService& rule_setting();
  mail::AccountMails& account_mails();
  // For a sip2::Listener, which must end before the application.
  sip2::Host& self_check();
  reports::ReportService& reports();
  blobs::Store& blobs();
  const config::Config& config() const;
  const Clock& clock() const;

  // Takes over the settings that may change while running.
  void reload(const config::Config& fresh);
  // False from now on for GET /ready: the server is about to stop.
  void drain();
  // Begins to claim jobs and to pass events on. Part of start_background().
  void start_workers();
  // Workers and schedules, until stop_background(), which waits for the jobs that run and ends event streams.
  void start_background();
  void stop_background();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The database of a configuration: "sqlite:PATH" or the PostgreSQL address. Makes the data directory.
std::string database_url(const config::Config& config);

}  // namespace lumina
