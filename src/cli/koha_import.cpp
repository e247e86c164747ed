#include "cli/koha_import.hpp"

#include "cli/koha_table.hpp"
#include "core/auth/account_rules.hpp"
#include "core/auth/email.hpp"
#include "core/auth/repository.hpp"
#include "core/base/text.hpp"
#include "core/db/connection.hpp"
#include "core/db/joined.hpp"
#include "core/mail/account_mails.hpp"
#include "core/runtime/block_on.hpp"
#include "core/security/random.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/normalize.hpp"
#include "modules/books/repository.hpp"
#include "modules/borrows/branch_service.hpp"
#include "modules/borrows/copy_repository.hpp"
#include "modules/borrows/copy_service.hpp"
#include "modules/borrows/rule_repository.hpp"
#include "modules/borrows/rule_service.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

namespace lumina::cli {
namespace {

constexpr std::size_t rows_at_once = 200, most_faults = 1000;
// bcrypt hashes nothing to this, so no password opens the account before a reset.
constexpr std::string_view no_password = "!";

enum class Outcome : std::uint8_t { created, updated, unchanged };
using Taken = Result<Outcome>;

Failure refused(std::string why) { return fail(ErrorKind::refused, "refused", std::move(why)); }

std::string sentence(const Error& error) {
  std::string text = error.detail;
  for (const auto& f : error.fields)
    text += fmt::format("; {} {}", f.loc.empty() ? "" : f.loc.back(), f.message);
  return text;
}

class Move {
 public:
  Move(App& app, const KohaFiles& files, KohaMapping mapping)
      : app_(app),
        files_(files),
        mapping_(std::move(mapping)),
        zone_(TimeZone::find(mapping_.time_zone.value_or(app.config().time_zone)).value_or(TimeZone::utc())) {
  }

  Result<KohaReport> run() {
    if (!files_.dry_run) {
      if (auto done = all(); !done) return Failure(std::move(done.error()));
      return std::move(report_);
    }
    // Later files need what the earlier ones brought, so one transaction holds all of them.
    Status done;
    auto work = [&](db::Transaction& tx) -> Status {
      report_ = {};
      db::Joined joined(app_.database(), tx);
      done = all();
      joined.rethrow_broken();
      return refused("a dry run");
    };
    auto taken_back = app_.database().write_now(std::move(work));
    if (!done) return Failure(std::move(done.error()));
    if (taken_back.error().code != "refused") return Failure(std::move(taken_back.error()));
    return std::move(report_);
  }

 private:
  using Step = Taken (Move::*)(db::Transaction&, const KohaRow&);

  Status all() {
    if (auto done = file("patrons", files_.patrons, {"card_number", "last_name"}, &Move::patron); !done)
      return done;
    if (auto done = file("items", files_.items, {"barcode", "title"}, &Move::item); !done) return done;
    return file("loans", files_.loans, {"card_number", "barcode", "lent", "due"}, &Move::loan);
  }

  Status file(const std::string& what, const std::string& path, const std::vector<std::string>& needed,
              Step step) {
    if (path.empty()) return {};
    KohaCount count{what};
    std::vector<KohaRow> waiting;
    Status stored;
    const auto store = [&] {
      if (stored && !waiting.empty()) stored = take(what, waiting, step, count);
      waiting.clear();
    };
    auto read = read_koha(
        path, mapping_.columns.find(what)->second, needed,
        [&](const KohaRow& row) {
          ++count.rows;
          waiting.push_back(row);
          if (waiting.size() == rows_at_once) store();
        },
        [&](std::size_t line, std::string why) {
          ++count.rows;
          fault(what, line, std::move(why), count);
        });
    if (!read) return read;
    store();
    report_.counts.push_back(std::move(count));
    return stored;
  }

  void fault(const std::string& what, std::size_t line, std::string why, KohaCount& count) {
    ++count.refused;
    if (report_.faults.size() < most_faults) report_.faults.push_back({what, line, std::move(why)});
  }

  // One transaction for many rows, each with a savepoint of its own.
  Status take(const std::string& what, const std::vector<KohaRow>& rows, Step step, KohaCount& count) {
    std::vector<Taken> outcomes;
    std::int64_t invited = 0;
    auto work = [&](db::Transaction& outer) -> Status {
      outcomes.clear();
      invited_ = 0;
      db::Joined joined(app_.database(), outer);
      for (const auto& row : rows) {
        auto one = [&](db::Transaction& tx) { return (this->*step)(tx, row); };
        outcomes.push_back(app_.database().write_now(std::move(one)));
      }
      joined.rethrow_broken();
      invited = invited_;
      return {};
    };
    if (auto done = app_.database().write_now(std::move(work)); !done) return done;
    report_.invited += invited;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!outcomes[i])
        fault(what, rows[i].line(), sentence(outcomes[i].error()), count);
      else
        ++(*outcomes[i] == Outcome::created   ? count.created
           : *outcomes[i] == Outcome::updated ? count.updated
                                              : count.unchanged);
    }
    return {};
  }

  Taken patron(db::Transaction& tx, const KohaRow& row) {
    const std::string card = row["card_number"];
    if (card.empty() || utf8_length(card) > 40) return refused("the card number is missing or too long");
    std::string name = auth::clean_name(row["first_name"] + " " + row["last_name"]);
    if (name.empty() || utf8_length(name) > 255) return refused("the name is missing or too long");
    std::string email = row["email"];
    if (email.empty() && !mapping_.email_domain.empty()) email = card + "@" + mapping_.email_domain;
    if (email.empty()) return refused("there is no e-mail address; options.email_domain can stand in");
    if (!auth::is_email(email)) return refused(fmt::format("{} is no e-mail address", email));

    auth::UserRepository users(tx);
    const auto holder = tx.one<UserId>("SELECT user_id FROM library_cards WHERE card_number = $1", card);
    auto account = holder ? users.find(std::get<0>(*holder)) : users.find_by_email(auth::email_key(email));
    Outcome outcome = Outcome::unchanged;
    const Timestamp now = app_.clock().now();
    if (!account) {
      const auto id =
          users.insert(auth::account_row(email, name, std::string(no_password), Role::patron), now);
      if (!id) return refused(fmt::format("{} belongs to another account", email));
      outcome = Outcome::created;
      record(tx, "user.registered", *id);
      if (files_.invite && !row["email"].empty() && app_.account_mails().invite(tx, email, by_)) ++invited_;
      account = users.find(*id);
    } else if (account->full_name != name) {
      users.set_name(account->id, name, auth::name_key(name), now);
      outcome = Outcome::updated;
      record(tx, "user.updated", account->id);
    }
    const auto category = mapping_.code("categories", row["category"]);
    if (category) {
      if (auto made = known_category(tx, *category); !made) return Failure(std::move(made.error()));
    }
    const auto before = borrows::RuleRepository(tx).find_patron(account->id);
    if (before && before->card_number && *before->card_number != card)
      return refused(fmt::format("{} belongs to the card {}", email, *before->card_number));
    if (!before || before->card_number != card || (category && before->category != category)) {
      auto set = runtime::block_on(app_.rule_setting().set_patron(account->id,
                                                                  {category ? category
                                                                   : before ? before->category
                                                                            : std::nullopt,
                                                                   card},
                                                                  by_));
      if (!set) return Failure(std::move(set.error()));
      if (outcome == Outcome::unchanged) outcome = Outcome::updated;
    }
    return outcome;
  }

  Status known_category(db::Transaction& tx, const std::string& code) {
    if (borrows::RuleRepository(tx).find_category(code)) return {};
    auto made = runtime::block_on(app_.rule_setting().create_category({code, code, std::nullopt}, by_));
    return made ? Status{} : Status(Failure(std::move(made.error())));
  }

  Result<std::optional<borrows::BranchId>> branch(db::Transaction& tx, const std::string& given) {
    const auto code = mapping_.code("branches", given);
    if (!code) return std::nullopt;
    const auto known =
        tx.one<borrows::BranchId>("SELECT id FROM branches WHERE code = $1 AND deleted_at IS NULL", *code);
    if (known) return std::get<0>(*known);
    auto made = runtime::block_on(app_.branches().create({*code, *code, std::nullopt}, by_));
    if (!made) return Failure(std::move(made.error()));
    return made->id;
  }

  Result<BookId> book(db::Transaction& tx, const KohaRow& row) {
    books::NewBook wanted;
    wanted.title = row["title"];
    wanted.author = row["author"].empty() ? "Unknown" : row["author"];
    if (wanted.title.empty()) return refused("the title is missing");
    if (utf8_length(wanted.title) > 500 || utf8_length(wanted.author) > 255)
      return refused("the title or the author is too long");
    // Koha joins several by a bar.
    const std::string isbns = row["isbn"];
    for (std::size_t at = 0; at < isbns.size() && !wanted.isbn;) {
      const auto end = std::min(isbns.find('|', at), isbns.size());
      if (auto isbn = books::parse_imported_isbn(trim(isbns.substr(at, end - at)))) wanted.isbn = *isbn;
      at = end + 1;
    }
    const std::string year = row["year"];
    int number = 0;
    if (std::from_chars(year.data(), year.data() + year.size(), number).ec == std::errc{} && number > 0 &&
        number <= year_of(app_.clock().now()) + 1)
      wanted.year_published = number;
    if (const auto publisher = row["publisher"]; !publisher.empty() && utf8_length(publisher) <= 255)
      wanted.publisher = publisher;
    wanted.copies = 0;

    books::BookRepository known(tx);
    auto match = wanted.isbn ? known.find_by_isbn(*wanted.isbn) : std::nullopt;
    if (!match) {
      match = known.find_by_match_key(
          books::match_key(books::clean_line(wanted.title), books::clean_line(wanted.author)));
      if (match && wanted.isbn && known.find(*match)->isbn) match.reset();  // another edition
    }
    if (match) return *match;
    auto made = runtime::block_on(app_.books().create(std::move(wanted), by_));
    if (!made) return Failure(std::move(made.error()));
    return made->id;
  }

  Taken item(db::Transaction& tx, const KohaRow& row) {
    const std::string barcode = row["barcode"];
    if (barcode.empty()) return refused("the barcode is missing");
    if (borrows::CopyRepository(tx).find_by_barcode(barcode)) return Outcome::unchanged;
    const auto of = book(tx, row);
    if (!of) return Failure(of.error());
    const auto stands = branch(tx, row["branch"]);
    if (!stands) return Failure(stands.error());
    borrows::NewCopy wanted;
    wanted.barcode = barcode;
    wanted.branch_id = *stands;
    if (const auto location = row["location"]; !location.empty()) wanted.location = location;
    wanted.item_type = mapping_.code("item_types", row["item_type"]);
    auto made = runtime::block_on(app_.copies().add(*of, std::move(wanted), by_));
    if (!made) return Failure(std::move(made.error()));
    // Koha writes 0 for no, and its reasons as other numbers.
    static constexpr std::array<std::string_view, 3> gone{"withdrawn", "lost", "damaged"};
    for (const auto status : gone) {
      const auto flag = row[status];
      if (flag.empty() || flag == "0") continue;
      auto set = runtime::block_on(
          app_.copies().set_status(made->id, {std::string(status), "Moved in from Koha"}, by_));
      if (!set) return Failure(std::move(set.error()));
      break;
    }
    return Outcome::created;
  }

  Taken loan(db::Transaction& tx, const KohaRow& row) {
    const auto lent = koha_time(row["lent"], zone_, false), due = koha_time(row["due"], zone_, true);
    if (!lent || !due) return refused("the time of lending or of the due date cannot be read");
    const Timestamp now = app_.clock().now();
    if (*lent > now) return refused("the loan is of the future");
    if (*due <= *lent) return refused("it was due before it was lent");
    const auto person =
        tx.one<UserId>("SELECT user_id FROM library_cards WHERE card_number = $1", row["card_number"]);
    if (!person) return refused(fmt::format("nobody has the card {}", row["card_number"]));
    const auto copy = borrows::CopyRepository(tx).find_by_barcode(row["barcode"]);
    if (!copy) return refused(fmt::format("no copy has the barcode {}", row["barcode"]));
    std::optional<Timestamp> back;
    if (const auto returned = row["returned"]; !returned.empty()) {
      back = koha_time(returned, zone_, false);
      if (!back || *back < *lent || *back > now) return refused("the time of the return makes no sense");
    }
    const auto known = tx.one<BorrowId, std::optional<Timestamp>>(
        "SELECT id, return_date FROM borrows WHERE copy_id = $1 AND borrow_date = $2", copy->id, *lent);
    if (known && (std::get<1>(*known) || !back)) return Outcome::unchanged;
    if (!known) {
      auto made = app_.borrows().lend_copy(
          tx, {std::get<0>(*person), copy->id, *lent, *due, "Moved in from Koha"}, by_);
      if (!made) return Failure(std::move(made.error()));
    }
    if (back) {
      auto closed = app_.borrows().close_copy(tx, *copy, *back, by_);
      if (!closed) return Failure(std::move(closed.error()));
    }
    return known ? Outcome::updated : Outcome::created;
  }

  void record(db::Transaction& tx, std::string_view type, UserId user) {
    app_.journal().record(tx, by_,
                          {.type = type, .resource = "user", .resource_id = user.value, .subject = user});
  }

  App& app_;
  const KohaFiles& files_;
  const KohaMapping mapping_;
  const TimeZone zone_;
  const Caller by_ = Caller::system("koha-import");
  KohaReport report_;
  std::int64_t invited_ = 0;
};

// A copy of an SQLite database beside it, gone with the object. Made by a reader, so that everybody writes
// on.
class TrialCopy {
 public:
  explicit TrialCopy(const std::string& url)
      : path_(std::filesystem::absolute(url.substr(std::string_view("sqlite:").size())).string() + ".trial-" +
              security::fast_request_id()) {
    db::Connection connection(url, db::Connection::Access::write);
    db::Transaction(connection, false).execute("VACUUM INTO $1", path_.string());
  }
  ~TrialCopy() {
    std::error_code ignored;
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + part, ignored);
  }
  TrialCopy(const TrialCopy&) = delete;
  TrialCopy& operator=(const TrialCopy&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

Result<KohaReport> import_koha(App& app, const KohaFiles& files) {
  auto mapping = KohaMapping::read(files.mapping);
  if (!mapping) return Failure(std::move(mapping.error()));
  if (files.dry_run && app.database().dialect() == db::Dialect::sqlite) {
    const TrialCopy copy(app.database().url());
    auto config = app.config();
    config.database_url = "sqlite:///" + copy.path().string();
    App trial(std::move(config), std::shared_ptr<const Clock>(std::shared_ptr<void>(), &app.clock()));
    auto done = files;
    done.dry_run = false;
    return Move(trial, done, std::move(*mapping)).run();
  }
  return Move(app, files, std::move(*mapping)).run();
}

}  // namespace lumina::cli
