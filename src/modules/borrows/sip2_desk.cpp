#include "modules/borrows/sip2_desk.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"
#include "modules/borrows/branch_repository.hpp"
#include "modules/borrows/desk_repository.hpp"
#include "modules/borrows/sip2_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>

namespace lumina::borrows {
namespace {

using sip2::Message;
using sip2::Reply;

constexpr int most_failed_logins = 3;
constexpr std::size_t longest_barcode = 64, longest_patron = 255;
constexpr std::string_view language = "000";  // unknown
// Which requests are answered: patron status, checkout, checkin, block, status, resend, login, patron
// information, end of session, fee paid, item information, item status update, patron enable, hold, renew,
// renew all.
constexpr std::string_view supported = "YYYYYYYYYYYNNYYY";

char flag(bool yes) { return yes ? 'Y' : 'N'; }
bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// One connected machine. Its messages come one after the other.
class SelfCheck final : public sip2::Terminal {
 public:
  SelfCheck(const Sip2Services& services, const Sip2Settings& settings, std::string address)
      : services_(services), settings_(settings), pin_key_(security::opaque_token()) {
    by_.address = std::move(address);
  }

  Task<Reply> answer(Message request) override;
  bool signed_in() const override { return by_.user.has_value(); }

 private:
  using Handler = Task<Message> (SelfCheck::*)(Message);
  static const std::map<std::string, Handler, std::less<>>& handlers();

  // Who stands there, as far as the answers need it.
  struct Patron {
    std::string text;  // AA, as it was said
    std::optional<PatronSummary> known;
    Account account;
    bool proven = false;  // or no proof is asked for
    std::string why_not;  // for AF
    UserId id() const { return known->user.id; }
    bool may_act() const { return known && proven; }
  };

  Task<Reply> sign_in(Message request);
  Task<bool> still_welcome();
  Task<Patron> meet(Message request);
  Task<std::optional<Error>> prove(UserId user, std::string password);
  Task<std::optional<DeskRepository::Item>> look_at(std::string barcode);
  Task<Result<std::vector<DeskRepository::Lent>>> lent_to(UserId user);
  Task<Result<Borrow>> lend(Message request, Patron patron, std::optional<DeskRepository::Item> item,
                            bool* renewed);
  Task<Message> patron_status(Patron patron);

  Task<Message> system_status(Message request);
  Task<Message> patron_information(Message request);
  Task<Message> patron_status_request(Message request);
  Task<Message> block_patron(Message request);
  Task<Message> item_information(Message request);
  Task<Message> checkout(Message request);
  Task<Message> checkin(Message request);
  Task<Message> renew(Message request);
  Task<Message> renew_all(Message request);
  Task<Message> fee_paid(Message request);
  Task<Message> end_session(Message request);
  Task<Message> hold(Message request);

  Message reply(std::string_view code, std::string fixed) const {
    Message out;
    out.code = code;
    out.fixed = std::move(fixed);
    out.add("AO", settings_.institution);
    return out;
  }
  std::string now() const { return time(services_.clock.now()); }
  std::string time(Timestamp at) const { return sip2_time(at, zone_); }
  // Nothing when the machine is one of ours.
  std::optional<std::string> stranger(const Message& request) const;
  Task<Result<OfflineResult>> told_late(const Message& request, OfflineKind kind, std::string_view at,
                                        std::string_view due);

  const Sip2Services& services_;
  const Sip2Settings& settings_;
  Caller by_;
  std::int64_t epoch_ = 0;
  BranchId branch_;
  std::string branch_code_;
  TimeZone zone_ = TimeZone::utc();
  int failed_logins_ = 0;
  std::int64_t messages_ = 0;
  // Who proved last who they are, and a mark of what they said.
  const std::string pin_key_;
  std::optional<UserId> proven_;
  std::string proof_;
};

const std::map<std::string, SelfCheck::Handler, std::less<>>& SelfCheck::handlers() {
  static const std::map<std::string, Handler, std::less<>> all{{"99", &SelfCheck::system_status},
                                                               {"63", &SelfCheck::patron_information},
                                                               {"23", &SelfCheck::patron_status_request},
                                                               {"01", &SelfCheck::block_patron},
                                                               {"17", &SelfCheck::item_information},
                                                               {"11", &SelfCheck::checkout},
                                                               {"09", &SelfCheck::checkin},
                                                               {"29", &SelfCheck::renew},
                                                               {"65", &SelfCheck::renew_all},
                                                               {"37", &SelfCheck::fee_paid},
                                                               {"35", &SelfCheck::end_session},
                                                               {"15", &SelfCheck::hold}};
  return all;
}

Task<Reply> SelfCheck::answer(Message request) {
  by_.request_id = fmt::format("sip2-{}-{}", pin_key_.substr(0, 8), ++messages_);
  if (request.code == "93") {
    auto signing = sign_in(std::move(request));
    auto answered = co_await std::move(signing);
    co_return answered;
  }
  const auto handler = handlers().find(request.code);
  if (!signed_in() || handler == handlers().end()) co_return Reply{};
  auto looking = still_welcome();
  const bool welcome = co_await std::move(looking);
  if (!welcome) co_return Reply{};
  auto answering = (this->*handler->second)(std::move(request));
  auto answered = co_await std::move(answering);
  co_return Reply{std::move(answered), false};
}

Task<Reply> SelfCheck::sign_in(Message request) {
  by_.user.reset();
  proven_.reset();
  const auto refused = [this](std::string_view why) {
    log::warn("a self-check machine was not let in", {{"address", by_.address}, {"why", why}});
    Message no;
    no.code = "94";
    no.fixed = "0";
    return Reply{std::move(no), ++failed_logins_ >= most_failed_logins};
  };
  // No algorithm to hide the name or the password is known to both.
  if (request.fixed != "00") co_return refused("its login is encrypted");
  auto proving =
      services_.gate.prove(std::string(request.field("CN")), std::string(request.field("CO")), by_);
  const auto proven = co_await std::move(proving);
  if (!proven) co_return refused(proven.error().code);
  if (!allows(proven->account.role, Permission::loans_manage)) co_return refused("its account may not lend");
  auto work = [this, code = std::string(request.field("CP")), user = proven->account.id](
                  db::Transaction& tx) -> Result<std::tuple<BranchId, std::string, TimeZone>> {
    BranchRepository branches(tx);
    const auto branch =
        code.empty() ? std::optional(branches.default_branch()) : DeskRepository(tx).find_branch(code);
    if (!branch) return not_found("Branch not found");
    services_.journal.record(
        tx, by_,
        {.type = "terminal.signed_in", .resource = "user", .resource_id = user.value, .subject = user});
    return std::tuple(*branch, branches.find(*branch)->code, settings_.zone(tx, branch->value));
  };
  auto writing = services_.database.write(std::move(work));
  auto place = co_await std::move(writing);
  if (!place)
    co_return refused(place.error().kind == ErrorKind::not_found ? "no branch has that code"
                                                                 : place.error().code);
  std::tie(branch_, branch_code_, zone_) = std::move(*place);
  by_.user = proven->account.id;
  by_.role = proven->account.role;
  by_.email = proven->account.email;
  epoch_ = proven->account.epoch;
  failed_logins_ = 0;
  Message yes;
  yes.code = "94";
  yes.fixed = "1";
  co_return Reply{std::move(yes), false};
}

Task<bool> SelfCheck::still_welcome() {
  auto work = [user = by_.id()](db::Transaction& tx) { return auth::UserRepository(tx).find(user); };
  auto reading = services_.database.read(std::move(work));
  const auto account = co_await std::move(reading);
  // A database that cannot be asked says so in the answer to come.
  if (!account) co_return true;
  co_return *account && (*account)->is_active &&
      (*account)->epoch == epoch_&& allows((*account)->role, Permission::loans_manage);
}

std::optional<std::string> SelfCheck::stranger(const Message& request) const {
  const auto named = request.field("AO");
  if (named.empty() || named == settings_.institution) return {};
  return "This machine is set up for another library";
}

Task<std::optional<Error>> SelfCheck::prove(UserId user, std::string password) {
  if (password.empty()) {
    if (proven_ == user) co_return std::nullopt;
    co_return Error{ErrorKind::refused, "password_needed", "Please enter your password", {}, 0};
  }
  auto mark = security::hmac_sha256(pin_key_, password);
  if (proven_ == user && proof_ == mark) co_return std::nullopt;
  proven_.reset();
  auto proving = services_.gate.prove_again(user, std::move(password), by_,
                                            fmt::format("sip2 {} {}", by_.address, user.value));
  const auto proven = co_await std::move(proving);
  if (!proven) co_return proven.error();
  proven_ = user;
  proof_ = std::move(mark);
  co_return std::nullopt;
}

Task<SelfCheck::Patron> SelfCheck::meet(Message request) {
  Patron patron;
  patron.text = request.field("AA");
  if (auto no = stranger(request)) {
    patron.why_not = *no;
    co_return patron;
  }
  if (patron.text.empty() || patron.text.size() > longest_patron) {
    patron.why_not = "No person has this card";
    co_return patron;
  }
  auto looking = services_.desk.patron(patron.text);
  auto summary = co_await std::move(looking);
  if (!summary) {
    patron.why_not = std::move(summary.error().detail);
    co_return patron;
  }
  auto counting = services_.ledger.account(summary->user.id);
  auto account = co_await std::move(counting);
  if (!account) {
    patron.why_not = std::move(account.error().detail);
    co_return patron;
  }
  if (proven_ != summary->user.id) proven_.reset();
  patron.known = std::move(*summary);
  patron.account = std::move(*account);
  patron.proven = !settings_.patron_password;
  if (settings_.patron_password) {
    auto proving = prove(patron.id(), std::string(request.field("AD")));
    auto wrong = co_await std::move(proving);
    patron.proven = !wrong;
    if (wrong) patron.why_not = std::move(wrong->detail);
  }
  co_return patron;
}

Task<std::optional<DeskRepository::Item>> SelfCheck::look_at(std::string barcode) {
  if (barcode.empty() || barcode.size() > longest_barcode) co_return std::nullopt;
  auto work = [barcode = std::move(barcode)](db::Transaction& tx) {
    return DeskRepository(tx).find_item(barcode);
  };
  auto reading = services_.database.read(std::move(work));
  auto item = co_await std::move(reading);
  if (!item) co_return std::nullopt;
  co_return std::move(*item);
}

Task<Result<std::vector<DeskRepository::Lent>>> SelfCheck::lent_to(UserId user) {
  auto work = [user](db::Transaction& tx) { return DeskRepository(tx).lent_to(user); };
  return services_.database.read(std::move(work));
}

Task<Message> SelfCheck::system_status(Message) {
  auto status = reply("98", fmt::format("YYYYYY{:03}{:03}{}2.00", 300, 3, now()));
  status.add("AM", "LuminaLib").add("BX", supported).add("AN", branch_code_);
  co_return status;
}

Task<Message> SelfCheck::patron_status(Patron patron) {
  const auto flags =
      patron.known ? sip2_patron_status(*patron.known, patron.account.blocks) : std::string("YYYY          ");
  auto out = reply("24", flags + std::string(language) + now());
  out.add("AA", patron.text).add("AE", patron.may_act() ? patron.known->user.full_name : "");
  out.add("BL", std::string(1, flag(patron.known.has_value())));
  if (patron.known && settings_.patron_password) out.add("CQ", std::string(1, flag(patron.proven)));
  if (patron.may_act())
    out.add("BH", settings_.currency)
        .add("BV", sip2_amount(patron.account.balance_minor, settings_.currency));
  co_return std::move(out.add_if("AF", patron.why_not));
}

Task<Message> SelfCheck::patron_status_request(Message request) {
  auto meeting = meet(std::move(request));
  auto patron = co_await std::move(meeting);
  auto telling = patron_status(std::move(patron));
  auto out = co_await std::move(telling);
  co_return out;
}

Task<Message> SelfCheck::patron_information(Message request) {
  auto meeting = meet(request);
  const auto patron = co_await std::move(meeting);
  const bool open = patron.may_act();
  std::vector<std::string> ready, waiting, charged, overdue, owed;
  if (open) {
    for (const auto& hold : patron.known->holds)
      (hold.status == HoldStatus::ready ? ready : waiting).push_back(hold.book.title);
    auto reading = lent_to(patron.id());
    const auto loans = co_await std::move(reading);
    if (loans)
      for (const auto& loan : *loans) {
        charged.push_back(loan.barcode);
        if (loan.due_date < services_.clock.now()) overdue.push_back(loan.barcode);
      }
    auto asking = services_.ledger.fines({patron.id(), FineStatus::open}, PageRequest{}, by_);
    const auto fines = co_await std::move(asking);
    if (fines)
      for (const auto& fine : fines->items)
        owed.push_back(fmt::format("{} {} {}", fine.id.value,
                                   sip2_amount(fine.outstanding_minor, settings_.currency),
                                   fine.book_title.value_or(fine.note.value_or(""))));
  }
  const auto flags =
      patron.known ? sip2_patron_status(*patron.known, patron.account.blocks) : std::string("YYYY          ");
  const auto count = [](const std::vector<std::string>& list) {
    return sip2_count(static_cast<std::int64_t>(list.size()));
  };
  auto out = reply("64", flags + std::string(language) + now() + count(ready) + count(overdue) +
                             count(charged) + count(owed) + "0000" + count(waiting));
  out.add("AA", patron.text).add("AE", open ? patron.known->user.full_name : "");
  out.add("BL", std::string(1, flag(patron.known.has_value())));
  if (patron.known && settings_.patron_password) out.add("CQ", std::string(1, flag(patron.proven)));
  if (open) {
    out.add("BH", settings_.currency)
        .add("BV", sip2_amount(patron.account.balance_minor, settings_.currency));
    out.add_if("BE", patron.known->user.email);
    // The list that the summary asks for, from BP to BQ, counted from 1.
    const auto summary = request.part(21, 10);
    struct List {
      std::string_view id;
      const std::vector<std::string>& items;
    };
    const List lists[] = {{"AS", ready}, {"AT", overdue}, {"AU", charged},
                          {"AV", owed},  {"BU", {}},      {"CD", waiting}};
    const auto place = [&](std::string_view id, std::size_t otherwise) {
      std::size_t n = otherwise;
      const auto text = request.field(id);
      if (is_number(text)) std::from_chars(text.data(), text.data() + text.size(), n);
      return n;
    };
    for (std::size_t i = 0; i < std::size(lists); ++i) {
      if (i >= summary.size() || summary[i] != 'Y') continue;
      const auto& items = lists[i].items;
      const auto from = std::max<std::size_t>(1, place("BP", 1)),
                 to = std::min(place("BQ", items.size()), items.size());
      for (std::size_t n = from; n <= to; ++n) out.add(lists[i].id, items[n - 1]);
    }
  }
  co_return std::move(out.add_if("AF", patron.why_not));
}

Task<Message> SelfCheck::block_patron(Message request) {
  const std::string said(request.field("AL"));
  const bool kept = request.part(0, 1) == "Y";
  std::string reason = fmt::format("{}{}", kept ? "The machine kept the card. " : "",
                                   said.empty() ? "Blocked by a machine" : said);
  reason = std::string(utf8_prefix(reason, 500));
  auto meeting = meet(request);
  auto patron = co_await std::move(meeting);
  if (patron.known) {
    auto blocking = services_.ledger.block(patron.id(), {std::move(reason)}, by_);
    const auto blocked = co_await std::move(blocking);
    if (blocked)
      patron.account.blocks.push_back(*blocked);
    else
      patron.why_not = blocked.error().detail;
    proven_.reset();
  }
  auto telling = patron_status(std::move(patron));
  auto out = co_await std::move(telling);
  co_return out;
}

Task<Message> SelfCheck::item_information(Message request) {
  const std::string barcode(request.field("AB"));
  auto looking = look_at(barcode);
  const auto item = co_await std::move(looking);
  auto out = reply(
      "18", fmt::format("{}0001{}",
                        item ? sip2_circulation_status(item->stored, item->loan.has_value()) : "01", now()));
  if (item) {
    out.add("CF", std::to_string(item->waiting));
    if (item->due_date) out.add("AH", time(*item->due_date));
    if (item->pickup_until) out.add("CM", time(*item->pickup_until));
  }
  out.add("AB", barcode).add("AJ", item ? item->title : "");
  if (item) out.add("AQ", item->branch_code);
  co_return std::move(out.add_if("AF", item ? "" : "No copy has this barcode"));
}

// By the machine's own clock, and once, however often it tells.
Task<Result<OfflineResult>> SelfCheck::told_late(const Message& request, OfflineKind kind,
                                                 std::string_view at, std::string_view due) {
  OfflineTransaction late;
  late.kind = kind;
  late.barcode = request.field("AB");
  if (kind == OfflineKind::checkout) late.patron = request.field("AA");
  late.at = parse_sip2_time(at, zone_).value_or(services_.clock.now());
  if (kind == OfflineKind::checkout) late.due_date = parse_sip2_time(due, zone_);
  late.client_id = "sip2-" + security::sha256_hex(fmt::format("{}|{}|{}|{}|{}", by_.id().value, request.code,
                                                              at, late.patron.value_or(""), late.barcode));
  OfflineBatch batch;
  batch.transactions.push_back(std::move(late));
  auto replaying = services_.desk.replay(std::move(batch), by_);
  auto report = co_await std::move(replaying);
  if (!report) co_return Failure(std::move(report.error()));
  auto result = std::move(report->results.front());
  if (result.outcome == OfflineOutcome::conflict || result.code)
    co_return fail(ErrorKind::refused, result.code.value_or("conflict"),
                   result.detail.value_or("This was written down for the staff"));
  co_return result;
}

Task<Result<Borrow>> SelfCheck::lend(Message request, Patron patron, std::optional<DeskRepository::Item> item,
                                     bool* renewed) {
  if (!patron.may_act()) co_return fail(ErrorKind::refused, "unknown_patron", patron.why_not);
  if (request.field("BI") == "Y")
    co_return fail(ErrorKind::refused, "not_supported", "A loan cannot be taken back at this machine");
  // One's own copy once more: that renews it, where the machine may.
  if (item && item->loan && item->borrower == patron.id() && request.part(0, 1) == "Y") {
    *renewed = true;
    auto renewing = services_.loans.renew(*item->loan, by_);
    auto loan = co_await std::move(renewing);
    co_return std::move(loan);
  }
  // By the address, which nobody else has: a number could be somebody's card as well.
  auto lending =
      services_.desk.checkout({patron.known->user.email, std::string(request.field("AB")), {}, {}}, by_);
  auto loan = co_await std::move(lending);
  co_return std::move(loan);
}

Task<Message> SelfCheck::checkout(Message request) {
  const std::string barcode(request.field("AB"));
  auto looking = look_at(barcode);
  auto item = co_await std::move(looking);
  bool done = false, renewed = false;
  std::string why_not, due;
  std::string patron_text(request.field("AA"));
  if (auto no = stranger(request)) {
    why_not = *no;
  } else if (request.part(1, 1) == "Y") {
    auto telling = told_late(request, OfflineKind::checkout, request.part(2, 18), request.part(20, 18));
    const auto told = co_await std::move(telling);
    done = told.has_value();
    if (!told) why_not = told.error().detail;
    auto again = look_at(barcode);
    const auto after = co_await std::move(again);
    if (after && after->due_date) due = time(*after->due_date);
  } else {
    auto meeting = meet(request);
    auto patron = co_await std::move(meeting);
    auto lending = lend(request, std::move(patron), item, &renewed);
    const auto lent = co_await std::move(lending);
    done = lent.has_value();
    if (lent)
      due = time(lent->due_date);
    else
      why_not = lent.error().detail;
  }
  // What stays on loan to nobody must not leave with its security strip off.
  auto out =
      reply("12", fmt::format("{}{}N{}{}", done ? '1' : '0', flag(done && renewed), flag(done), now()));
  out.add("AA", patron_text).add("AB", barcode).add("AJ", item ? item->title : "").add("AH", due);
  co_return std::move(out.add_if("AF", why_not));
}

Task<Message> SelfCheck::checkin(Message request) {
  const std::string barcode(request.field("AB"));
  auto looking = look_at(barcode);
  const auto item = co_await std::move(looking);
  std::string why_not, borrower;
  std::optional<Hold> kept;
  bool done = false;
  if (auto no = stranger(request)) {
    why_not = *no;
  } else if (!item) {
    why_not = "No copy has this barcode";
  } else if (request.part(0, 1) == "Y") {
    auto telling = told_late(request, OfflineKind::checkin, request.part(19, 18), {});
    const auto told = co_await std::move(telling);
    done = told.has_value();
    if (!told) why_not = told.error().detail;
  } else {
    auto taking = services_.desk.checkin({barcode, branch_}, by_);
    auto back = co_await std::move(taking);
    done = back.has_value();
    if (back) {
      kept = std::move(back->hold);
      if (back->borrow && back->borrow->user_id) borrower = std::to_string(back->borrow->user_id->value);
    } else {
      why_not = back.error().detail;
    }
  }
  const bool elsewhere = done && item->branch_code != branch_code_;
  const bool alert = !done || kept || elsewhere;
  auto out = reply("10", fmt::format("{}{}N{}{}", done ? '1' : '0', flag(done), flag(alert), now()));
  out.add("AB", barcode).add("AQ", item ? item->branch_code : "");
  out.add_if("AJ", item ? item->title : "").add_if("AA", borrower);
  if (kept)
    out.add("CV", kept->pickup_branch_id == branch_ ? "01" : "02");
  else if (elsewhere)
    out.add("CV", "04");
  else if (alert)
    out.add("CV", "99");
  if (kept) why_not = "Somebody waits for this; please put it aside";
  co_return std::move(out.add_if("AF", why_not));
}

Task<Message> SelfCheck::renew(Message request) {
  const std::string barcode(request.field("AB"));
  auto meeting = meet(request);
  const auto patron = co_await std::move(meeting);
  auto looking = look_at(barcode);
  const auto item = co_await std::move(looking);
  std::string why_not = patron.why_not, due;
  bool done = false;
  if (patron.may_act()) {
    if (!item || !item->loan || item->borrower != patron.id()) {
      why_not = "You have no loan of this copy";
    } else {
      auto renewing = services_.loans.renew(*item->loan, by_);
      const auto renewed = co_await std::move(renewing);
      done = renewed.has_value();
      if (renewed)
        due = time(renewed->due_date);
      else
        why_not = renewed.error().detail;
    }
  }
  auto out = reply("30", fmt::format("{}{}N{}{}", done ? '1' : '0', flag(done), flag(done), now()));
  out.add("AA", patron.text).add("AB", barcode).add("AJ", item ? item->title : "").add("AH", due);
  co_return std::move(out.add_if("AF", why_not));
}

Task<Message> SelfCheck::renew_all(Message request) {
  auto meeting = meet(std::move(request));
  const auto patron = co_await std::move(meeting);
  std::string why_not = patron.why_not;
  std::vector<std::string> renewed, kept;
  bool done = false;
  if (patron.may_act()) {
    auto reading = lent_to(patron.id());
    const auto loans = co_await std::move(reading);
    done = loans.has_value();
    if (!loans) why_not = loans.error().detail;
    if (loans)
      for (const auto& loan : *loans) {
        auto renewing = services_.loans.renew(loan.id, by_);
        const auto result = co_await std::move(renewing);
        (result ? renewed : kept).push_back(loan.barcode);
      }
  }
  auto out = reply(
      "66", fmt::format("{}{}{}{}", done ? '1' : '0', sip2_count(static_cast<std::int64_t>(renewed.size())),
                        sip2_count(static_cast<std::int64_t>(kept.size())), now()));
  for (const auto& barcode : renewed) out.add("BM", barcode);
  for (const auto& barcode : kept) out.add("BN", barcode);
  co_return std::move(out.add_if("AF", why_not));
}

// The machine has the money already: whose it was is enough, and no password is asked.
Task<Message> SelfCheck::fee_paid(Message request) {
  const std::string receipt(request.field("BK"));
  const auto amount = parse_sip2_amount(request.field("BV"), settings_.currency);
  const auto wanted = request.field("CG");
  std::string why_not;
  bool done = false;
  std::string patron_text(request.field("AA"));
  std::optional<FineId> one;
  if (!wanted.empty()) {
    one.emplace();
    if (is_number(wanted)) std::from_chars(wanted.data(), wanted.data() + wanted.size(), one->value);
  }
  if (auto no = stranger(request)) {
    why_not = *no;
  } else if (!amount || *amount == 0) {
    why_not = "The amount cannot be read";
  } else if (request.part(22, 3) != settings_.currency) {
    why_not = fmt::format("This library takes {}", settings_.currency);
  } else if (receipt.size() > 100) {
    why_not = "The receipt's name is too long";
  } else {
    auto looking = services_.desk.patron(patron_text);
    const auto patron = co_await std::move(looking);
    if (!patron) {
      why_not = patron.error().detail;
    } else {
      auto paying = services_.ledger.pay_off(
          patron->user.id, *amount, one,
          receipt.empty() ? std::string() : fmt::format("SIP2 {} {}", by_.id().value, receipt), by_);
      const auto paid = co_await std::move(paying);
      done = paid.has_value();
      if (!paid) why_not = paid.error().detail;
    }
  }
  auto out = reply("38", fmt::format("{}{}", flag(done), now()));
  out.add("AA", patron_text).add_if("BK", receipt);
  co_return std::move(out.add_if("AF", why_not));
}

Task<Message> SelfCheck::end_session(Message request) {
  proven_.reset();
  auto out = reply("36", fmt::format("Y{}", now()));
  out.add("AA", request.field("AA"));
  co_return out;
}

Task<Message> SelfCheck::hold(Message request) {
  const std::string barcode(request.field("AB"));
  const auto mode = request.part(0, 1);
  auto meeting = meet(request);
  const auto patron = co_await std::move(meeting);
  auto looking = look_at(barcode);
  const auto item = co_await std::move(looking);
  std::string why_not = patron.why_not;
  std::optional<Hold> hold;
  if (patron.may_act() && !item) {
    why_not = "No copy has this barcode";
  } else if (patron.may_act() && mode == "+") {
    NewHold wish;
    wish.user_id = patron.id();
    wish.pickup_branch_id = branch_;
    auto placing = services_.holds.place(item->book, std::move(wish), by_);
    auto placed = co_await std::move(placing);
    if (placed)
      hold = std::move(*placed);
    else
      why_not = placed.error().detail;
  } else if (patron.may_act() && mode == "-") {
    const auto open = std::ranges::find(patron.known->holds, item->book, &Hold::book_id);
    if (open == patron.known->holds.end()) {
      why_not = "You have no hold on this book";
    } else {
      auto cancelling = services_.holds.cancel(open->id, by_);
      auto cancelled = co_await std::move(cancelling);
      if (cancelled)
        hold = std::move(*cancelled);
      else
        why_not = cancelled.error().detail;
    }
  } else if (patron.may_act()) {
    why_not = "Holds can be placed and given up here, not changed";
  }
  auto out = reply(
      "16", fmt::format("{}{}{}", hold ? '1' : '0', flag(hold && hold->status == HoldStatus::ready), now()));
  if (hold && hold->position) out.add("BR", std::to_string(*hold->position));
  if (hold) out.add("BS", branch_code_);
  out.add("AA", patron.text).add("AB", barcode).add_if("AJ", item ? item->title : "");
  co_return std::move(out.add_if("AF", why_not));
}

}  // namespace

std::shared_ptr<sip2::Terminal> Sip2Desk::connected(std::string address) {
  return std::make_shared<SelfCheck>(services_, settings_, std::move(address));
}

}  // namespace lumina::borrows
