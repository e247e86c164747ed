#include "modules/recs/live.hpp"

#include "core/telemetry/log.hpp"
#include "modules/recs/repository.hpp"

#include <algorithm>
#include <pthread.h>
#include <span>
#include <stdexcept>

namespace lumina::recs {
namespace {

constexpr auto marks_kept = std::chrono::days(730);
constexpr std::int64_t widest_range = 500, widest_gap = 8;

// Few reads for many ids: neighbours are read together.
std::vector<std::pair<std::int64_t, std::int64_t>> ranges_of(std::vector<std::int64_t> ids) {
  std::ranges::sort(ids);
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const auto id : ids)
    if (!ranges.empty() && id - ranges.back().second <= widest_gap && id - ranges.back().first < widest_range)
      ranges.back().second = id;
    else
      ranges.emplace_back(id, id);
  return ranges;
}

std::vector<Interaction> interactions_of(std::int64_t book, std::span<const Mark> marks) {
  std::vector<Interaction> all;
  for (const auto& mark : marks)
    all.push_back({0, book, mark.weight, Moment(std::chrono::minutes(mark.minute))});
  return all;
}

template <class F>
auto read_or_throw(db::Database& database, F f) {
  auto rows = database.read_now(std::move(f));
  if (!rows) throw std::runtime_error(rows.error().detail);
  return std::move(*rows);
}

}  // namespace

Live::Live(db::Database& database, const Clock& clock, events::Bus& bus, People& people, ModelStore& store,
           Options options)
    : database_(database), clock_(clock), people_(people), store_(store), options_(options) {
  bus.subscribe("", [this](const events::Event& event) { mark(event); });
}

Live::~Live() { stop(); }

void Live::start() {
  std::lock_guard lock(mutex_);
  if (started_ || stopping_) return;
  started_ = true;
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "recommend");
}

void Live::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  runtime::Waiters::Answers left;
  {
    std::lock_guard lock(mutex_);
    left = waiters_.take_all(not_loaded());
  }
  left.give();
}

void Live::mark(const events::Event& event) {
  if (event.user) people_.forget(*event.user);
  // What concerns many and names nobody: histories that were cut, books that became one or two again.
  const bool of_many = event.type == "borrow.histories_cut" || event.type.starts_with("book.merge") ||
                       event.type.starts_with("book.unmerge");
  if (of_many) people_.clear();
  const bool model = event.type == "recommendation.model_activated";
  auto book = event.book;
  if (event.type == "recommendation.feedback") book = BookId{event.resource_id};
  if (!book && !model) return;
  bool wake = model;
  {
    std::lock_guard lock(mutex_);
    model_wanted_ = model_wanted_ || model;
    if (book) {
      const bool content = event.type.starts_with("book.") || event.type.starts_with("copy.");
      auto& all = marked_[book->value];
      all = all || content;
      urgent_ = urgent_ || content;
      books_came_ = books_came_ || event.type == "book.created";
      ++marks_;
      if (content) content_marks_ = marks_;
      behind_ = std::max<std::uint64_t>(behind_, content ? 2 : 1);
      wake = wake || content || marked_.size() == 1;
    }
    urgent_ = urgent_ || model;
  }
  if (wake) wake_.notify_one();
}

Status Live::not_loaded() {
  return Failure(Error{ErrorKind::unavailable,
                       "recommendations_not_ready",
                       "The books are being loaded; try again shortly",
                       {},
                       1});
}

Task<Status> Live::caught_up(bool figures) {
  if (behind_.load(std::memory_order_acquire) <= (figures ? 0U : 1U)) co_return Status{};
  start();
  auto wait = [this, figures](runtime::Waiters::Resume resume) {
    std::optional<Status> now;
    {
      std::lock_guard lock(mutex_);
      const auto until = figures ? marks_ : content_marks_;
      if (stopping_)
        now = not_loaded();
      else if (ready_ && applied_ >= until)
        now = Status{};
      else
        waiters_.add(until, runtime::Waiters::Clock::now() + options_.patience, std::move(resume));
    }
    if (now) return resume(std::move(*now));
    wake_.notify_one();
  };
  auto waiting = runtime::answered(std::move(wait));
  co_return co_await std::move(waiting);
}

void Live::answer_waiters() {
  runtime::Waiters::Answers answers;
  {
    std::lock_guard lock(mutex_);
    answers = waiters_.take(ready_, applied_, not_loaded());
  }
  answers.give();
}

std::shared_ptr<const Engine> Live::engine() const {
  std::lock_guard lock(mutex_);
  return engine_;
}
bool Live::ready() const {
  std::lock_guard lock(mutex_);
  return ready_;
}
std::string Live::fault() const {
  std::lock_guard lock(mutex_);
  return fault_;
}

void Live::run() {
  auto pause = std::chrono::milliseconds(0);
  while (true) {
    bool idle = false;
    {
      std::unique_lock lock(mutex_);
      const auto stop = [this] { return stopping_; };
      const auto busy = [this] {
        return stopping_ || urgent_ || !waiters_.empty() || !marked_.empty() || model_wanted_;
      };
      if (pause.count() > 0) {
        wake_.wait_for(lock, pause, stop);
      } else if (!filling_ && !model_wanted_) {
        if (!busy() && idle_work_)
          idle = true;
        else
          wake_.wait(lock, busy);
        // Nobody waits for counters: more of them may come.
        if (!idle && !stopping_ && !urgent_ && waiters_.empty() && !model_wanted_)
          wake_.wait_for(lock, options_.lag,
                         [this] { return stopping_ || urgent_ || !waiters_.empty() || model_wanted_; });
      }
      if (stopping_) return;
    }
    if (idle) {
      idle_work_ = on_idle_ && on_idle_();
      continue;
    }
    // A database that is gone is asked again every half second.
    pause = std::chrono::milliseconds(work() ? 0 : 500);
    answer_waiters();
  }
}

bool Live::work() {
  std::unordered_map<std::int64_t, bool> marked;
  std::uint64_t marks = 0;
  bool came = false;
  {
    std::lock_guard lock(mutex_);
    marked.swap(marked_);
    urgent_ = false;
    marks = marks_;
  }
  try {
    refresh(marked);
    marked.clear();
    {
      std::lock_guard lock(mutex_);
      applied_ = marks;
      if (ready_) behind_ = marks_ == applied_ ? 0 : content_marks_ > applied_ ? 2 : 1;
      came = ready_ && std::exchange(books_came_, false);
    }
    answer_waiters();
    if (came && on_books_) on_books_();
    begin_filling();
    fill_some();
    return true;
  } catch (const std::exception& e) {
    log::error("recommendations cannot be kept up", {{"what", e.what()}});
    std::lock_guard lock(mutex_);
    for (const auto& [id, content] : marked) marked_[id] = marked_[id] || content;
    urgent_ = true;
    return false;
  }
}

void Live::refresh(const std::unordered_map<std::int64_t, bool>& marked) {
  std::vector<std::int64_t> content, counted;
  for (const auto& [id, changed] : marked) (changed ? content : counted).push_back(id);
  for (const auto& [first, last] : ranges_of(std::move(content))) refresh_range(first, last, marked, true);
  for (const auto& [first, last] : ranges_of(std::move(counted))) refresh_range(first, last, marked, false);
  // Once for all: it sorts the books.
  if (const auto current = engine(); current && !marked.empty()) current->catalogue->settle();
}

void Live::refresh_range(std::int64_t first, std::int64_t last,
                         const std::unordered_map<std::int64_t, bool>& marked, bool content) {
  const auto now = clock_.now();
  struct Read {
    std::vector<LoadedBook> books;
    std::vector<std::pair<std::int64_t, BookFigures>> figures;
  };
  auto look = [&](db::Transaction& tx) {
    RecommendationRepository all(tx);
    Read read;
    if (content) read.books = all.books(first, last);
    read.figures = all.figures(first, last, now - marks_kept);
    return read;
  };
  auto read = read_or_throw(database_, std::move(look));

  std::unordered_map<std::int64_t, std::shared_ptr<const BookFigures>> figures;
  for (auto& [id, its] : read.figures)
    figures.emplace(id, std::make_shared<const BookFigures>(std::move(its)));
  const auto before = shelf_.snapshot();
  const auto current = engine();
  std::vector<Catalogue*> targets;
  if (current) targets.push_back(current->catalogue.get());
  const bool fills = filling_.has_value();
  std::vector<Shelf::Change> changes;
  const auto wanted = [&](std::int64_t id) {
    const auto it = marked.find(id);
    return it != marked.end() && it->second == content;
  };
  const auto each_target = [&](std::int64_t id, auto&& act) {
    for (auto* target : targets) act(*target);
    if (fills && id <= filling_->filled) act(*filling_->engine->catalogue);
  };
  if (content) {
    std::unordered_map<std::int64_t, LoadedBook*> there;
    for (auto& book : read.books) there.emplace(book.facts.id, &book);
    for (auto id = first; id <= last; ++id) {
      if (!wanted(id)) continue;
      Shelf::Change change{id, {}, false};
      if (const auto it = there.find(id); it != there.end()) {
        each_target(id, [&](Catalogue& catalogue) { catalogue.put(it->second->text); });
        change.book.facts = std::make_shared<const BookFacts>(std::move(it->second->facts));
        if (const auto its = figures.find(id); its != figures.end()) change.book.figures = its->second;
      } else {
        each_target(id, [&](Catalogue& catalogue) { catalogue.remove(id); });
      }
      changes.push_back(std::move(change));
    }
  } else {
    for (const auto& [id, its] : figures)
      if (wanted(id)) changes.push_back({id, {nullptr, its}, true});
  }
  // What came to the marks since they were last read counts for popularity.
  for (const auto& [id, its] : figures) {
    if (!wanted(id)) continue;
    const auto* old = before->find(id);
    const std::size_t known = old ? old->figures->marks.size() : 0;
    if (its->marks.size() <= known) continue;
    const auto fresh = interactions_of(id, std::span(its->marks).subspan(known));
    each_target(id, [&](Catalogue& catalogue) {
      for (const auto& one : fresh) catalogue.observe(one.book, one.strength, one.at, moment_of(now));
    });
  }
  shelf_.apply(std::move(changes));
}

// Which model should be in use, and a catalogue for it.
void Live::begin_filling() {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(model_wanted_, false)) return;
  }
  std::optional<ModelVersion> wanted;
  try {
    wanted = read_or_throw(database_,
                           [](db::Transaction& tx) { return RecommendationRepository(tx).active_model(); });
  } catch (...) {
    std::lock_guard lock(mutex_);
    model_wanted_ = true;
    throw;
  }
  const auto current = engine();
  if (current && wanted && current->number() == wanted->version && !filling_) {
    return;
  }
  auto fresh = std::make_shared<Engine>();
  std::string fault;
  if (wanted) {
    auto trained = store_.load(*wanted);
    if (trained) {
      fresh->version = wanted;
      fresh->collaborative = trained->collaborative;
      fresh->weights = trained->weights;
      fresh->catalogue = trained->make_catalogue();
    } else {
      fault = trained.error().code;
      log::error("the active model of recommendations cannot be used",
                 {{"version", wanted->version}, {"why", trained.error().detail}, {"code", fault}});
    }
  }
  {
    std::lock_guard lock(mutex_);
    fault_ = fault;
  }
  if (!fault.empty()) {
    if (on_damaged_) on_damaged_();
    if (current) return;  // what is in use stays
  }
  if (!fresh->catalogue)
    fresh->catalogue = std::make_shared<Catalogue>(nullptr, nullptr, std::span<const std::int64_t>{},
                                                   std::span<const std::uint64_t>{},
                                                   std::chrono::days(options_.half_life_days));
  filling_.emplace(Filling{std::move(fresh), 0});
}

void Live::fill_some() {
  if (!filling_) return;
  const auto now = clock_.now();
  struct Read {
    std::optional<std::int64_t> last;
    std::vector<LoadedBook> books;
    std::vector<std::pair<std::int64_t, BookFigures>> figures;
  };
  auto look = [&](db::Transaction& tx) {
    RecommendationRepository all(tx);
    Read read;
    read.last = all.end_of_next(filling_->filled, options_.rows);
    if (!read.last) return read;
    read.books = all.books(filling_->filled + 1, *read.last);
    read.figures = all.figures(filling_->filled + 1, *read.last, now - marks_kept);
    return read;
  };
  auto read = read_or_throw(database_, std::move(look));
  if (read.last) {
    auto& catalogue = *filling_->engine->catalogue;
    std::vector<BookText> texts;
    texts.reserve(read.books.size());
    for (auto& book : read.books) texts.push_back(std::move(book.text));
    if (auto put = catalogue.put_all(texts); !put) throw std::runtime_error(put.error().detail);
    std::vector<Interaction> marks;
    std::unordered_map<std::int64_t, std::shared_ptr<const BookFigures>> figures;
    for (auto& [id, its] : read.figures) {
      std::ranges::copy(interactions_of(id, its.marks), std::back_inserter(marks));
      figures.emplace(id, std::make_shared<const BookFigures>(std::move(its)));
    }
    catalogue.observe_all(marks, moment_of(now));
    // The shelf needs no second filling: since the first one it was kept up. It is put again all the same, so
    // that its counters and the catalogue's are of one reading.
    std::vector<Shelf::Change> changes;
    for (auto& book : read.books) {
      const auto id = book.facts.id;
      Shelf::Change change{id, {std::make_shared<const BookFacts>(std::move(book.facts)), nullptr}, false};
      if (const auto it = figures.find(id); it != figures.end()) change.book.figures = it->second;
      changes.push_back(std::move(change));
    }
    shelf_.apply(std::move(changes));
    filling_->filled = *read.last;
    return;
  }
  filling_->engine->catalogue->settle();
  {
    std::lock_guard lock(mutex_);
    engine_ = std::move(filling_->engine);
    ready_ = true;
    if (applied_ == marks_) behind_ = 0;
  }
  filling_.reset();
  idle_work_ = true;
  if (on_renewed_) on_renewed_();
}

}  // namespace lumina::recs
