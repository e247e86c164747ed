#include "modules/recs/catalogue.hpp"

#include "core/text/fold.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>

namespace lumina::recs {
namespace {

constexpr std::size_t calls_between_sorts = 256;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 14695981039346656037ULL) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  seed ^= seed >> 33U;
  seed *= 0xff51afd7ed558ccdULL;
  return seed ^ (seed >> 33U);
}

// A number that ends `text`, after "#" or a word that announces one; `text` loses both.
std::optional<float> number_at_end(std::string_view& text) {
  auto start = text.size();
  while (start > 0 &&
         (std::isdigit(static_cast<unsigned char>(text[start - 1])) != 0 || text[start - 1] == '.'))
    --start;
  float number = 0;
  const auto digits = text.substr(start);
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || fault != std::errc() || end != digits.data() + digits.size() || number > 10'000)
    return {};
  auto before = trimmed(text.substr(0, start));
  bool announced = false;
  if (before.ends_with('#')) {
    before.remove_suffix(1);
    announced = true;
  }
  const auto folded = text::fold(before);
  for (const std::string_view word : {"book", "vol.", "vol", "volume", "part", "no.", "no", "band", "tome"}) {
    if (!folded.ends_with(word) || folded.size() != before.size()) continue;
    const auto rest = before.substr(0, before.size() - word.size());
    if (!rest.empty() && rest.back() != ' ' && rest.back() != ',') continue;
    before = rest;
    announced = true;
    break;
  }
  if (!announced) return {};
  before = trimmed(before);
  while (!before.empty() && (before.back() == ',' || before.back() == ';' || before.back() == ':'))
    before = trimmed(before.substr(0, before.size() - 1));
  text = before;
  return number;
}

template <class Key>
void drop(std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>& lists, Key key, std::uint32_t slot) {
  const auto found = lists.find(key);
  if (found == lists.end()) return;
  std::erase(found->second, slot);
  if (found->second.empty()) lists.erase(found);
}

}  // namespace

vector::EmbeddingText embedding_text(const BookText& book) {
  vector::EmbeddingText text;
  text.language = book.language;
  text.fields.emplace_back(3.0F, book.title);
  text.fields.emplace_back(3.0F, book.author);
  text.fields.emplace_back(2.0F, book.genre);
  for (const auto& tag : book.tags) text.fields.emplace_back(1.5F, tag);
  text.fields.emplace_back(1.0F, book.description);
  return text;
}

std::uint64_t digest_of(const BookText& book) {
  auto digest = hash_of(book.title);
  for (const auto* field : {&book.author, &book.genre, &book.description, &book.language})
    digest = hash_of(*field, digest * 31 + field->size());
  for (const auto& tag : book.tags) digest = hash_of(tag, digest * 31 + tag.size());
  return digest;
}

std::optional<SeriesPlace> series_of(std::string_view title) {
  title = trimmed(title);
  if (!title.ends_with(')')) return {};
  const auto open = title.rfind('(');
  if (open == std::string_view::npos) return {};
  auto inside = title.substr(open + 1, title.size() - open - 2);
  // "(Discworld, #1; Rincewind #1)": the first is the series itself.
  inside = trimmed(inside.substr(0, inside.find(';')));
  const auto number = number_at_end(inside);
  if (!number || inside.empty()) return {};
  return SeriesPlace{text::fold(inside), *number};
}

std::vector<std::string> authors_of(std::string_view line) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    name = trimmed(name);
    if (name.empty()) return;
    std::string plain;
    // "J.K. Rowling" and "J. K. Rowling" are one.
    for (const char c : text::fold(name))
      if (c == '.' || c == ' ') {
        if (!plain.empty() && plain.back() != ' ') plain += ' ';
      } else {
        plain += c;
      }
    while (!plain.empty() && plain.back() == ' ') plain.pop_back();
    if (!plain.empty() && std::ranges::find(names, plain) == names.end()) names.push_back(std::move(plain));
  };
  std::size_t from = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    const auto rest = line.substr(i);
    const bool sign = rest.empty() || rest.front() == ',' || rest.front() == ';' || rest.front() == '&';
    if (!sign && !rest.starts_with(" and ")) continue;
    add(line.substr(from, i - from));
    from = i + (sign ? 1 : 5);
  }
  return names;
}

std::uint64_t key_of(std::string_view name) {
  const auto folded = text::fold(trimmed(name));
  return folded.empty() ? 0 : hash_of(folded);
}

const Item* Catalogue::Table::find(std::int64_t id) const {
  const auto found = slots.find(id);
  if (found == slots.end() || !items[found->second].live) return nullptr;
  return &items[found->second];
}

Catalogue::Catalogue(std::shared_ptr<const vector::Embedder> embedder, std::shared_ptr<vector::Index> index,
                     std::span<const std::int64_t> first, std::span<const std::uint64_t> digests,
                     std::chrono::days popularity_half_life)
    : embedder_(std::move(embedder)),
      index_(index ? std::move(index)
                   : (embedder_ ? std::make_shared<vector::Index>(embedder_->dimensions()) : nullptr)),
      half_life_ms_(std::max(1.0, static_cast<double>(popularity_half_life.count())) * 86'400'000) {
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto slot = slot_of(first[i]);
    if (i < digests.size()) table_.items[slot].digest = digests[i];
  }
}

std::uint32_t Catalogue::slot_of(std::int64_t id) {
  const auto [at, fresh] = table_.slots.try_emplace(id, static_cast<std::uint32_t>(table_.items.size()));
  if (fresh) table_.items.emplace_back().id = id;
  return at->second;
}

bool Catalogue::needs_vector(const BookText& book) const {
  if (!index_) return false;
  const std::shared_lock lock(mutex_);
  const auto found = table_.slots.find(book.id);
  return found == table_.slots.end() || table_.items[found->second].digest != digest_of(book);
}

void Catalogue::put(const BookText& book) {
  if (needs_vector(book) && !index_->put(book.id, embedder_->embed(embedding_text(book))))
    index_->remove(book.id);  // nothing in its text is known now
  const std::unique_lock lock(mutex_);
  describe(book);
}

Status Catalogue::put_all(std::span<const BookText> books, const vector::Work& work) {
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < books.size(); ++i)
    if (needs_vector(books[i])) fresh.push_back(i);
  if (!fresh.empty()) {
    const auto dimensions = embedder_->dimensions();
    std::vector<std::int64_t> ids(fresh.size());
    std::vector<float> rows(fresh.size() * dimensions);
    const auto embedded =
        vector::for_pieces(fresh.size(), 64, work.part(0, 0.5), [&](std::size_t from, std::size_t to) {
          for (auto i = from; i < to; ++i) {
            ids[i] = books[fresh[i]].id;
            const auto row = embedder_->embed(embedding_text(books[fresh[i]]));
            std::ranges::copy(row, rows.begin() + static_cast<std::ptrdiff_t>(i * dimensions));
          }
        });
    if (!embedded) return vector::cancelled_failure();
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (std::ranges::all_of(std::span(rows).subspan(i * dimensions, dimensions),
                              [](float value) { return value == 0; }))
        index_->remove(ids[i]);
    if (auto status = index_->put_all(ids, rows, work.part(0.5, 1)); !status) return status;
  }
  {
    const std::unique_lock lock(mutex_);
    for (const auto& book : books) describe(book);
  }
  settle();
  return {};
}

void Catalogue::describe(const BookText& book) {
  const auto slot = slot_of(book.id);
  auto& item = table_.items[slot];
  const bool known = item.live;
  if (known) forget(slot);
  item.live = true;
  ++table_.living;
  item.authors.clear();
  for (const auto& author : authors_of(book.author)) item.authors.push_back(hash_of(author));
  item.author = item.authors.empty() ? 0 : item.authors.front();
  if (const auto place = series_of(book.title)) {
    item.series = hash_of(place->name, item.author);
    item.series_number = place->number;
  } else {
    item.series = 0;
  }
  item.genre = key_of(book.genre);
  item.genres.clear();
  if (item.genre != 0) item.genres.push_back(item.genre);
  for (const auto& tag : book.tags)
    if (const auto key = key_of(tag); key != 0 && std::ranges::find(item.genres, key) == item.genres.end())
      item.genres.push_back(key);
  item.digest = digest_of(book);
  for (const auto author : item.authors) table_.by_author[author].push_back(slot);
  if (item.series != 0) table_.by_series[item.series].push_back(slot);
  for (const auto genre : item.genres) table_.by_genre[genre].push_back(slot);
  // At the end until the next sort: nobody has read it yet. One that was removed kept its place.
  if (!known && std::ranges::find(table_.by_popularity, slot) == table_.by_popularity.end())
    table_.by_popularity.push_back(slot);
}

void Catalogue::forget(std::uint32_t slot) {
  auto& item = table_.items[slot];
  for (const auto author : item.authors) drop(table_.by_author, author, slot);
  if (item.series != 0) drop(table_.by_series, item.series, slot);
  for (const auto genre : item.genres) drop(table_.by_genre, genre, slot);
  item.live = false;
  --table_.living;
}

bool Catalogue::remove(std::int64_t id) {
  {
    const std::unique_lock lock(mutex_);
    const auto found = table_.slots.find(id);
    if (found == table_.slots.end() || !table_.items[found->second].live) return false;
    forget(found->second);
    table_.items[found->second].digest = 0;
  }
  if (index_) index_->remove(id);
  return true;
}

void Catalogue::count(std::int64_t book, float strength, Moment at, Moment now) {
  const auto found = table_.slots.find(book);
  if (found == table_.slots.end() || !(strength > 0)) return;
  // Instead of lowering all counts as time goes by, later signals count for more: twice with every half-life.
  static constexpr Moment epoch = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  const auto age = static_cast<double>((std::min(at, now) - epoch).count()) / half_life_ms_;
  table_.items[found->second].popularity +=
      static_cast<double>(strength) * std::exp2(std::clamp(age, -900.0, 900.0));
}

void Catalogue::observe(std::int64_t book, float strength, Moment at, Moment now) {
  {
    const std::unique_lock lock(mutex_);
    count(book, strength, at, now);
  }
  if (++observed_ % calls_between_sorts == 0) settle();
}

void Catalogue::observe_all(std::span<const Interaction> interactions, Moment now) {
  {
    const std::unique_lock lock(mutex_);
    for (const auto& one : interactions) count(one.book, one.strength, one.at, now);
  }
  settle();
}

void Catalogue::reset_popularity() {
  {
    const std::unique_lock lock(mutex_);
    for (auto& item : table_.items) item.popularity = 0;
  }
  settle();
}

void Catalogue::settle() {
  struct Famous {
    double popularity;
    std::int64_t id;
    std::uint32_t slot;
  };
  std::vector<Famous> order;
  {
    const std::shared_lock lock(mutex_);
    for (std::uint32_t slot = 0; slot < table_.items.size(); ++slot)
      if (table_.items[slot].live)
        order.push_back({table_.items[slot].popularity, table_.items[slot].id, slot});
  }
  std::ranges::sort(order, [](const Famous& a, const Famous& b) {
    return a.popularity != b.popularity ? a.popularity > b.popularity : a.id < b.id;
  });
  double sum = 0;
  for (const auto& one : order) sum += one.popularity;
  const auto mean = order.empty() ? 0 : sum / static_cast<double>(order.size());
  double fames = 0;
  double squares = 0;
  std::vector<float> fame(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto value = mean > 0 ? std::log1p(order[i].popularity / mean) : 0;
    fame[i] = static_cast<float>(value);
    fames += value;
    squares += value * value;
  }
  const auto total = std::max(1.0, static_cast<double>(order.size()));
  const auto spread = std::sqrt(std::max(0.0, squares / total - (fames / total) * (fames / total)));

  const std::unique_lock lock(mutex_);
  std::vector<std::uint32_t> slots;
  slots.reserve(order.size());
  std::vector<bool> placed(table_.items.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    slots.push_back(order[i].slot);
    placed[order[i].slot] = true;
    table_.items[order[i].slot].fame = fame[i];
  }
  // What came while the others were sorted.
  for (const auto slot : table_.by_popularity)
    if (!placed[slot] && table_.items[slot].live) slots.push_back(slot);
  table_.by_popularity = std::move(slots);
  table_.fame_spread = static_cast<float>(spread);
}

std::size_t Catalogue::size() const {
  const std::shared_lock lock(mutex_);
  return table_.living;
}

std::vector<vector::Hit> Catalogue::popular(std::size_t k, const vector::Index::Accept& accept) const {
  std::vector<vector::Hit> hits;
  const auto table = read();
  double top = 0;
  for (const auto slot : table->by_popularity) {
    if (hits.size() == k) break;
    const auto& item = table->items[slot];
    if (!item.live || (accept && !accept(item.id))) continue;
    if (top == 0) top = item.popularity;
    hits.push_back({item.id, top > 0 ? static_cast<float>(item.popularity / top) : 0.0F});
  }
  return hits;
}

std::vector<vector::Hit> Catalogue::similar(std::int64_t book, std::size_t k,
                                            const vector::Index::Accept& accept) const {
  if (k == 0) return {};
  const auto welcome = [&](std::int64_t id) { return id != book && (!accept || accept(id)); };
  std::vector<vector::Hit> near;
  std::optional<std::vector<float>> vector;
  if (index_) vector = index_->vector_of(book);
  // More than asked for: some are dead, and relations lift others.
  if (vector) near = index_->search(*vector, 2 * k + 20, welcome);

  const auto table = read();
  const auto* self = table->find(book);
  if (self == nullptr) return {};
  std::unordered_map<std::int64_t, float> scores;
  for (const auto& hit : near)
    if (table->find(hit.id) != nullptr) scores.emplace(hit.id, hit.score);
  const auto add_list = [&](const auto& lists, std::uint64_t key, std::size_t most) {
    const auto found = lists.find(key);
    if (key == 0 || found == lists.end()) return;
    for (const auto slot : found->second) {
      const auto& item = table->items[slot];
      if (most == 0) return;
      if (!item.live || !welcome(item.id) || !scores.try_emplace(item.id, -2.0F).second) continue;
      --most;
    }
  };
  add_list(table->by_series, self->series, 50);
  add_list(table->by_author, self->author, 50);
  if (!vector) add_list(table->by_genre, self->genre, 500);

  std::vector<std::int64_t> missing;
  for (const auto& [id, score] : scores)
    if (score < -1) missing.push_back(id);
  std::vector<float> found(missing.size(), 0.0F);
  if (vector) index_->scores(*vector, missing, found);
  for (std::size_t i = 0; i < missing.size(); ++i) scores[missing[i]] = found[i];

  std::vector<vector::Hit> hits;
  for (const auto& [id, score] : scores) {
    const auto& item = *table->find(id);
    float total = std::max(score, 0.0F);
    if (self->series != 0 && item.series == self->series) total += 0.4F;
    if (self->author != 0 && std::ranges::find(item.authors, self->author) != item.authors.end())
      total += 0.4F;
    if (self->genre != 0 && item.genre == self->genre) total += 0.1F;
    hits.push_back({id, std::min(total / 1.9F, 1.0F)});
  }
  std::ranges::sort(hits, [](const vector::Hit& a, const vector::Hit& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  if (hits.size() > k) hits.resize(k);
  return hits;
}

}  // namespace lumina::recs
