// Lists for people: personal ones, similar books, what is popular, and what people say of them.
//
// Lists are ranked on a pool of their own from what is in memory (live.hpp); the books of an answer are read
// from the database, so that a book that was deleted or lent a moment ago is not in it. A list that nothing
// special was asked of is kept with the person until the person, the books or the model change. Public
// functions are awaited on an io thread.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/runtime/pool.hpp"
#include "modules/books/service.hpp"
#include "modules/recs/list_figures.hpp"
#include "modules/recs/list_maker.hpp"
#include "modules/recs/live.hpp"
#include "modules/recs/model.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace lumina::recs {

struct ListOptions {
  double half_life_days = 30;           // of what is trending
  std::vector<std::string> algorithms;  // collaborative parts that count; empty: all
  // An experiment: that share of people, in percent, gets lists by another method unless they ask for one.
  std::int64_t experiment_percent = 0;
  Method experiment_method = Method::hybrid;
  std::int64_t warm_people = 200;  // lists made ahead when the server starts
};
// Whether the person ever had the book, where histories are cut and only marks are left.
using HadOnce = std::function<bool(db::Transaction&, UserId, BookId)>;

class RecommendationService {
 public:
  RecommendationService(db::Database& database, const Clock& clock, events::Journal& journal,
                        books::BookService& books, People& people, Live& live, ListFigures& figures,
                        runtime::Pool& pool, ListOptions options)
      : database_(database),
        clock_(clock),
        journal_(journal),
        books_(books),
        people_(people),
        live_(live),
        figures_(figures),
        pool_(pool),
        options_(std::make_shared<const ListOptions>(std::move(options))) {}

  // Before the first request.
  void ask_of_the_past(HadOnce had_once) { had_once_ = std::move(had_once); }
  // Books that mean something like a book, nearest first, by the vectors of an embedding model; none where
  // there is none. On the pool of lists. Before the first request.
  using Meaning = std::function<std::vector<vector::Hit>(std::int64_t book, std::size_t most)>;
  void use_meaning(Meaning meaning) { meaning_ = std::move(meaning); }
  void set_options(ListOptions options);

  Task<Result<std::vector<Recommended>>> list(ListQuery query, Caller by);
  Task<Result<std::vector<SimilarBook>>> similar(BookId book, SimilarQuery query);
  Task<Result<std::vector<Recommended>>> session(SessionQuery query);
  Task<Result<std::vector<PopularBook>>> popular(PopularQuery query);
  Task<Result<std::vector<BatchEntry>>> batch(BatchQuery query);

  Task<Status> feedback(Feedback feedback, Caller by);
  Task<Result<PersonalSettings>> settings(Caller by);
  Task<Result<PersonalSettings>> set_settings(NewPersonalSettings wanted, Caller by);
  Task<Status> forget(Caller by);

  // Makes the list of one more of the people who were active lately; false when all are made. Blocking.
  bool warm_one();

 private:
  struct Place {  // a book of a list, from the database
    books::Book book;
    std::size_t rank = 0;
  };
  std::shared_ptr<const ListOptions> options() const;
  std::string variant_of(UserId user, const ListOptions& options) const;
  Task<Result<std::shared_ptr<const Person>>> person(UserId user);
  Task<Result<std::vector<Recommended>>> ranked_list(std::shared_ptr<const Person> person,
                                                     std::optional<UserId> user, Wanted wanted);
  // The books of ids, in that order, without those that are gone or not as asked.
  Task<Result<std::vector<Place>>> places(std::vector<BookId> ids, Filters filters,
                                          std::optional<UserId> user);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  books::BookService& books_;
  People& people_;
  Live& live_;
  ListFigures& figures_;
  runtime::Pool& pool_;
  HadOnce had_once_;
  Meaning meaning_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const ListOptions> options_;
  std::deque<UserId> to_warm_;
  bool warming_begun_ = false;
};

// Inside somebody's leaving: what they said of recommendations goes.
void forget_recommendations_of(db::Transaction& tx, UserId user);

}  // namespace lumina::recs
