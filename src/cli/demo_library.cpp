#include "cli/demo_library.hpp"

#include "core/auth/account_rules.hpp"
#include "core/auth/email.hpp"
#include "core/auth/repository.hpp"
#include "core/security/password.hpp"
#include "modules/books/csv_reader.hpp"
#include "modules/books/demo_books.hpp"
#include "modules/books/importer.hpp"
#include "modules/reviews/repository.hpp"
#include "modules/reviews/sentiment_builtin.hpp"

#include <fmt/format.h>

#include <random>
#include <sstream>

namespace lumina::cli {
namespace {

constexpr std::string_view demo_password = "read more books";
constexpr std::int64_t day_ms = 86'400'000;

struct Person {
  std::string name, email;
};

// The lines of an embedded table after its header; the demo's names need no quoting.
std::vector<Person> people() {
  std::vector<Person> all;
  std::istringstream lines{std::string(books::demo_people_csv())};
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const auto comma = line.find(',');
    const auto second = line.find(',', comma + 1);
    if (comma == std::string::npos) continue;
    all.push_back({line.substr(0, comma), line.substr(comma + 1, second - comma - 1)});
  }
  return all;
}

// mood and part ("positive opener") to its sentences.
std::map<std::string, std::vector<std::string>> phrases() {
  std::map<std::string, std::vector<std::string>> all;
  std::istringstream lines{std::string(books::demo_review_phrases())};
  std::string line, section;
  while (std::getline(lines, line)) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[')
      section = line.substr(1, line.find(']') - 1);
    else
      all[section].push_back(line);
  }
  return all;
}

std::size_t pick(std::mt19937_64& random, std::size_t n) { return static_cast<std::size_t>(random() % n); }

// Popular books come first in the list; the square favours them as readers do.
std::size_t favour_first(std::mt19937_64& random, std::size_t n) {
  const double u = static_cast<double>(random() % 1'000'000) / 1e6;
  return std::min(n - 1, static_cast<std::size_t>(u * u * static_cast<double>(n)));
}

// Half stars, mostly good, as ratings of libraries are.
double some_rating(std::mt19937_64& random) {
  static constexpr double ratings[] = {1, 1.5, 2, 2.5, 3, 3, 3.5, 4, 4, 4, 4.5, 4.5, 5, 5};
  return ratings[pick(random, std::size(ratings))];
}

std::string some_review(std::mt19937_64& random, double rating,
                        std::map<std::string, std::vector<std::string>>& phrases) {
  const std::string mood = rating >= 4 ? "positive" : rating >= 3 ? "neutral" : "negative";
  std::string text;
  for (const char* part : {" opener", " middle", " closer"}) {
    const auto& choices = phrases[mood + part];
    if (choices.empty()) continue;
    if (!text.empty()) text += ' ';
    text += choices[pick(random, choices.size())];
  }
  return text;
}

void add_books(App& app, std::int64_t count) {
  std::string table;
  std::istringstream lines{std::string(books::demo_books_csv())};
  std::string line;
  for (std::int64_t i = 0; i <= count && std::getline(lines, line); ++i) table += line + "\n";
  std::istringstream in(table);
  auto report =
      app.importer().run(in, "demo.csv", {}, Caller::system("demo"), [](std::size_t) { return true; });
  if (!report) throw std::runtime_error(report.error().detail);
}

std::vector<UserId> add_people(App& app, std::int64_t count) {
  // One hash for all: hashing fifty times would take longer than everything else.
  const auto hash = security::PasswordHasher(static_cast<int>(app.config().bcrypt_cost)).hash(demo_password);
  const auto all = people();
  auto work = [&](db::Transaction& tx) {
    auth::UserRepository accounts(tx);
    std::vector<UserId> users;
    for (std::size_t i = 0; i < all.size() && static_cast<std::int64_t>(i) < count; ++i) {
      if (const auto known = accounts.find_by_email(auth::email_key(all[i].email)))
        users.push_back(known->id);
      else
        users.push_back(*accounts.insert(auth::account_row(all[i].email, all[i].name, hash, Role::patron),
                                         app.clock().now()));
    }
    return users;
  };
  return *app.database().write_now(std::move(work));
}

// Loans of the last year, most of them returned and half of those reviewed. Once: a library with loans is
// left alone.
std::pair<int, int> add_history(App& app, const std::vector<UserId>& users, std::uint64_t seed) {
  auto texts = phrases();
  const reviews::BuiltinSentiment analyzer;
  auto work = [&](db::Transaction& tx) {
    std::mt19937_64 random(seed);
    int loans = 0, written = 0;
    if (tx.one<std::int64_t>("SELECT 1 FROM borrows LIMIT 1")) return std::pair{0, 0};
    struct Shelf {
      BookId book;
      CopyId copy;
      bool out = false;
    };
    std::vector<Shelf> shelf;
    tx.each<BookId, CopyId>(
        [&](BookId book, CopyId copy) { shelf.push_back({book, copy}); },
        "SELECT c.book_id, min(c.id) FROM copies c JOIN books b ON b.id = c.book_id "
        "WHERE b.deleted_at IS NULL AND c.status = 'available' GROUP BY c.book_id ORDER BY c.book_id");
    if (shelf.empty()) return std::pair{0, 0};
    reviews::ReviewRepository reviews(tx);
    const auto now = app.clock().now();
    for (const UserId user : users) {
      std::vector<std::size_t> read;
      const int many = 8 + static_cast<int>(random() % 17);
      for (int i = 0; i < many; ++i) {
        const std::size_t at = favour_first(random, shelf.size());
        if (std::find(read.begin(), read.end(), at) != read.end() || shelf[at].out) continue;
        read.push_back(at);
        Shelf& s = shelf[at];
        const bool open = i + 1 == many;
        const std::int64_t ago =
            open ? static_cast<std::int64_t>(random() % 18) : 20 + static_cast<std::int64_t>(random() % 340);
        const Timestamp from{now.ms - ago * day_ms - static_cast<std::int64_t>(random() % 36'000'000)};
        const Timestamp due{from.ms + 14 * day_ms};
        std::optional<Timestamp> back;
        if (!open)
          back = Timestamp{
              std::min(now.ms - 1000, from.ms + (2 + static_cast<std::int64_t>(random() % 14)) * day_ms)};
        tx.execute(
            "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date, return_date, status) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            user, s.book, s.copy, from, due, back, open ? "active" : "returned");
        s.out = open;
        tx.execute(
            "UPDATE book_stats SET total_borrows = total_borrows + 1, active_borrows = active_borrows + $2, "
            "copies_available = copies_available - $2 WHERE book_id = $1",
            s.book, open ? 1 : 0);
        ++loans;
        if (open || random() % 2 == 0) continue;
        const double rating = some_rating(random);
        const auto text = some_review(random, rating, texts);
        const auto id = reviews.insert(user, {s.book, text, rating}, analyzer.analyze(text, rating), *back);
        if (!id) continue;
        reviews.count(*reviews.find(*id), 1);
        ++written;
      }
    }
    return std::pair{loans, written};
  };
  return *app.database().write_now(std::move(work));
}

}  // namespace

void load_demo_library(App& app, DemoSize size, const std::function<void(std::string_view)>& say) {
  add_books(app, size.books);
  const auto users = add_people(app, size.users);
  const auto [loans, written] = add_history(app, users, size.seed);
  if (loans > 0)
    say(fmt::format("demo library: {} loans and {} reviews of {} people", loans, written, users.size()));
  else
    say("demo library: it is there already");
}

void print_demo_hints(const config::Config& config, std::uint16_t port) {
  const auto first = people().front();
  const std::string url = fmt::format("http://{}:{}", config.http_addr.front().host, port);
  fmt::print(
      "\nThe demo library is loaded. Try:\n"
      "  curl '{0}/api/v1/books?q=austen&limit=3'\n"
      "  curl -X POST {0}/api/v1/auth/login -H 'Content-Type: application/json' \\\n"
      "    -d '{{\"email\":\"{1}\",\"password\":\"{2}\"}}'\n"
      "  and every request of {0}/docs\n\n",
      url, first.email, demo_password);
  std::fflush(stdout);
}

}  // namespace lumina::cli
