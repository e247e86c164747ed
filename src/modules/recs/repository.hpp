// SQL of recommendations: its own tables, and of everybody else's what lists are made of: books and their
// copies, loans, reviews, holds, lists, wishes.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/recs/catalogue.hpp"
#include "modules/recs/model.hpp"
#include "modules/recs/person.hpp"
#include "modules/recs/shelf.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::recs {

// A book as it is loaded: for the shelf, and the text that becomes a vector.
struct LoadedBook {
  BookFacts facts;
  BookText text;
  bool available = false;
};

struct StoredSettings {
  bool personal = true;
  std::optional<Timestamp> forgotten_at;
};

class RecommendationRepository {
 public:
  explicit RecommendationRepository(db::Transaction& tx) : tx_(tx) {}

  // Of ids from first to last, both included; deleted ones are not there.
  std::vector<LoadedBook> books(std::int64_t first, std::int64_t last);
  // The last id of the next `most` books behind `id`; nothing when there are none.
  std::optional<std::int64_t> end_of_next(std::int64_t id, std::int64_t most);
  // Marks and availability of such an interval, by book.
  std::vector<std::pair<std::int64_t, BookFigures>> figures(std::int64_t first, std::int64_t last,
                                                            Timestamp since);
  bool exists(BookId book);
  // Those of the ids of which a copy can be lent in that branch now.
  std::vector<std::int64_t> borrowable_in(std::int64_t branch, const std::vector<std::int64_t>& ids);

  std::optional<Person> person(UserId user);  // nothing: no such account
  // Who did something last, for warming up.
  std::vector<UserId> lately_active(int most);
  // What people did with books, of people who want personal lists, in pieces: people after `user`, at most
  // `most` people. Gives the last of them; 0 at the end.
  std::int64_t interactions(std::int64_t after_user, int most, std::vector<Interaction>& into);

  void add_feedback(UserId user, const Feedback& feedback, Timestamp now);
  StoredSettings settings(UserId user);
  void set_personal(UserId user, bool personal, Timestamp now);
  void forget(UserId user, Timestamp now);  // feedback goes, and what was done so far counts no more
  void erase(UserId user);

  std::vector<ModelVersion> models();
  std::optional<ModelVersion> model(std::int64_t version);
  std::optional<ModelVersion> active_model();
  std::optional<Timestamp> last_training();
  std::int64_t insert(const ModelVersion& model, std::optional<UserId> by);
  void activate(std::int64_t version);
  // The oldest beyond the newest `kept`, never the active one; gives their files.
  std::vector<std::string> prune_models(int kept);
  std::int64_t books_since(Timestamp moment, std::int64_t most);

  void put_part(std::string_view sha256, std::int64_t part, std::string_view body);
  void drop_parts(std::string_view sha256);
  std::optional<std::string> part(std::string_view sha256, std::int64_t part);

  void add_figures(std::string_view day, const VariantFigures& figures);
  std::vector<VariantFigures> figures_since(std::string_view day);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::recs
