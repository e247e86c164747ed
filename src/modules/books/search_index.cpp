#include "modules/books/search_index.hpp"

#include "core/telemetry/log.hpp"
#include "modules/books/search_document.hpp"

#include <algorithm>
#include <pthread.h>

namespace lumina::books {

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

void SearchIndex::mark(const events::Event& event) {
  const bool settings = event.type == "search.settings_changed", rebuild = event.type == "search.rebuild";
  if (!event.book && !settings && !rebuild) return;
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (rebuild && rebuilds_wanted_ == rebuilds_begun_) ++rebuilds_wanted_;
    if (settings) settings_changed_ = true;
    if (event.book) {
      const bool content = event.type.starts_with("book.");
      auto& all = marked_[event.book->value];
      all = all || content;
      urgent_ = urgent_ || content;
    }
    urgent_ = urgent_ || settings || rebuild;
    ++marks_;
    behind_ = 1;
    wake = urgent_ || marked_.size() == 1;
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
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto stop = [this] { return stopping_; };
      if (pause.count() > 0) {
        wake_.wait_for(lock, pause, stop);
      } else if (rebuilds_done_ == rebuilds_wanted_) {
        wake_.wait(lock, [this] {
          return stopping_ || urgent_ || !waiters_.empty() || !marked_.empty() ||
                 rebuilds_done_ != rebuilds_wanted_;
        });
        // Nobody waits for counters: more of them may come.
        if (!stopping_ && !urgent_ && waiters_.empty() && rebuilds_done_ == rebuilds_wanted_)
          wake_.wait_for(lock, options_.lag, [this] { return stopping_ || urgent_ || !waiters_.empty(); });
      }
      if (stopping_) return;
    }
    // A database that is gone is asked again every half second.
    pause = std::chrono::milliseconds(work() ? 0 : 500);
    answer_waiters();
  }
}

bool SearchIndex::work() {
  std::unordered_map<std::int64_t, bool> marked;
  bool settings = false;
  std::uint64_t marks = 0;
  bool renewed = false;
  {
    std::lock_guard lock(mutex_);
    marked.swap(marked_);
    settings = std::exchange(settings_changed_, false);
    urgent_ = false;
    marks = marks_;
  }
  try {
    if (settings) read_settings();
    refresh(marked);
    settings = false;
    marked.clear();
    {
      std::lock_guard lock(mutex_);
      applied_ = marks;
      // A rebuild keeps nobody waiting.
      if (ready_ && marks_ == applied_) behind_ = 0;
      renewed = std::exchange(answered_early_, false);
    }
    if (renewed && on_renewed_) on_renewed_();
    answer_waiters();
    index_.tidy();
    load_some();
    return true;
  } catch (const std::exception& e) {
    log::error("the search index cannot be kept up", {{"what", e.what()}});
    std::lock_guard lock(mutex_);
    settings_changed_ = settings_changed_ || settings;
    for (const auto& [id, content] : marked) marked_[id] = marked_[id] || content;
    urgent_ = true;
    return false;
  }
}

void SearchIndex::refresh(const std::unordered_map<std::int64_t, bool>& marked) {
  std::vector<std::int64_t> changed, counted;
  for (const auto& [id, content] : marked) (content ? changed : counted).push_back(id);
  constexpr auto step = SearchRepository::most_at_once;
  for (std::size_t i = 0; i < counted.size(); i += step) {
    const auto some = std::span(counted).subspan(i, std::min(step, counted.size() - i));
    auto look = [some](db::Transaction& tx) { return SearchRepository(tx).figures(some); };
    const auto rows = database_.read_now(std::move(look));
    if (!rows) throw std::runtime_error(rows.error().detail);
    for (const auto& row : *rows) {
      const auto live = live_of(row.total_borrows, row.copies_available, row.average_rating);
      index_.set_live(row.id, live);
      if (next_) next_->set_live(row.id, live);
    }
  }
  for (std::size_t i = 0; i < changed.size(); i += step) {
    const auto some = std::span(changed).subspan(i, std::min(step, changed.size() - i));
    auto look = [some](db::Transaction& tx) { return SearchRepository(tx).books(some); };
    const auto rows = database_.read_now(std::move(look));
    if (!rows) throw std::runtime_error(rows.error().detail);
    std::vector<search::Document> documents;
    std::vector<std::int64_t> gone(some.begin(), some.end());
    for (const auto& row : *rows) {
      std::erase(gone, row.id.value);
      documents.push_back(document_of(row));
    }
    if (next_) {
      next_->put(documents, false);
      next_->remove(gone);
    }
    // The last step is merged when those who wait were answered.
    index_.put(std::move(documents), i + step < changed.size());
    index_.remove(gone);
  }
}

void SearchIndex::load_some() {
  if (!next_) {
    std::lock_guard lock(mutex_);
    if (rebuilds_done_ == rebuilds_wanted_) return;
    rebuilds_begun_ = rebuilds_wanted_;
    next_ = std::make_unique<search::Index>(search_schema());
    next_id_ = 0;
  }
  auto look = [this](db::Transaction& tx) {
    return SearchRepository(tx).books_after(next_id_, options_.rows);
  };
  const auto rows = database_.read_now(std::move(look));
  if (!rows) throw std::runtime_error(rows.error().detail);
  std::vector<search::Document> documents;
  documents.reserve(rows->size());
  for (const auto& row : *rows) documents.push_back(document_of(row));
  if (!rows->empty()) next_id_ = rows->back().id.value;
  next_->put(std::move(documents), false);
  if (static_cast<std::int64_t>(rows->size()) == options_.rows) return;
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
    return Read{all.synonyms(), all.stop_words(), all.pins()};
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
