#include "modules/notices/notifier.hpp"

#include "core/telemetry/log.hpp"
#include "modules/notices/saved_searches.hpp"
#include "modules/notices/settings_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pthread.h>
#include <stdexcept>

namespace lumina::notices {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t events_at_once = 200, loans_at_once = 200;
// What a desk or an import brings in later than this is not news to anybody.
constexpr auto long_past = 48h;
constexpr std::array<std::string_view, 9> told_events{"borrow.created", "borrow.returned", "borrow.renewed",
                                                      "hold.ready",     "hold.waiting",    "hold.expired",
                                                      "hold.cancelled", "hold.fulfilled",  "fine.charged"};

bool is_told(std::string_view type) { return std::ranges::find(told_events, type) != told_events.end(); }

std::string quoted(const std::string& title) { return "“" + mail::HeaderText::of(title).text() + "”"; }

std::string mail_key(const NoticeKey& key) {
  return fmt::format("notice {} {} {} {}", notice_kind_names[static_cast<std::size_t>(key.kind)], key.subject,
                     key.round, key.step);
}

std::string in_days(std::int64_t days) {
  if (days == 0) return "today";
  if (days == 1) return "tomorrow";
  return fmt::format("in {} days", days);
}

}  // namespace

Notifier::Notifier(db::Database& database, const Clock& clock, events::Journal& journal, mail::Mailer& mailer,
                   NoticeRules rules)
    : database_(database), clock_(clock), journal_(journal), mailer_(mailer), rules_(std::move(rules)) {
  journal_.bus().subscribe("", [this](const events::Event& event) {
    if (!is_told(event.type)) return;
    {
      std::lock_guard lock(mutex_);
      woken_ = true;
    }
    wake_.notify_one();
  });
}

Notifier::~Notifier() { stop(); }

void Notifier::start() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "notices");
}

void Notifier::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Notifier::run() {
  // An event can be heard of before it can be read (on PostgreSQL behind an older transaction), and of
  // another instance's the hub may tell late: it is looked for a few times, and then now and then.
  constexpr int soon = 10;
  int looks = 0;
  bool reachable = true;
  while (true) {
    bool more = false;
    try {
      more = follow() == static_cast<std::size_t>(events_at_once);
      reachable = true;
    } catch (const std::exception& e) {
      if (reachable) log::error("notices cannot be made", {{"what", e.what()}});
      reachable = false;
    }
    std::unique_lock lock(mutex_);
    // A pause lets events gather.
    if (wake_.wait_for(lock, 50ms, [this] { return stopping_; })) return;
    if (more) continue;
    wake_.wait_for(lock, looks < soon ? 1s : 30s, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    looks = woken_ ? 0 : looks + 1;
    woken_ = false;
  }
}

std::size_t Notifier::follow() {
  std::lock_guard one_at_a_time(following_);
  const auto from = [this](const events::Cursor& position) { return std::max(position, judged_); };
  struct Look {
    std::size_t rows = 0;
    bool tells = false;
    events::Cursor behind;
  };
  auto look = [&](db::Transaction& tx) {
    const auto start = from(NoticeRepository(tx).position_now());
    const auto rows = events::Outbox(tx).after(start, {}, events_at_once);
    return Look{rows.size(), !plan(tx, rows).empty(), rows.empty() ? start : rows.back().at};
  };
  const auto seen = database_.read_now(std::move(look));
  if (!seen) throw std::runtime_error(seen.error().detail);
  const bool full = seen->rows == static_cast<std::size_t>(events_at_once);
  if (!seen->tells && !full) {
    judged_ = seen->behind;
    return seen->rows;
  }
  auto work = [&](db::Transaction& tx) -> Result<events::Cursor> {
    NoticeRepository notices(tx);
    const auto start = from(notices.position());
    const auto rows = events::Outbox(tx).after(start, {}, events_at_once);
    if (rows.empty()) return start;
    make(tx, plan(tx, rows));
    notices.move_to(rows.back().at);
    return rows.back().at;
  };
  const auto done = database_.write_now(std::move(work));
  if (!done) throw std::runtime_error(done.error().detail);
  judged_ = *done;
  return seen->rows;
}

Notifier::Plan Notifier::plan(db::Transaction& tx, const std::vector<events::Recorded>& rows) {
  Plan out;
  for (const auto& row : rows)
    if (is_told(row.event.type)) add_event(tx, out, row);
  return out;
}

void Notifier::add(db::Transaction& tx, Plan& plan, NoticeKey key, UserId user, std::optional<BookId> book,
                   std::optional<std::int64_t> branch, std::string title, std::string body,
                   std::optional<Timestamp> not_after) {
  auto to = NoticeRepository(tx).recipient(user);
  if (!to) return;
  const auto channel = channel_of(settings_of(tx, user), key.kind);
  Draft draft{{key, user, book, std::move(title), std::move(body), channel.in_app, false},
              std::move(*to),
              branch,
              not_after};
  draft.notice.mailed = channel.email && mailer_.on() && mail::Address::make(draft.to.email).has_value();
  if (draft.notice.in_app || draft.notice.mailed) plan.drafts.push_back(std::move(draft));
}

void Notifier::settle(Plan& plan, std::vector<NoticeKey> over) const {
  if (mailer_.on()) std::ranges::move(over, std::back_inserter(plan.settled));
}

std::string Notifier::day(db::Transaction& tx, std::optional<std::int64_t> branch, Timestamp at) const {
  return format_day(rules_.zone(tx, branch).local(at).day);
}

void Notifier::add_event(db::Transaction& tx, Plan& plan, const events::Recorded& row) {
  NoticeRepository notices(tx);
  const auto& event = row.event;
  const auto id = event.resource_id;
  if (event.type == "borrow.created") {
    const auto loan = notices.loan(id);
    if (!loan || !loan->user || loan->borrowed_at < event.at - long_past) return;
    add(tx, plan, {NoticeKind::borrowed, id}, *loan->user, loan->book, loan->branch,
        "You have borrowed " + quoted(loan->title),
        fmt::format("It is due on {}.", day(tx, loan->branch, loan->due_date)));
  } else if (event.type == "borrow.returned") {
    const auto loan = notices.loan(id);
    if (!loan) return;
    settle(plan, notices.mailed_of(id, NoticeKind::due_soon));
    settle(plan, notices.mailed_of(id, NoticeKind::overdue));
    if (!loan->user || !loan->returned_at || *loan->returned_at < event.at - long_past) return;
    add(tx, plan, {NoticeKind::returned, id}, *loan->user, loan->book, loan->branch,
        "You have returned " + quoted(loan->title),
        fmt::format("It came back on {}. Thank you.", day(tx, loan->branch, *loan->returned_at)));
  } else if (event.type == "borrow.renewed") {
    settle(plan, notices.mailed_of(id, NoticeKind::due_soon));
    settle(plan, notices.mailed_of(id, NoticeKind::overdue));
  } else if (event.type == "hold.waiting" || event.type == "hold.cancelled" ||
             event.type == "hold.fulfilled") {
    settle(plan, notices.mailed_of(id, NoticeKind::hold_ready));
  } else if (event.type == "hold.ready") {
    const auto hold = notices.hold(id);
    if (!hold || hold->status != "ready" || !hold->pickup_until) return;
    // A hold whose copy turns out lost becomes ready again: another round.
    add(tx, plan, {NoticeKind::hold_ready, id, event.at.ms}, hold->user, hold->book, hold->branch_id,
        quoted(hold->title) + " is ready for you",
        fmt::format("It waits at {} until {}.", mail::HeaderText::of(hold->branch).text(),
                    day(tx, hold->branch_id, *hold->pickup_until)),
        hold->pickup_until);
  } else if (event.type == "hold.expired") {
    settle(plan, notices.mailed_of(id, NoticeKind::hold_ready));
    const auto hold = notices.hold(id);
    if (!hold) return;
    add(tx, plan, {NoticeKind::hold_expired, id}, hold->user, hold->book, hold->branch_id,
        "Your hold on " + quoted(hold->title) + " has ended",
        "Its time is over, and the copy goes to the next person. You can place a new hold.");
  } else if (event.type == "fine.charged") {
    // Of a loan the event names the loan, and the kind of the fine; else the fine itself.
    const bool of_lost = event.payload.find(R"("kind":"lost")") != std::string::npos;
    const bool of_loan = of_lost || event.payload.find(R"("kind":"overdue")") != std::string::npos;
    const auto fine = of_loan ? notices.fine_of_loan(id, of_lost ? "lost" : "overdue") : notices.fine(id);
    if (!fine || fine->owed_minor <= 0) return;
    std::string why = fine->title ? "For " + quoted(*fine->title) : "At the library";
    if (fine->kind == "overdue") why += ", which is late: it may grow until the book is back";
    if (fine->kind == "lost") why += ", which is lost";
    if (fine->note) why += " (" + mail::HeaderText::of(*fine->note).text() + ")";
    add(tx, plan, {NoticeKind::fine, fine->id}, fine->user, fine->book, std::nullopt,
        "You owe the library " + money(fine->owed_minor, rules_.currency), why + ".");
  }
}

void Notifier::add_reminder(db::Transaction& tx, Plan& plan, const LoanFacts& loan, Timestamp now) {
  if (!loan.user) return;
  NoticeRepository notices(tx);
  if (now <= loan.due_date) {
    const auto zone = rules_.zone(tx, loan.branch);
    const auto today = zone.local(now).day;
    const auto left = zone.local(loan.due_date).day - today;
    // Who has just borrowed it was told when it is due.
    if (left > rules_.due_soon_days || zone.local(loan.borrowed_at).day == today) return;
    const NoticeKey key{NoticeKind::due_soon, loan.id, loan.renewals};
    if (notices.exists(key)) return;
    add(tx, plan, key, *loan.user, loan.book, loan.branch, quoted(loan.title) + " is due " + in_days(left),
        fmt::format("Please return it by {}, or renew it.", day(tx, loan.branch, loan.due_date)),
        loan.due_date);
    return;
  }
  const int late = rules_.days_late(tx, loan.branch, loan.due_date, now);
  int step = 0;
  for (const int day : rules_.overdue_days)
    if (day <= late) step = day;
  const NoticeKey key{NoticeKind::overdue, loan.id, loan.renewals, step};
  if (step == 0 || notices.exists(key)) return;
  add(tx, plan, key, *loan.user, loan.book, loan.branch, quoted(loan.title) + " is overdue",
      fmt::format("It was due on {}{}. Please return it.", day(tx, loan.branch, loan.due_date),
                  late > 1 ? fmt::format(", {} days ago", late) : ""));
}

Result<std::int64_t> Notifier::remind(const std::function<bool()>& go_on) {
  std::int64_t made = 0, behind = 0;
  while (go_on()) {
    std::size_t seen = 0;
    std::int64_t last = behind;
    auto work = [&](db::Transaction& tx) -> Result<std::int64_t> {
      const Timestamp now = clock_.now();
      const auto loans = NoticeRepository(tx).open_loans(
          now - latest_reminder, now + std::chrono::days(rules_.due_soon_days + 1), behind, loans_at_once);
      seen = loans.size();
      if (!loans.empty()) last = loans.back().id;
      Plan plan;
      for (const auto& loan : loans) {
        if (loan.due_date >= now && rules_.due_soon_days == 0) continue;
        add_reminder(tx, plan, loan, now);
      }
      return make(tx, plan);
    };
    const auto done = database_.write_now(std::move(work));
    if (!done) return Failure(done.error());
    made += *done;
    behind = last;
    if (seen < static_cast<std::size_t>(loans_at_once)) break;
  }
  return made;
}

Result<std::int64_t> Notifier::announce(const NewBooks& new_books, const std::function<bool()>& go_on) {
  // A book that was being added when the last look was taken comes with an earlier time.
  constexpr auto overlap = std::chrono::minutes(10);
  constexpr int books_at_once = 50, searches_at_once = 50;
  std::int64_t made = 0, behind = 0;
  while (go_on()) {
    std::size_t seen = 0;
    std::int64_t last = behind;
    auto work = [&](db::Transaction& tx) -> Result<std::int64_t> {
      const Timestamp now = clock_.now();
      const auto searches = SavedSearchRepository(tx).alerting(behind, searches_at_once);
      seen = searches.size();
      if (!searches.empty()) last = searches.back().id.value;
      Plan plan;
      for (const auto& search : searches) {
        const Timestamp since = std::max(search.created_at, search.checked_at - overlap);
        for (const auto& book : new_books(tx, search.query.text, since, books_at_once))
          add(tx, plan, {NoticeKind::new_match, search.id.value, book.id.value}, search.user, book.id,
              std::nullopt, "New in the library: " + quoted(book.title),
              "By " + book.author + ". Your search " + quoted(search.name) + " finds it.");
        SavedSearchRepository(tx).checked(search.id, now);
      }
      return make(tx, plan);
    };
    const auto done = database_.write_now(std::move(work));
    if (!done) return Failure(done.error());
    made += *done;
    behind = last;
    if (seen < static_cast<std::size_t>(searches_at_once)) break;
  }
  return made;
}

std::int64_t Notifier::make(db::Transaction& tx, const Plan& plan) {
  std::int64_t made = 0;
  const Timestamp now = clock_.now();
  for (const auto& key : plan.settled) mailer_.withdraw(tx, mail_key(key));
  for (const auto& [notice, to, branch, not_after] : plan.drafts) {
    const auto id = NoticeRepository(tx).insert(notice, now);
    if (!id) continue;
    ++made;
    if (notice.in_app)
      journal_.record(tx, Caller::system("notices"),
                      {.type = "notification.created",
                       .resource = "notification",
                       .resource_id = id->value,
                       .subject = notice.user});
    if (!notice.mailed) continue;
    mail::Letter letter;
    letter.subject = mail::HeaderText::of(notice.title);
    letter.greeting = "Hello " + mail::HeaderText::of(to.full_name).text() + ",";
    letter.paragraphs = {notice.title + ".", notice.body};
    if (!rules_.public_url.empty()) letter.link = mail::Link{"The library", rules_.public_url};
    letter.afterwards = {"Under Notifications you can choose what you are told and when."};
    const auto due = after_quiet(settings_of(tx, notice.user), rules_.zone(tx, branch), now);
    mailer_.enqueue(tx, {.key = mail_key(notice.key),
                         .kind = "notice",
                         .user = notice.user,
                         .to = *mail::Address::make(to.email, to.full_name),
                         .letter = std::move(letter),
                         .not_before = due == now ? std::nullopt : std::optional(due),
                         .not_after = not_after});
  }
  return made;
}

}  // namespace lumina::notices
