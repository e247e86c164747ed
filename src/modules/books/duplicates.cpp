#include "modules/books/duplicates.hpp"

#include "modules/books/record_repository.hpp"
#include "modules/books/repository.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>

namespace lumina::books {
namespace {

constexpr double same = 1.0, subtitle = 0.85, one_slip = 0.8, two_slips = 0.75, other_isbn = 0.6;
constexpr std::size_t longest_compared = 200;   // bytes of a title
constexpr std::size_t most_of_an_author = 500;  // titles compared with each other

struct Title {
  BookId id;
  std::string match, title, isbn;
};

// Insertions, deletions, substitutions and swaps of neighbours; more than `most` is `most` + 1.
int slips(std::string_view a, std::string_view b, int most) {
  if (std::abs(static_cast<int>(a.size()) - static_cast<int>(b.size())) > most) return most + 1;
  std::array<std::array<int, longest_compared + 1>, 3> rows{};
  std::iota(rows[0].begin(), rows[0].end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& before = rows[(i + 1) % 3];
    row[0] = static_cast<int>(i);
    int least = row[0];
    for (std::size_t k = 1; k <= b.size(); ++k) {
      row[k] = std::min({above[k] + 1, row[k - 1] + 1, above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1)});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
        row[k] = std::min(row[k], before[k - 2] + 1);
      least = std::min(least, row[k]);
    }
    if (least > most) return most + 1;
  }
  return rows[a.size() % 3][b.size()];
}

std::string_view without_subtitle(std::string_view title) {
  const auto end = title.find_first_of(":;(");
  auto head = title.substr(0, end);
  while (head.ends_with(' ')) head.remove_suffix(1);
  return head;
}

bool ends_in_number(std::string_view title) {
  return !title.empty() && title.back() >= '0' && title.back() <= '9';
}

double likeness(const Title& a, const Title& b) {
  if (a.match == b.match) return !a.isbn.empty() && !b.isbn.empty() && a.isbn != b.isbn ? other_isbn : same;
  const double by_title = title_likeness(a.title, b.title);
  // Two numbers are two editions, whatever their titles.
  return !a.isbn.empty() && !b.isbn.empty() ? std::min(by_title, other_isbn) : by_title;
}

// Books that belong together by pairs: a forest.
class Groups {
 public:
  explicit Groups(std::size_t n) : parent_(n), score_(n, 1.0) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b, double score) {
    a = root(a), b = root(b);
    if (a != b) parent_[b] = a;
    score_[a] = std::min({score_[a], score_[b], score});
  }
  double score(std::size_t i) { return score_[root(i)]; }

 private:
  std::vector<std::size_t> parent_;
  std::vector<double> score_;
};

class Finder {
 public:
  Finder(double least, std::set<std::pair<BookId, BookId>> different)
      : least_(least), different_(std::move(different)) {}

  // All books of one author.
  void compare(std::vector<Title>& books) {
    if (books.size() < 2) return;
    std::ranges::sort(books, {}, [](const Title& t) { return std::pair(t.title, t.id); });
    Groups groups(books.size());
    bool any = false;
    // Of an author with very many titles only neighbours in the alphabet.
    const std::size_t reach = books.size() > most_of_an_author ? 20 : books.size();
    for (std::size_t i = 0; i < books.size(); ++i)
      for (std::size_t k = i + 1; k < std::min(books.size(), i + reach); ++k) {
        const double score = likeness(books[i], books[k]);
        if (score < least_ || score == 0 || different_.contains(std::minmax(books[i].id, books[k].id)))
          continue;
        groups.join(i, k, score);
        any = true;
      }
    if (!any) return;
    std::map<std::size_t, std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < books.size(); ++i) members[groups.root(i)].push_back(i);
    for (const auto& [root, places] : members) {
      if (places.size() < 2) continue;
      DuplicateGroup group;
      group.score = groups.score(root);
      group.reason = group.score == same         ? "same_record"
                     : group.score == other_isbn ? "same_title_other_isbn"
                                                 : "similar_title";
      for (const auto place : places) {
        DuplicateBook book;
        book.id = books[place].id;
        group.books.push_back(std::move(book));
      }
      std::ranges::sort(group.books, {}, &DuplicateBook::id);
      found.push_back(std::move(group));
    }
  }

  std::vector<DuplicateGroup> found;

 private:
  double least_;
  std::set<std::pair<BookId, BookId>> different_;
};

}  // namespace

double title_likeness(std::string_view a, std::string_view b) {
  if (a == b) return same;
  const auto short_a = without_subtitle(a), short_b = without_subtitle(b);
  if (short_a.size() >= 4 && (short_a == b || short_b == a)) return subtitle;
  // Volumes differ by a number; short titles by a letter.
  const auto shorter = std::min(a.size(), b.size());
  if (shorter < 8 || std::max(a.size(), b.size()) > longest_compared) return 0;
  if (ends_in_number(a) || ends_in_number(b)) return 0;
  const int n = slips(a, b, 2);
  if (n == 1) return one_slip;
  return n == 2 && shorter >= 14 ? two_slips : 0;
}

std::vector<DuplicateGroup> find_duplicates(db::Transaction& tx, double least) {
  const auto pairs = RecordRepository(tx).all_different();
  Finder finder(least, {pairs.begin(), pairs.end()});
  std::string author;
  std::vector<Title> titles;
  tx.each<std::string, BookId, std::string, std::string, std::optional<std::string>>(
      [&](std::string name, BookId id, std::string match, std::string title,
          std::optional<std::string> isbn) {
        if (name != author) {
          finder.compare(titles);
          titles.clear();
          author = std::move(name);
        }
        titles.push_back({id, std::move(match), std::move(title), isbn.value_or("")});
      },
      "SELECT author_match, id, match_key, title_key, isbn FROM books WHERE deleted_at IS NULL ORDER BY "
      "author_match, id");
  finder.compare(titles);
  std::ranges::sort(finder.found, {}, [](const DuplicateGroup& group) {
    return std::pair(-group.score, group.books.front().id);
  });
  return std::move(finder.found);
}

void fill_duplicates(db::Transaction& tx, std::vector<DuplicateGroup>& groups) {
  BookRepository books(tx);
  for (auto& group : groups)
    for (auto& book : group.books)
      if (auto found = books.find(book.id)) {
        book.title = std::move(found->title);
        book.author = std::move(found->author);
        book.isbn = std::move(found->isbn);
        book.year_published = found->year_published;
        book.copies_total = found->copies_total;
      }
}

}  // namespace lumina::books
