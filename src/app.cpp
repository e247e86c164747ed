#include "app_parts.hpp"
#include "core/db/figures.hpp"

namespace lumina {
namespace {

using namespace std::chrono_literals;

constexpr auto outbox_kept = std::chrono::days(7), jobs_kept = std::chrono::days(7),
               failed_jobs_kept = std::chrono::days(30), mails_kept = std::chrono::days(60),
               notices_kept = 2 * notices::latest_reminder, spool_kept = std::chrono::days(14);

std::string secret_of(const config::Config& config) {
  if (!config.secret_key.empty()) return config.secret_key;
  auto stored = config::load_or_create_secret(config.data_dir);
  if (!stored) throw std::runtime_error(stored.error());
  if (!stored->warning.empty()) log::warn(stored->warning);
  return stored->secret;
}

db::Options database_options(const config::Config& config) {
  const auto url = database_url(config);
  if (config.migrate == config::Migrate::automatic) {
    db::migrate(url);
  } else if (config.migrate == config::Migrate::check) {
    for (const auto& m : db::migration_status(url))
      if (!m.applied) throw std::runtime_error("the database has an older schema: run luminalib migrate up");
  } else if (std::ranges::none_of(db::migration_status(url), &db::MigrationStatus::applied)) {
    throw std::runtime_error(
        "the database has no tables yet: run luminalib migrate up, or serve without --migrate off");
  }
  return {url, static_cast<int>(config.db_read_threads), static_cast<int>(config.db_pool_size), 4096};
}

auth::AuthSettings auth_settings_of(const config::Config& c) {
  auth::AuthSettings s;
  s.access_life = std::chrono::minutes(c.access_token_minutes);
  s.refresh_life = std::chrono::hours(24 * c.refresh_token_days);
  s.session_idle = std::chrono::hours(c.session_idle_hours);
  s.policy.min_length = static_cast<std::size_t>(c.password_min_length);
  s.basic_auth = c.basic_auth;
  return s;
}

http::Neighbours neighbours_of(const config::Config& c) {
  http::Neighbours n;
  n.allowed_origins = c.allowed_origins;
  n.credentials = c.cors_credentials;
  if (!c.trusted_proxies.empty())
    n.trusted_proxy = [proxies = c.trusted_proxies](std::string_view address) {
      return any_contains(proxies, address);
    };
  return n;
}

std::vector<http::OtherAnswer> other_answers(const std::vector<http::Route>& routes) {
  auto all = books::redirecting_answers(routes);
  std::ranges::move(lists::sync_answers(), std::back_inserter(all));
  return all;
}

// A stream lives no longer than the token that opened it.
events::HubOptions hub_options(const config::Config& c) {
  events::HubOptions options;
  options.most_age = std::chrono::minutes(c.access_token_minutes);
  return options;
}

http::ClientOptions webhook_client_options(const config::Config& c) {
  http::ClientOptions options;
  options.deadline = 20s;
  options.most_bytes = 64 * 1024;
  if (!c.webhook_allow_private) options.allowed = http::is_public_address;
  return options;
}

// Open Library's answers on 25 books are some 100 KB.
http::ClientOptions lookup_client_options() {
  http::ClientOptions options;
  options.deadline = 5s;
  options.most_bytes = 4 * 1024 * 1024;
  return options;
}

reviews::UnusualRules unusual_rules(const config::Config& c) {
  return {static_cast<int>(c.unusual_reviews), std::chrono::hours(c.unusual_hours),
          std::chrono::days(c.unusual_account_days), static_cast<double>(c.unusual_odds)};
}

// Off together with the rate limits, for measurements.
std::unique_ptr<security::LoginGuard> guard_of(const config::Config& c) {
  if (c.rate_limit == 0 || c.login_rate == 0) return nullptr;
  security::LoginLimits limits;
  limits.quota = static_cast<int>(c.login_rate);
  return std::make_unique<security::LoginGuard>(limits);
}

}  // namespace

std::string database_url(const config::Config& config) {
  if (config.uses_postgresql()) return config.database_url;
  const auto path = config.sqlite_path();
  std::filesystem::create_directories(path.parent_path().empty() ? "." : path.parent_path());
  return "sqlite:" + path.string();
}

App::Parts::Parts(config::Config given, std::shared_ptr<const Clock> given_clock)
    : config(std::move(given)),
      clock(std::move(given_clock)),
      database(database_options(config)),
      journal(*clock, bus, origin),
      hub(database, bus, origin, hub_options(config)),
      cache(static_cast<std::size_t>(config.cache_bytes)),
      background("jobs", static_cast<std::size_t>(config.job_threads),
                 4 * static_cast<std::size_t>(config.job_threads)),
      job_queue(database, *clock),
      runner(database, *clock, journal, job_queue, background, origin,
             {std::chrono::seconds(config.job_lease_seconds),
              std::chrono::milliseconds(config.job_poll_milliseconds)}),
      scheduler(database, *clock, journal, job_queue, runner),
      tasks(database, *clock, journal, job_queue, runner),
      spool(std::filesystem::path(config.data_dir) / "spool", files,
            config.uses_postgresql() ? &database : nullptr),
      token_key(secret_of(config)),
      webhook_service(database, *clock, journal, job_queue, config.webhook_allow_private,
                      token_key.mac("webhooks")),
      webhook_sender(database, *clock, journal, job_queue, http::Client(webhook_client_options(config)),
                     token_key.mac("webhooks")),
      hasher(static_cast<int>(config.bcrypt_cost)),
      login_guard(guard_of(config)),
      auth_settings(auth_settings_of(config)),
      account_states(bus, {}),
      password_work(hashing, hasher),
      password_gate(database, journal, password_work, login_guard.get()),
      issuer(token_key, {}),
      verifier({token_key}, {}),
      mailer(database, *clock, journal, job_queue, mail::settings_from(config), token_key.mac("mail")),
      account_mails(mailer, database, job_queue, config.public_url),
      sign_in(database, *clock, journal, password_work, password_gate, issuer,
              config.sends_mail() ? static_cast<auth::ResetMailer&>(account_mails) : no_reset_mail,
              auth_settings),
      people(database, *clock, journal, password_gate),
      email_changes(database, *clock, journal, password_gate,
                    config.sends_mail() ? static_cast<auth::AddressMailer&>(account_mails) : no_address_mail),
      api_keys(database, *clock, journal, auth_settings),
      administration(database, *clock, journal, hasher, auth_settings.get()->policy),
      authenticator(database, *clock, verifier, account_states, password_gate, auth_settings),
      books(database, *clock, journal),
      covers(database, *clock, journal, cpu),
      lookup(database, *clock, http::Client(lookup_client_options()), config.open_library_url, cpu),
      import_rows(database, *clock, books),
      importer(database, books, import_rows),
      search_index(database, bus),
      search(database, journal, job_queue, search_index, cpu),
      search_log(database, *clock),
      index_retries(database, journal, job_queue),
      dead_letters(database, *clock, journal, job_queue,
                   {books::search_index_kind, ai::document_job_kind, ai::document_batch_kind}),
      records(database, *clock, journal),
      authors(database, *clock, journal),
      browse(database, *clock),
      works(database, *clock, journal),
      rule_book(bus, {static_cast<int>(config.loan_period_days), config.max_loans,
                      static_cast<int>(config.max_renewals), static_cast<int>(config.hold_pickup_days)}),
      hold_rules{static_cast<int>(config.hold_pickup_days), static_cast<int>(config.loan_period_days),
                 &rule_book},
      merged_lending(journal, *clock, hold_rules),
      borrows(database, *clock, journal, rule_book, hold_rules),
      copies(database, *clock, journal, hold_rules),
      branches(database, *clock, journal),
      forecasts(database, *clock, hold_rules),
      holds(database, *clock, journal, hold_rules, &rule_book, &forecasts),
      desk(database, *clock, journal, borrows, hold_rules),
      rule_setting(database, *clock, journal, rule_book),
      simulation(database, *clock, rule_book),
      ledger(database, *clock, journal, rule_book, config.currency),
      due_feeds(database, *clock, journal, rule_book),
      analytics(database, *clock, [this](db::Transaction& tx) { return zone_of(tx, std::nullopt); }),
      self_check({database, *clock, journal, password_gate, desk, borrows, holds, ledger},
                 {config.sip2_institution, config.currency, config.sip2_patron_password,
                  [this](db::Transaction& tx, auto branch) { return zone_of(tx, branch); }}),
      loan_privacy(database, *clock, journal, token_key.mac("loan marks"), config.loan_history_days),
      unusual_reviews(database, *clock, journal, unusual_rules(config)),
      reviews(database, *clock, journal, sentiment, cpu, unusual_reviews,
              [this](db::Transaction& tx, UserId user, BookId book) { return has_borrowed(tx, user, book); }),
      moderation(database, *clock, journal),
      prompts(config.prompts_dir),
      ai_usage(database, *clock, {config.llm_daily_calls, config.llm_user_daily_calls}),
      models(config, registry,
             {[this](const llm::Prompt& prompt) { return ai_usage.allowed(prompt); },
              [this](const llm::Spent& spent) { ai_usage.note(spent); }}),
      summaries(database, *clock, journal, job_queue, models.language(), prompts, cpu),
      review_scores(database, *clock, job_queue, models.language(), prompts, sentiment, reviews),
      consensus(database, *clock, journal, job_queue, models.language(), prompts),
      blobs(database, *clock, std::filesystem::path(config.data_dir) / "blobs", files),
      extractor(extract::Extractor::usual_program()),
      documents(database, *clock, journal, job_queue, blobs, files, scans, document_rules(config),
                {config.clamd_socket, config.clamd_required}),
      document_processor(*clock, journal, blobs, extractor),
      passages(database, bus),
      passage_vectors(database, ai::Embedded::passages,
                      std::filesystem::path(config.data_dir) / "vectors" / "passages"),
      book_vectors(database, ai::Embedded::books,
                   std::filesystem::path(config.data_dir) / "vectors" / "books"),
      vector_jobs(database, journal, job_queue, models.embedder(), passage_vectors, book_vectors),
      questions(database, *clock, passages, cpu),
      lists(database, *clock, journal),
      reading_sync(database, *clock, journal),
      recs({database, *clock, journal, bus, registry, job_queue, tasks, books}, config),
      notices(database, *clock, journal),
      notifier(database, *clock, journal, mailer, notice_rules()),
      saved_searches(database, *clock, journal),
      reports(database, *clock, [this](db::Transaction& tx) { return zone_of(tx, std::nullopt); }),
      pages(database, *clock, books, borrows),
      once(database, *clock, security::hmac_sha256(secret_of(config), "idempotency"), origin),
      rates(std::make_shared<RateRules>(config)),
      router(routes()),
      openapi(http::openapi_document(router.routes(), other_answers(router.routes()))),
      request_metrics(registry, router),
      library_figures(database, *clock, cpu, bus),
      pipeline(router, authenticator, pipeline_options()) {
  books::keep_cache_true(bus, cache);
  search_index.when_renewed([this] { cache.drop(books::catalogue_tag()); });
  search_index.when_unindexable([this](const auto& failed) { return index_retries.keep(failed); });
  importer.unite_with([this](db::Transaction& tx, BookId first, BookId second, const Caller& by) {
    works.unite(tx, first, second, by);
  });
  importer.when_done([this] { search_index.no_more_bulk(); });
  importer.keep_notes_with([this](BookId book, const books::ReaderNotes& notes, const Caller& by) {
    return keep_reader_notes(lists, reviews, book, notes, by);
  });
  importer.look_up_with([this](const std::vector<std::string>& isbns) { return lookup.look_up_now(isbns); });
  people.also_erase(&lists::forget_lists_of);
  people.also_erase(&calls::forget_answers_of);
  search.also_find("lists", [this](std::string q, int limit, Caller by) {
    return found_lists(std::move(q), limit, std::move(by));
  });
  people.also_erase(&recs::forget_recommendations_of);
  if (config.loan_history_days > 0)
    recs.lists.ask_of_the_past(
        [this](db::Transaction& tx, UserId user, BookId book) { return has_borrowed(tx, user, book); });
  pages.show_recommendations(
      [this](Caller by) { return recs::for_the_dashboard(recs.lists, std::move(by)); });
  people.also_erase(&mail::forget_mails_of);
  people.also_erase(&notices::forget_notices_of);
  pages.show_holds([this](Caller by) { return open_holds(by.id()); });
  reviews.use_model(
      {.written = [this](db::Transaction& tx, const reviews::Review& r) { review_scores.start(tx, r); },
       .score_now = [this](ReviewId id, std::int64_t version, std::chrono::milliseconds wait,
                           UserId user) { return review_scores.score_now(id, version, wait, user); },
       .consensus = [this](BookId book) { return consensus.find_or_start(book); }});
  if (!config.sentiment_model.empty()) {
    auto model = reviews::read_model(config.sentiment_model);
    if (!model) throw std::runtime_error("the sentiment model cannot be used: " + model.error().detail);
    sentiment.use(std::move(*model));
  }
  if (!config.admin_email.empty()) {
    auto made = administration.create_first_admin(config.admin_email, config.admin_password);
    if (!made) throw std::runtime_error("the first administrator cannot be made: " + made.error().detail);
    if (*made) log::info("the first administrator was made", {{"email", config.admin_email}});
  }
  if (auto remembered = password_gate.remember_known_addresses(clock->now()); !remembered)
    log::warn("addresses of earlier logins are not known", {{"why", remembered.error().detail}});
  tie_records();
  handle_jobs();
  make_schedules();
  add_documents();
  show_figures();
}

// One line for each kind of job.
void App::Parts::handle_jobs() {
  books::handle_imports(runner, spool, importer);
  books::handle_search_rebuilds(runner, search_index);
  index_retries.handle_jobs(runner);
  webhook_sender.handle_jobs(runner);
  mailer.handle_jobs(runner);
  recs.training.handle_jobs(runner);
  account_mails.handle_jobs(runner, sign_in);
  ai::handle_summary_jobs(runner, summaries);
  ai::handle_score_jobs(runner, review_scores);
  ai::handle_consensus_jobs(runner, consensus);
}

// What comes round by itself.
void App::Parts::make_schedules() {
  using jobs::Cadence;
  const auto nothing_to_say = [](auto&& done) -> Result<std::string> {
    if (!done) return Failure(std::move(done.error()));
    return "null";
  };
  const auto counted = [](std::string_view name, auto&& count) -> Result<std::string> {
    if (!count) return Failure(std::move(count.error()));
    return fmt::format(R"({{"{}":{}}})", name, *count);
  };
  scheduler.add("borrows.overdue", "Marks loans that have become overdue",
                Cadence::daily(0, 5, config.time_zone), [this, counted](jobs::JobContext&) {
                  return counted("marked", runtime::block_on(borrows.mark_overdue()));
                });
  scheduler.add(
      "fines.accrue", "Charges late loans for the days so far", Cadence::daily(0, 15, config.time_zone),
      [this, counted](jobs::JobContext&) { return counted("charged", runtime::block_on(ledger.accrue())); });
  scheduler.add("fines.lost_copies", "Charges copies that were lost while on loan", Cadence::every(1min),
                [this, counted](jobs::JobContext&) {
                  return counted("charged", runtime::block_on(ledger.bill_lost_copies()));
                });
  scheduler.add("loans.forget", "Takes the borrower out of loans that are old enough",
                Cadence::daily(2, 40, config.time_zone), [this, counted](jobs::JobContext&) {
                  return counted("loans", runtime::block_on(loan_privacy.cut_histories()));
                });
  scheduler.add("loans.forget_erased", "Takes erased accounts out of their loans", Cadence::every(1h),
                [this, counted](jobs::JobContext&) {
                  return counted("loans", runtime::block_on(loan_privacy.forget_erased_accounts()));
                });
  scheduler.add("holds.settle",
                "Passes on holds that were not picked up and resumes those whose pause is over",
                Cadence::every(1min), [this, counted](jobs::JobContext&) {
                  return counted("settled", runtime::block_on(holds.settle_due()));
                });
  scheduler.add("notices.remind", "Tells people of due dates that are near or past",
                Cadence::daily(8, 0, config.time_zone), [this, counted](jobs::JobContext& job) {
                  return counted("notices", notifier.remind([&job] { return !job.cancelled(); }));
                });
  scheduler.add("searches.announce", "Tells people of new books that their saved searches find",
                Cadence::every(1min), [this, counted](jobs::JobContext& job) {
                  return counted(
                      "notices",
                      notifier.announce([this](db::Transaction& tx, const std::string& query, Timestamp since,
                                               int most) { return new_books(tx, query, since, most); },
                                        [&job] { return !job.cancelled(); }));
                });
  scheduler.add(
      "events.prune", "Forgets events after seven days", Cadence::every(1h),
      [this, nothing_to_say](jobs::JobContext&) {
        return nothing_to_say(runtime::block_on(events::prune_outbox(database, clock->now() - outbox_kept)));
      });
  scheduler.add("sessions.purge", "Forgets sessions that ended long ago",
                Cadence::daily(3, 10, config.time_zone), [this, nothing_to_say](jobs::JobContext&) {
                  return nothing_to_say(runtime::block_on(sign_in.purge()));
                });
  scheduler.add("idempotency.purge", "Forgets the first answers of requests with a key after a day",
                Cadence::every(10min), [this, counted](jobs::JobContext&) {
                  return counted("removed", runtime::block_on(once.purge()));
                });
  if (config.address_days > 0)
    scheduler.add("addresses.forget",
                  "Forgets where requests came from after the days that address_days says",
                  Cadence::daily(3, 20, config.time_zone), [this, counted](jobs::JobContext&) {
                    const auto before = clock->now() + std::chrono::hours(-24 * config.address_days);
                    return counted("blanked", runtime::block_on(auth::forget_addresses(database, before)));
                  });
  scheduler.add("imports.prune", "Forgets refused records of imports after thirty days", Cadence::every(1h),
                [this, counted](jobs::JobContext&) {
                  return counted("removed", import_rows.prune_now(clock->now() - failed_jobs_kept));
                });
  scheduler.add("reports.count", "Counts what happened, by day and without persons", Cadence::every(10min),
                [this, counted](jobs::JobContext& job) {
                  return counted("rows", reports.catch_up([&job] { return !job.cancelled(); }));
                });
  scheduler.add("search.log", "Writes down what was searched for, without persons", Cadence::every(1min),
                [this, counted](jobs::JobContext&) { return counted("queries", search_log.flush()); });
  recs.make_schedules(scheduler, config.time_zone);
  if (config.auto_summaries) ai::schedule_summaries(scheduler, summaries);
  ai::schedule_scores(scheduler, review_scores);
  scheduler.add("ai.usage", "Writes down what language models cost", Cadence::every(1min),
                [this, counted](jobs::JobContext&) { return counted("sums", ai_usage.flush()); });
  scheduler.add("tasks.prune", "Forgets ended tasks, the files they left, and old deliveries",
                Cadence::every(1h), [this, counted](jobs::JobContext&) {
                  spool.sweep(spool_kept);
                  auto work = [this](db::Transaction& tx) -> Result<std::int64_t> {
                    const auto now = clock->now();
                    return jobs::JobRepository(tx).prune(now - jobs_kept, now - failed_jobs_kept) +
                           webhooks::WebhookRepository(tx).prune_deliveries(now - failed_jobs_kept) +
                           mail::MailRepository(tx).prune(now - mails_kept) +
                           notices::NoticeRepository(tx).prune(now - notices_kept);
                  };
                  return counted("removed", database.write_now(std::move(work)));
                });
}

std::vector<http::Route> App::Parts::routes() {
  std::vector<http::Route> all;
  const auto add = [&](std::vector<http::Route> more) { std::ranges::move(more, std::back_inserter(all)); };
  add(system::system_routes({.ready = [this] { return readiness(); },
                             .metrics =
                                 [this] {
                                   library_figures.refresh();
                                   return registry.render() + db::figures().render();
                                 },
                             .openapi = [this]() -> const std::string& { return openapi; }}));
  add(auth::auth_routes(sign_in, api_keys));
  add(auth::account_routes(sign_in, people));
  add(auth::email_routes(email_changes));
  add(auth::account_page_routes());
  add(books::book_routes(books, importer, job_queue, spool, cache, of_a_book()));
  add(books::export_routes(books, *clock));
  add(books::import_routes(import_rows, job_queue, spool));
  add(books::cover_routes(covers, lookup));
  add(books::opds_routes(books, books::search_by_index(search), cache));
  add(books::exchange_routes(database, books, books::search_by_index(search), *clock));
  add(books::search_routes(search, search_log, cache, dead_letters));
  add(books::record_routes(records));
  add(books::author_routes(authors));
  add(books::browse_routes(browse));
  add(books::work_routes(works));
  add(borrows::borrow_routes(borrows, cache));
  add(borrows::copy_routes(copies, branches));
  add(borrows::hold_routes(holds, forecasts));
  add(borrows::desk_routes(desk));
  add(borrows::rule_routes(rule_setting, simulation));
  add(borrows::ledger_routes(ledger));
  add(borrows::due_feed_routes(due_feeds));
  add(borrows::analytics_routes(analytics));
  add(reviews::review_routes(reviews, moderation, unusual_reviews, cache, *clock));
  add(ai::ai_routes({summaries, ai_usage, models.language(), models.embedder(), vector_jobs, prompts}));
  add(ai::document_routes(documents));
  add(ai::qa_routes(questions));
  add(lists::list_routes(lists));
  add(lists::sync_routes(reading_sync));
  add(lists::feed_routes(lists));
  add(notices::notice_routes(notices));
  add(recs::recommendation_routes(recs.lists, recs.training));
  add(notices::saved_search_routes(saved_searches));
  add(reports::report_routes(reports));
  add(pages::page_routes(pages));
  add(pages::mcp_routes({LUMINA_VERSION, [this]() -> const http::Router& { return router; },
                         [this](std::string_view page) {
                           return std::ranges::find(config.allowed_origins, page) !=
                                  config.allowed_origins.end();
                         },
                         rate_check()}));
  add(jobs::task_routes(tasks, scheduler));
  add(events::event_routes(database, hub));
  add(webhooks::webhook_routes(webhook_service));
  add(mail::mail_routes(mailer));
  add(audit::audit_routes(database, journal));
  add(calls::batch_routes(database, [this]() -> const http::Router& { return router; }));
  for (auto& route : all)
    if (books::is_about_a_book(route.path)) route = books::redirecting(std::move(route), records);
  return all;
}

http::RateCheck App::Parts::rate_check() {
  return [this](http::RateClass rate, std::string_view address, std::optional<UserId> user) {
    std::shared_ptr<RateRules> rules;
    {
      std::lock_guard lock(rates_mutex);
      rules = rates;
    }
    return rules->check(rate, address, user);
  };
}

http::PipelineOptions App::Parts::pipeline_options() {
  http::PipelineOptions options;
  options.body_limit = static_cast<std::uint64_t>(config.max_body_bytes);
  auto neighbours = neighbours_of(config);
  options.allowed_origins = std::move(neighbours.allowed_origins);
  options.trusted_proxy = std::move(neighbours.trusted_proxy);
  options.credentials = neighbours.credentials;
  options.basic_auth = [this] { return auth_settings.get()->basic_auth; };
  options.once = &once;
  options.tls = !config.tls_cert.empty();
  options.rate = rate_check();
  options.finished = [this](const http::RequestRecord& record) { request_metrics.finished(record); };
  options.failed = [](std::string_view request_id, std::string_view what) {
    log::error("a request failed", {{"request_id", request_id}, {"what", what}});
  };
  return options;
}

Task<system::Readiness> App::Parts::readiness() {
  system::Readiness out;
  const auto note = [&](std::string name, bool ok, std::string detail) {
    out.checks.push_back({std::move(name), ok, std::move(detail)});
  };
  note("draining", !draining, draining ? "the server is about to stop" : "serving");
  auto ask = [](db::Transaction& tx) { return tx.one<std::int64_t>("SELECT 1").has_value(); };
  const auto answer = co_await database.read(std::move(ask));
  note("database", answer.has_value(), answer ? "answers" : answer.error().detail);
  auto compare = [](db::Transaction& tx) { return db::schema_is_current(tx); };
  const auto current = co_await database.read(std::move(compare));
  note("migrations", current && *current,
       !current   ? current.error().detail
       : *current ? "the schema is the program's"
                  : "the schema is of another version: run luminalib migrate status");
  const auto pools = database.statistics();
  note("executors", pools.waiting < 2048, fmt::format("{} units of work waiting", pools.waiting));
  out.status = "ready";
  for (const auto& check : out.checks)
    if (!check.ok) out.status = "unavailable";
  co_return out;
}

void App::Parts::show_figures() {
  metrics::register_process_metrics(registry,
                                    {config.data_dir, LUMINA_VERSION, "",
                                     database.dialect() == db::Dialect::sqlite ? "sqlite" : "postgresql"});
  const auto pool_gauge = [this](std::string_view name, std::string_view help,
                                 std::int64_t db::Statistics::* field) {
    registry.gauge(name, help, {},
                   [this, field] { return static_cast<double>(database.statistics().*field); });
  };
  pool_gauge("luminalib_db_pool_waiting", "Units of work waiting for a connection.",
             &db::Statistics::waiting);
  pool_gauge("luminalib_db_pool_running", "Units of work running.", &db::Statistics::running);
  pool_gauge("luminalib_db_pool_max", "Connections.", &db::Statistics::connections);
  registry.gauge("luminalib_db_pool_available", "Connections that no unit of work uses.", {}, [this] {
    const auto now = database.statistics();
    return static_cast<double>(std::max<std::int64_t>(0, now.connections - now.running));
  });
  registry.gauge("luminalib_http_requests_in_flight", "Requests that are being served, this one included.",
                 {}, [this] { return static_cast<double>(pipeline.in_flight()); });
  registry.counter("luminalib_searches_total", "Searches of the catalogue.", {},
                   [this] { return static_cast<double>(search_log.total()); });
  registry.gauge("luminalib_recommendation_index_age_seconds",
                 "Time since the model in use was trained; without one, since the start.", {},
                 [this, begun = clock->now()] {
                   const auto engine = recs.live.engine();
                   const auto made = engine && engine->version ? engine->version->trained_at : begun;
                   return static_cast<double>(clock->now().ms - made.ms) / 1000;
                 });
  library_figures.show(registry);
  const auto db_counter = [this](std::string_view name, std::string_view help,
                                 std::int64_t db::Statistics::* field) {
    registry.counter(name, help, {},
                     [this, field] { return static_cast<double>(database.statistics().*field); });
  };
  db_counter("luminalib_db_pool_timeouts_total", "Units of work turned away: the queue was full.",
             &db::Statistics::rejected);
  db_counter("luminalib_db_commits_total", "Units of work committed.", &db::Statistics::commits);
  db_counter("luminalib_db_retries_total", "Units of work repeated after a conflict.",
             &db::Statistics::retries);
  db_counter("luminalib_db_failures_total", "Units of work that failed.", &db::Statistics::failures);
  registry.counter("luminalib_db_wait_seconds_total", "Time units of work waited.", {},
                   [this] { return database.statistics().wait_seconds; });
  registry.counter("luminalib_db_run_seconds_total", "Time units of work ran.", {},
                   [this] { return database.statistics().run_seconds; });
  for (auto* pool : {&cpu, &hashing, &files, &scans, &background, &recs.pool, &recs.slow}) {
    registry.gauge("luminalib_pool_depth", "Jobs waiting.", {{"pool", pool->name()}},
                   [pool] { return static_cast<double>(pool->stats().depth); });
    registry.counter("luminalib_pool_rejected_total", "Jobs turned away.", {{"pool", pool->name()}},
                     [pool] { return static_cast<double>(pool->stats().rejected); });
    registry.counter("luminalib_pool_wait_seconds_total", "Time jobs waited.", {{"pool", pool->name()}},
                     [pool] { return static_cast<double>(pool->stats().wait_ns) / 1e9; });
    registry.counter("luminalib_pool_run_seconds_total", "Time jobs ran.", {{"pool", pool->name()}},
                     [pool] { return static_cast<double>(pool->stats().run_ns) / 1e9; });
  }
  registry.gauge("luminalib_event_streams", "Event streams that are open.", {},
                 [this] { return static_cast<double>(hub.streams()); });
  for (const auto& kind : runner.kinds())
    for (const std::string state : {"queued", "running", "failed"})
      registry.gauge("luminalib_jobs", "Jobs by state; failed ones wait for an administrator.",
                     {{"state", state}, {"kind", kind}},
                     [this, state, kind] { return static_cast<double>(runner.figure(state, kind)); });
  registry.gauge("luminalib_jobs_longest_wait_seconds",
                 "How long the job has waited that should have run first.", {},
                 [this] { return std::chrono::duration<double>(runner.longest_wait()).count(); });
  const auto ended = [this](std::string_view outcome, std::uint64_t jobs::Runner::Totals::* field) {
    registry.counter("luminalib_jobs_ended_total", "Runs of jobs by outcome.",
                     {{"outcome", std::string(outcome)}},
                     [this, field] { return static_cast<double>(runner.totals().*field); });
  };
  ended("succeeded", &jobs::Runner::Totals::succeeded);
  ended("failed", &jobs::Runner::Totals::failed);
  ended("retried", &jobs::Runner::Totals::retried);
  ended("taken_over", &jobs::Runner::Totals::taken_over);
  const auto cached = [this](std::string_view name, std::string_view help,
                             std::int64_t cache::CacheStatistics::* field) {
    registry.counter(name, help, {},
                     [this, field] { return static_cast<double>(cache.statistics().*field); });
  };
  cached("luminalib_cache_hits_total", "Answers served from memory.", &cache::CacheStatistics::hits);
  cached("luminalib_cache_misses_total", "Answers that were not in memory.", &cache::CacheStatistics::misses);
  cached("luminalib_cache_evictions_total", "Answers dropped for space.", &cache::CacheStatistics::evictions);
  registry.gauge("luminalib_cache_bytes", "Memory of cached answers.", {},
                 [this] { return static_cast<double>(cache.statistics().bytes); });
  for (const std::string_view type : {"book.created", "book.updated", "book.deleted", "borrow.created",
                                      "borrow.returned", "review.created", "user.registered"}) {
    auto& counter =
        registry.counter("luminalib_events_total", "Things that happened.", {{"type", std::string(type)}});
    bus.subscribe(std::string(type), [&counter](const events::Event&) { counter.add(); });
  }
}

App::App(config::Config config, std::shared_ptr<const Clock> clock)
    : parts_(std::make_unique<Parts>(std::move(config), std::move(clock))) {}

App::~App() {
  stop_background();
  parts_->background.stop();
  parts_->recs.stop();
  parts_->scans.stop();
  parts_->files.stop();
  parts_->hashing.stop();
  parts_->cpu.stop();
  parts_->database.stop();
}

http::Application& App::application() { return parts_->pipeline; }
const http::Router& App::router() const { return parts_->router; }
const std::string& App::openapi() const { return parts_->openapi; }
db::Database& App::database() { return parts_->database; }
metrics::Registry& App::metrics() { return parts_->registry; }
events::Journal& App::journal() { return parts_->journal; }
auth::AuthService& App::sign_in() { return parts_->sign_in; }
auth::Administration& App::administration() { return parts_->administration; }
books::BookService& App::books() { return parts_->books; }
books::Importer& App::importer() { return parts_->importer; }
borrows::BorrowService& App::borrows() { return parts_->borrows; }
borrows::HoldService& App::holds() { return parts_->holds; }
borrows::LedgerService& App::ledger() { return parts_->ledger; }
borrows::LoanPrivacy& App::loan_privacy() { return parts_->loan_privacy; }
borrows::CopyService& App::copies() { return parts_->copies; }
borrows::BranchService& App::branches() { return parts_->branches; }
borrows::RuleService& App::rule_setting() { return parts_->rule_setting; }
reports::ReportService& App::reports() { return parts_->reports; }
blobs::Store& App::blobs() { return parts_->blobs; }
sip2::Host& App::self_check() { return parts_->self_check; }
mail::AccountMails& App::account_mails() { return parts_->account_mails; }
const config::Config& App::config() const { return parts_->config; }
const Clock& App::clock() const { return *parts_->clock; }

void App::reload(const config::Config& fresh) {
  parts_->auth_settings.set(auth_settings_of(fresh));
  parts_->pipeline.set_neighbours(neighbours_of(fresh));
  parts_->recs.reload(fresh);
  parts_->ai_usage.set({fresh.llm_daily_calls, fresh.llm_user_daily_calls});
  // What was wrong is in the log, and the old models go on serving.
  if (const auto exchanged = parts_->models.reload(fresh); !exchanged)
    log::warn("the settings of models were not taken over");
  auto rules = std::make_shared<RateRules>(fresh);
  std::lock_guard lock(parts_->rates_mutex);
  parts_->rates = std::move(rules);
}

void App::drain() { parts_->draining = true; }

void App::start_background() {
  start_workers();
  parts_->scheduler.start();
}

void App::stop_background() {
  parts_->models.stop();
  parts_->scheduler.stop();
  parts_->webhook_sender.stop();
  parts_->notifier.stop();
  parts_->runner.stop();
  parts_->hub.stop();
  parts_->search_index.stop();
  parts_->recs.live.stop();
  parts_->passages.stop();
  parts_->passage_vectors.stop();
  parts_->book_vectors.stop();
}

void App::start_workers() {
  parts_->hub.start();
  parts_->search_index.start();
  parts_->recs.live.start();
  parts_->passages.start();
  parts_->passage_vectors.start(parts_->models.embedder().model());
  parts_->book_vectors.start(parts_->models.embedder().model());
  parts_->webhook_sender.start();
  parts_->notifier.start();
  parts_->scheduler.prepare();
  parts_->runner.start();
}
jobs::Queue& App::job_queue() { return parts_->job_queue; }
jobs::Runner& App::runner() { return parts_->runner; }
jobs::Scheduler& App::scheduler() { return parts_->scheduler; }

}  // namespace lumina
