#include "modules/books/search_index.hpp"

#include "core/telemetry/log.hpp"

#include <algorithm>
#include <array>
#include <pthread.h>
#include <stdexcept>

namespace lumina::books {
namespace {

// No fault of a record's: the whole round is done again.
struct NoDatabase : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
T there(Result<T> read) {
  if (!read) throw NoDatabase(read.error().detail);
  return std::move(*read);
}

// Events of jobs say of each record that there are more to come.
bool is_bulk(const events::Event& event) { return event.payload.find(R"("bulk":true)") != std::string::npos; }

}  // namespace

SearchIndex::SearchIndex(db::Database& database, events::Bus& bus, Options options)
    : database_(database), options_(options), index_(search_schema()) {
  bus.subscribe("", [this](const events::Event& event) { mark(event); });
}

SearchIndex::~SearchIndex() { stop(); }

void SearchIndex::start() {
  std::lock_guard lock(mutex_);
  if (started_ || stopping_) return;
  started_ = true;
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "search");
}

void SearchIndex::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  rebuilt_.notify_all();
  if (thread_.joinable()) thread_.join();
  runtime::Waiters::Answers left;
  {
    std::lock_guard lock(mutex_);
    left = waiters_.take_all(not_loaded());
  }
  left.give();
}

// The next three with mutex_ held.
void SearchIndex::mark_book(std::int64_t book, bool content) {
  ++marks_;
  const auto [it, fresh] = marked_.try_emplace(book, Mark{false, marks_});
  if (fresh) order_.emplace(marks_, book);
  it->second.content = it->second.content || content;
  urgent_ = urgent_ || content;
}

void SearchIndex::mark_bulk() {
  for (const auto book : bulk_) mark_book(book, true);
  bulk_.clear();
  if (applied_ < marks_) behind_ = 1;
}

bool SearchIndex::something_due() const {
  return stopping_ || urgent_ || !waiters_.empty() || bulk_.size() >= options_.batch ||
         rebuilds_done_ != rebuilds_wanted_;
}

void SearchIndex::no_more_bulk() {
  {
    std::lock_guard lock(mutex_);
    mark_bulk();
  }
  wake_.notify_one();
}

void SearchIndex::mark(const events::Event& event) {
  const bool settings = event.type == "search.settings_changed", rebuild = event.type == "search.rebuild",
             job_ended = event.type.starts_with("task.");
  if (!event.book && !settings && !rebuild && !job_ended) return;
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (event.book && is_bulk(event) && !marked_.contains(event.book->value)) {
      if (bulk_.empty()) bulk_since_ = std::chrono::steady_clock::now();
      bulk_.insert(event.book->value);
      wake = bulk_.size() == 1 || bulk_.size() == options_.batch;
    } else if (event.book) {
      const bool content = bulk_.erase(event.book->value) > 0 || event.type.starts_with("book.") ||
                           event.type == search_retry_event;
      mark_book(event.book->value, content);
    } else if (job_ended) {
      mark_bulk();
    } else {
      if (rebuild && rebuilds_wanted_ == rebuilds_begun_) ++rebuilds_wanted_;
      if (settings) settings_changed_ = true;
      urgent_ = true;
      ++marks_;
    }
    if (applied_ < marks_) behind_ = 1;
    wake = wake || urgent_ || marked_.size() == 1;
  }
  if (wake) wake_.notify_one();
}

Status SearchIndex::not_loaded() {
  return Failure(Error{ErrorKind::unavailable,
                       "search_not_ready",
                       "The search index is being loaded; try again shortly",
                       {},
                       1});
}

Task<Status> SearchIndex::caught_up() {
  if (behind_.load(std::memory_order_acquire) == 0) co_return Status{};
  start();
  auto wait = [this](runtime::Waiters::Resume resume) {
    std::optional<Status> now;
    {
      std::lock_guard lock(mutex_);
      if (stopping_)
        now = not_loaded();
      else if (ready_ && applied_ >= marks_)
        now = Status{};
      else
        waiters_.add(marks_, runtime::Waiters::Clock::now() + options_.patience, std::move(resume));
    }
    if (now) return resume(std::move(*now));
    wake_.notify_one();
  };
  auto waiting = runtime::answered(std::move(wait));
  co_return co_await std::move(waiting);
}

void SearchIndex::answer_waiters() {
  runtime::Waiters::Answers answers;
  {
    std::lock_guard lock(mutex_);
    answers = waiters_.take(ready_, applied_, not_loaded());
    answered_early_ = answered_early_ || answers.early();
  }
  answers.give();
}

void SearchIndex::run() {
  auto pause = std::chrono::milliseconds(0);
  const auto due = [this] { return something_due(); };
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (pause.count() > 0) {
        wake_.wait_for(lock, pause, [this] { return stopping_; });
      } else {
        wake_.wait(lock, [this] { return something_due() || !marked_.empty() || !bulk_.empty(); });
        // Nobody waits for counters: more of them may come. So with the books that a job brings.
        if (!something_due() && !marked_.empty()) wake_.wait_for(lock, options_.lag, due);
        if (!something_due() && marked_.empty()) {
          wake_.wait_until(lock, bulk_since_ + options_.flush,
                           [this] { return something_due() || !marked_.empty(); });
          if (!something_due() && !marked_.empty()) continue;
        }
      }
      if (stopping_) return;
    }
    // A database that is gone is asked again every half second.
    pause = std::chrono::milliseconds(work() ? 0 : 500);
    answer_waiters();
  }
}

SearchIndex::Round SearchIndex::take_round() {
  std::lock_guard lock(mutex_);
  Round round;
  round.settings = std::exchange(settings_changed_, false);
  while (!order_.empty() && round.marks.size() < options_.batch) {
    const auto book = order_.begin()->second;
    order_.erase(order_.begin());
    const auto mark = marked_.find(book);
    round.marks.emplace_back(book, mark->second);
    marked_.erase(mark);
  }
  round.applies = order_.empty() ? marks_ : order_.begin()->first - 1;
  if (order_.empty()) urgent_ = false;
  const bool flush =
      bulk_.size() >= options_.batch || std::chrono::steady_clock::now() >= bulk_since_ + options_.flush;
  while (flush && !bulk_.empty() && round.marks.size() + round.bulk.size() < options_.batch)
    round.bulk.push_back(bulk_.extract(bulk_.begin()).value());
  return round;
}

void SearchIndex::put_back(const Round& round) {
  std::lock_guard lock(mutex_);
  settings_changed_ = settings_changed_ || round.settings;
  for (const auto& [book, mark] : round.marks) {
    const auto [it, fresh] = marked_.try_emplace(book, mark);
    if (!fresh) {
      order_.erase(it->second.first);
      it->second = {it->second.content || mark.content, mark.first};
    }
    order_.emplace(mark.first, book);
  }
  for (const auto book : round.bulk)
    if (!marked_.contains(book)) bulk_.insert(book);
  urgent_ = true;
}

bool SearchIndex::work() {
  const Round round = take_round();
  try {
    if (round.settings) read_settings();
    refresh(round);
    bool renewed = !round.bulk.empty();
    {
      std::lock_guard lock(mutex_);
      applied_ = round.applies;
      // A rebuild keeps nobody waiting.
      if (ready_ && marks_ == applied_) behind_ = 0;
      if (marks_ == applied_) renewed = std::exchange(answered_early_, false) || renewed;
    }
    if (renewed && on_renewed_) on_renewed_();
    answer_waiters();
    index_.tidy();
  } catch (const std::exception& e) {
    log::error("the search index cannot be kept up", {{"what", e.what()}});
    put_back(round);
    return false;
  }
  try {
    load_some();
    return true;
  } catch (const std::exception& e) {
    log::error("the search index cannot be loaded", {{"what", e.what()}});
    return false;
  }
}

void SearchIndex::refresh(const Round& round) {
  std::vector<std::int64_t> changed = round.bulk, counted;
  for (const auto& [book, mark] : round.marks) (mark.content ? changed : counted).push_back(book);
  constexpr auto step = SearchRepository::most_at_once;
  for (std::size_t i = 0; i < counted.size(); i += step)
    refresh_counters(std::span(counted).subspan(i, std::min(step, counted.size() - i)));
  std::vector<Unindexed> failed;
  const std::array<search::Index*, 2> both{&index_, next_.get()};
  const auto into = std::span(both).first(next_ ? 2 : 1);
  for (std::size_t i = 0; i < changed.size(); i += step)
    index_books(std::span(changed).subspan(i, std::min(step, changed.size() - i)), into, failed);
  hand_over(failed);
}

void SearchIndex::refresh_counters(std::span<const std::int64_t> books) {
  auto look = [books](db::Transaction& tx) { return SearchRepository(tx).figures(books); };
  for (const auto& row : there(database_.read_now(std::move(look)))) {
    const auto live = live_of(row.total_borrows, row.copies_available, row.average_rating);
    index_.set_live(row.id, live);
    if (next_) next_->set_live(row.id, live);
  }
}

// When a batch cannot go in, each of its books is tried by itself, and what cannot go in then is out: what it
// was before must not be found any more.
void SearchIndex::index_books(std::span<const std::int64_t> books, std::span<search::Index* const> into,
                              std::vector<Unindexed>& failed) {
  try {
    auto look = [books](db::Transaction& tx) { return SearchRepository(tx).books(books); };
    const auto rows = there(database_.read_now(std::move(look)));
    std::vector<search::Document> documents;
    std::vector<std::int64_t> gone(books.begin(), books.end());
    for (const auto& row : rows) {
      std::erase(gone, row.id.value);
      documents.push_back(options_.document(row));
    }
    for (auto* index : into) {
      // Merged when those who wait were answered.
      index->put(documents, false);
      index->remove(gone);
    }
  } catch (const NoDatabase&) {
    throw;
  } catch (const std::exception& e) {
    if (books.size() > 1) {
      for (std::size_t i = 0; i < books.size(); ++i) index_books(books.subspan(i, 1), into, failed);
      return;
    }
    // Whose fault it is: a database that answers leaves only the record.
    auto look = [books](db::Transaction& tx) { return SearchRepository(tx).figures(books).size(); };
    (void)there(database_.read_now(std::move(look)));
    for (auto* index : into) index->remove(books);
    failed.push_back({books.front(), e.what()});
  }
}

void SearchIndex::hand_over(const std::vector<Unindexed>& failed) {
  if (failed.empty()) return;
  for (const auto& one : failed)
    log::warn("a book cannot be indexed", {{"book", std::to_string(one.book)}, {"what", one.why}});
  if (on_unindexable_ && !on_unindexable_(failed))
    throw NoDatabase("the books that cannot be indexed cannot be kept");
}

// The next rows of all; false when there are more. Only when one of them cannot go in, all are taken as
// changes are, by batches and one by one.
bool SearchIndex::load_rows() {
  try {
    auto look = [this](db::Transaction& tx) {
      return SearchRepository(tx).books_after(next_id_, options_.rows);
    };
    const auto rows = there(database_.read_now(std::move(look)));
    std::vector<search::Document> documents;
    documents.reserve(rows.size());
    for (const auto& row : rows) documents.push_back(options_.document(row));
    next_->put(std::move(documents), false);
    if (!rows.empty()) next_id_ = rows.back().id.value;
    return static_cast<std::int64_t>(rows.size()) < options_.rows;
  } catch (const NoDatabase&) {
    throw;
  } catch (const std::exception& e) {
    log::warn("books cannot be loaded together", {{"what", e.what()}});
  }
  auto look = [this](db::Transaction& tx) { return SearchRepository(tx).ids_after(next_id_, options_.rows); };
  const auto ids = there(database_.read_now(std::move(look)));
  std::vector<Unindexed> failed;
  search::Index* const only = next_.get();
  constexpr auto step = SearchRepository::most_at_once;
  for (std::size_t i = 0; i < ids.size(); i += step)
    index_books(std::span(ids).subspan(i, std::min(step, ids.size() - i)), std::span(&only, 1), failed);
  hand_over(failed);
  if (!ids.empty()) next_id_ = ids.back();
  return static_cast<std::int64_t>(ids.size()) < options_.rows;
}

void SearchIndex::load_some() {
  if (!next_) {
    std::lock_guard lock(mutex_);
    if (rebuilds_done_ == rebuilds_wanted_) return;
    rebuilds_begun_ = rebuilds_wanted_;
    next_ = std::make_unique<search::Index>(search_schema());
    next_id_ = 0;
  }
  if (!load_rows()) return;
  next_->settle();
  index_.take(*next_);
  next_.reset();
  {
    std::lock_guard lock(mutex_);
    ready_ = true;
    rebuilds_done_ = rebuilds_begun_;
    if (applied_ == marks_) behind_ = 0;
  }
  if (on_renewed_) on_renewed_();
  rebuilt_.notify_all();
}

void SearchIndex::read_settings() {
  struct Read {
    Synonyms synonyms;
    StopWords stop_words;
    Pins pins;
  };
  auto look = [](db::Transaction& tx) {
    SearchRepository all(tx);
    return Read{all.synonyms(), all.stop_words(), all.all_pins()};
  };
  const auto read = database_.read_now(std::move(look));
  if (!read) throw std::runtime_error(read.error().detail);
  auto fresh = std::make_shared<SearchSettings>();
  for (const auto& set : read->synonyms.sets)
    for (std::size_t i = 0; i < set.terms.size(); ++i) {
      if (i > 0 && set.one_way.value_or(false)) break;
      auto& meanings = fresh->vocabulary.synonyms[search::vocabulary_key(set.terms[i])];
      for (std::size_t k = 0; k < set.terms.size(); ++k)
        if (k != i) meanings.push_back(set.terms[k]);
    }
  for (const auto& word : read->stop_words.words) fresh->vocabulary.stop_words.insert(word);
  for (const auto& pin : read->pins.pins) {
    auto& books = fresh->pins[search::vocabulary_key(pin.query)];
    for (const auto book : pin.books) books.push_back(book.value);
  }
  std::lock_guard lock(mutex_);
  settings_ = std::move(fresh);
}

std::shared_ptr<const SearchSettings> SearchIndex::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

IndexFigures SearchIndex::figures() const {
  IndexFigures out;
  const auto now = index_.snapshot();
  out.books = static_cast<std::int64_t>(now->documents);
  out.terms = static_cast<std::int64_t>(now->terms());
  out.segments = static_cast<std::int64_t>(now->parts.size());
  out.bytes = static_cast<std::int64_t>(now->memory());
  std::lock_guard lock(mutex_);
  out.ready = ready_;
  out.rebuilding = ready_ && rebuilds_done_ != rebuilds_wanted_;
  out.pending = static_cast<std::int64_t>(marked_.size());
  return out;
}

bool SearchIndex::rebuild(const std::function<bool()>& give_up) {
  start();
  std::unique_lock lock(mutex_);
  // One that has not begun will read everything that was there before this call.
  if (rebuilds_wanted_ == rebuilds_begun_) ++rebuilds_wanted_;
  const auto mine = rebuilds_wanted_;
  wake_.notify_one();
  while (!stopping_ && rebuilds_done_ < mine) {
    rebuilt_.wait_for(lock, std::chrono::milliseconds(200));
    lock.unlock();
    const bool enough = give_up();
    lock.lock();
    if (enough) return false;
  }
  return rebuilds_done_ >= mine;
}

}  // namespace lumina::books
