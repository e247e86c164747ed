// How well and how fast the catalogue's search ranks.
//
//   bench_search_quality [DATA]      default ../shared/data; passes over what is not there
//
// 1. CACM (3,204 abstracts, 52 questions with judgements): nDCG@10 and MAP of the search as it is served and
// of
//    a plain BM25 (k1 1.2, b .75, English stems, one field, no more) written out below.
// 2. Known items: titles of the Gutenberg catalogue taken by a fixed rule, exactly and with one slip of the
//    finger; MRR@10.
// 3. Memory and time with 100,000 books: the catalogue, then varied copies of it.
#include "core/base/text.hpp"
#include "core/search/plan.hpp"
#include "core/text/words.hpp"
#include "modules/books/csv_reader.hpp"
#include "modules/books/search_document.hpp"
#include "modules/books/search_run.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <unordered_map>

using namespace lumina;
using namespace lumina::books;

namespace {

using Judgements = std::map<int, std::set<std::int64_t>>;
using Ranked = std::vector<std::int64_t>;

struct Quality {
  double ndcg = 0, map = 0;
};

Quality quality_of(const Ranked& ranked, const std::set<std::int64_t>& relevant) {
  double dcg = 0, ideal = 0, precision = 0, found = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    if (!relevant.contains(ranked[i])) continue;
    if (i < 10) dcg += 1 / std::log2(static_cast<double>(i) + 2);
    precision += ++found / static_cast<double>(i + 1);
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(10, relevant.size()); ++i)
    ideal += 1 / std::log2(static_cast<double>(i) + 2);
  return {dcg / ideal, precision / static_cast<double>(relevant.size())};
}

// The yardstick.
class PlainBm25 {
 public:
  void add(std::int64_t id, const std::string& text) {
    auto& counts = documents_[id];
    for (auto& term : text::terms(text, "en")) ++counts[term.text], ++lengths_[id], ++total_;
    for (const auto& [term, n] : counts) ++with_[term];
  }
  Ranked rank(const std::string& query) const {
    std::set<std::string> terms;
    for (auto& term : text::terms(query, "en")) terms.insert(term.text);
    const auto n = static_cast<double>(documents_.size());
    const double usual = static_cast<double>(total_) / n;
    std::vector<std::pair<double, std::int64_t>> scores;
    for (const auto& [id, counts] : documents_) {
      double score = 0;
      for (const auto& term : terms) {
        const auto it = counts.find(term);
        if (it == counts.end()) continue;
        const auto df = static_cast<double>(with_.at(term));
        const double tf = it->second, length = static_cast<double>(lengths_.at(id));
        score +=
            std::log(1 + (n - df + .5) / (df + .5)) * tf * 2.2 / (tf + 1.2 * (.25 + .75 * length / usual));
      }
      if (score > 0) scores.emplace_back(-score, id);
    }
    std::ranges::sort(scores);
    Ranked out;
    for (const auto& [score, id] : scores) out.push_back(id);
    return out;
  }

 private:
  std::map<std::int64_t, std::unordered_map<std::string, int>> documents_;
  std::unordered_map<std::string, int> with_;
  std::unordered_map<std::int64_t, std::int64_t> lengths_;
  std::int64_t total_ = 0;
};

Ranked ranked_by_search(const search::SnapshotPtr& snapshot, const std::string& q, std::int64_t most) {
  SearchQuery query;
  query.q = q;
  query.limit = most;
  Ranked out;
  const auto found = run_search(snapshot, {}, query);
  if (!found) return out;
  for (const auto& book : found->books) out.push_back(book.id.value);
  return out;
}

void cacm(const std::filesystem::path& folder) {
  std::ifstream documents(folder / "docs.jsonl"), queries(folder / "queries.tsv"),
      qrels(folder / "qrels.tsv");
  if (!documents) return fmt::print("CACM passed over: no {}\n", (folder / "docs.jsonl").string());
  search::Index index(search_schema());
  PlainBm25 plain;
  std::vector<search::Document> all;
  for (std::string line; std::getline(documents, line);) {
    const auto doc = boost::json::parse(line);
    IndexedBook b;
    b.id = {doc.at("id").as_int64()};
    b.title = doc.at("title").as_string();
    b.author = doc.at("author").as_string();
    b.description = std::string(doc.at("text").as_string());
    b.language = "en";
    plain.add(b.id.value, b.title + "\n" + b.author + "\n" + *b.description);
    all.push_back(document_of(b));
  }
  index.put(std::move(all));
  Judgements relevant;
  for (std::string line; std::getline(qrels, line);) {
    std::istringstream in(line);
    int query = 0, grade = 0;
    std::int64_t id = 0;
    in >> query >> id >> grade;
    if (grade > 0) relevant[query].insert(id);
  }
  Quality ours, theirs;
  double n = 0;
  for (std::string line; std::getline(queries, line);) {
    const int number = std::stoi(line);
    const std::string text = line.substr(line.find('\t') + 1);
    if (!relevant.contains(number)) continue;
    ++n;
    const auto a = quality_of(ranked_by_search(index.snapshot(), text, 4000), relevant[number]);
    const auto b = quality_of(plain.rank(text), relevant[number]);
    ours.ndcg += a.ndcg, ours.map += a.map;
    theirs.ndcg += b.ndcg, theirs.map += b.map;
  }
  fmt::print(
      "CACM, {} questions      nDCG@10     MAP\n  plain BM25              {:.3f}    {:.3f}\n"
      "  search                  {:.3f}    {:.3f}\n",
      n, theirs.ndcg / n, theirs.map / n, ours.ndcg / n, ours.map / n);
}

std::vector<IndexedBook> gutenberg(const std::filesystem::path& folder) {
  std::vector<IndexedBook> out;
  const auto packed = folder / "catalogue.csv.gz";
  if (!std::filesystem::exists(packed)) return out;
  const auto plain = std::filesystem::temp_directory_path() / "bench_search_quality.csv";
  if (std::system(fmt::format("zcat '{}' >'{}'", packed.string(), plain.string()).c_str()) != 0) return out;
  std::stringstream text;
  text << std::ifstream(plain).rdbuf();
  CsvReader reader(',');
  reader.feed(text.view());
  reader.finish();
  bool first = true;
  while (auto row = reader.next()) {
    if (!*row) continue;
    const auto& cells = (*row)->fields;
    if (std::exchange(first, false) || cells.size() < 5 || cells[1].empty()) continue;
    IndexedBook b;
    b.id = {static_cast<std::int64_t>(out.size()) + 1};
    b.title = std::string(utf8_prefix(cells[1], 500));
    b.author = cells[2].empty() ? "Anonymous" : std::string(utf8_prefix(cells[2], 255));
    b.language = cells[3].substr(0, 2);
    std::istringstream shelves(cells[4]);
    for (std::string shelf; std::getline(shelves, shelf, '/');) {
      if (shelf.starts_with("Category: ")) shelf = shelf.substr(10);
      if (!shelf.empty()) b.tags.push_back(shelf);
    }
    if (!b.tags.empty()) b.genre = b.tags.back();
    b.year_published = 1700 + static_cast<int>(out.size() % 300);
    out.push_back(std::move(b));
  }
  std::filesystem::remove(plain);
  return out;
}

// One letter left out, put in, replaced or swapped, in the longest word.
std::string with_slip(const std::string& query, std::mt19937& random) {
  const auto words = text::words(query);
  const auto longest = std::ranges::max_element(words, {}, [](const auto& w) { return w.text.size(); });
  std::string word(longest->text);
  const auto at = 1 + random() % (word.size() - 1);
  const char letter = static_cast<char>('a' + random() % 26);
  switch (random() % 4) {
    case 0:
      word.erase(at, 1);
      break;
    case 1:
      word.insert(at, 1, letter);
      break;
    case 2:
      word[at] = letter == word[at] ? 'q' : letter;
      break;
    default:
      std::swap(word[at - 1], word[at]);
  }
  return query.substr(0, longest->begin) + word + query.substr(longest->end);
}

void known_items(const std::vector<IndexedBook>& books, const search::SnapshotPtr& snapshot, int wanted) {
  std::mt19937 random(20261122);
  double exact = 0, slipped = 0, title_only = 0;
  int n = 0;
  // Every book at a fixed step whose title has three words of four letters, all ASCII, and whose author has a
  // surname. Wanted is any book of that title and author: editions cannot be told apart by them.
  const auto step = books.size() / static_cast<std::size_t>(wanted * 3);
  for (std::size_t i = 0; i < books.size() && n < wanted; i += step) {
    const auto& b = books[i];
    const auto words = text::words(b.title);
    const auto long_words = std::ranges::count_if(words, [](const auto& w) { return w.text.size() >= 4; });
    const auto longest =
        words.empty() ? 0
                      : std::ranges::max(words, {}, [](const auto& w) { return w.text.size(); }).text.size();
    const bool ascii =
        std::ranges::all_of(b.title + b.author, [](char c) { return static_cast<unsigned char>(c) < 128; });
    if (long_words < 3 || longest < 5 || !ascii || b.author.find(',') == std::string::npos) continue;
    if (b.title.find_first_of("\"():*-") != std::string::npos) continue;
    const auto cut = words[std::min<std::size_t>(words.size(), 6) - 1].end;
    const std::string title = b.title.substr(0, cut);
    const std::string query = title + " " + b.author.substr(0, b.author.find(','));
    const auto reciprocal = [&](const std::string& q) {
      const auto ranked = ranked_by_search(snapshot, q, 10);
      for (std::size_t r = 0; r < ranked.size(); ++r) {
        const auto& hit = books[static_cast<std::size_t>(ranked[r] - 1)];
        if (hit.author == b.author && hit.title.starts_with(title)) return 1 / static_cast<double>(r + 1);
      }
      return 0.0;
    };
    exact += reciprocal(query);
    title_only += reciprocal(title);
    slipped += reciprocal(with_slip(query, random));
    ++n;
  }
  fmt::print(
      "Known items, {} of {} books   MRR@10\n  title and surname       {:.3f}\n  with one slip           "
      "{:.3f}\n"
      "  title alone             {:.3f}\n",
      n, books.size(), exact / n, slipped / n, title_only / n);
}

double milliseconds(auto&& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

void times(std::string_view what, std::vector<double> all) {
  std::ranges::sort(all);
  const auto at = [&](double share) {
    return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
  };
  fmt::print("  {:<24}{:>8.2f}{:>8.2f}{:>8.2f}\n", what, at(.5), at(.95), at(.99));
}

void speed(std::vector<IndexedBook> books) {
  const auto real = books.size();
  while (books.size() < 100'000) {
    auto copy = books[books.size() % real];
    copy.id = {static_cast<std::int64_t>(books.size()) + 1};
    copy.title += " " + fmt::format("{:x}", books.size());
    books.push_back(std::move(copy));
  }
  search::Index index(search_schema());
  const double built = milliseconds([&] {
    for (std::size_t i = 0; i < books.size(); i += 2000) {
      std::vector<search::Document> batch;
      for (auto k = i; k < std::min(books.size(), i + 2000); ++k) batch.push_back(document_of(books[k]));
      index.put(std::move(batch), false);
    }
    index.settle();
  });
  const auto snapshot = index.snapshot();
  fmt::print("{} books: built in {:.0f} ms, {} terms, {:.0f} bytes a book\n", snapshot->documents, built,
             snapshot->terms(),
             static_cast<double>(snapshot->memory()) / static_cast<double>(snapshot->documents));
  std::mt19937 random(7);
  std::map<std::string, std::vector<double>> all;
  std::vector<double> mixed;
  for (int round = 0; round < 300; ++round) {
    const auto& b = books[random() % real];
    const auto words = text::words(b.title);
    if (words.size() < 3) continue;
    const std::string one(words[0].text), two = one + " " + std::string(words[1].text);
    const auto slip = with_slip(b.title.substr(0, words[2].end) + " abcdefgh", random);
    const std::vector<std::pair<std::string, SearchQuery>> kinds = {
        {"one word",
         [&] {
           SearchQuery q;
           q.q = one;
           return q;
         }()},
        {"two words",
         [&] {
           SearchQuery q;
           q.q = two;
           return q;
         }()},
        {"title",
         [&] {
           SearchQuery q;
           q.q = b.title;
           return q;
         }()},
        {"title, a slip",
         [&] {
           SearchQuery q;
           q.q = slip;
           return q;
         }()},
        {"word, five facets",
         [&] {
           SearchQuery q;
           q.q = one;
           q.facets = {FacetName::genre, FacetName::author, FacetName::language, FacetName::year,
                       FacetName::tag};
           return q;
         }()},
        {"everything by title",
         [&] {
           SearchQuery q;
           q.sort = "title";
           return q;
         }()},
        {"two an author", [&] {
           SearchQuery q;
           q.q = two;
           q.max_per = "author:2";
           return q;
         }()}};
    for (const auto& [name, query] : kinds) {
      if (name == "everything by title" && round % 20 != 0) continue;
      const double took = milliseconds([&] { (void)run_search(snapshot, {}, query); });
      all[name].push_back(took);
      mixed.push_back(took);
    }
    all["suggest, 1-4 letters"].push_back(
        milliseconds([&] { (void)run_suggest(snapshot, one.substr(0, 1 + random() % 4), 10); }));
    IndexedBook fresh = b;
    fresh.id = {static_cast<std::int64_t>(200'000 + round)};
    all["one book put in"].push_back(milliseconds([&] { index.put({document_of(fresh)}); }));
  }
  fmt::print("Milliseconds                 p50     p95     p99\n");
  for (const auto& [name, t] : all) times(name, t);
  times("all searches", mixed);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path data = argc > 1 ? argv[1] : "../shared/data";
  cacm(data / "search" / "cacm");
  const auto books = gutenberg(data / "catalogue" / "gutenberg");
  if (books.empty()) {
    fmt::print("Known items and times passed over: no {}\n", (data / "catalogue" / "gutenberg").string());
    return 0;
  }
  search::Index index(search_schema());
  std::vector<search::Document> all;
  for (const auto& b : books) all.push_back(document_of(b));
  index.put(std::move(all));
  known_items(books, index.snapshot(), 500);
  speed(books);
}
