// SQL of reports and replies, and of the standing of reviews. Also reads users, for names.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/reviews/moderation.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lumina::reviews {

class ModerationRepository {
 public:
  explicit ModerationRepository(db::Transaction& tx) : tx_(tx) {}

  // False when this person has reported it already.
  bool report(ReviewId id, UserId user, const NewReport& report, Timestamp now);
  std::int64_t reports(ReviewId id);
  // The first hundred of each of these, with whose they are, in the order of time.
  std::vector<std::pair<ReviewId, Report>> reports_of(const std::vector<ReviewId>& ids);
  void forget_reports(ReviewId id);
  // Reported and not decided: those that wait first, then by number.
  Page<ReviewId> reported(const PageRequest& page);
  void set_spoiler(ReviewId id, bool spoiler);

  ReplyId insert_reply(ReviewId id, UserId user, const std::string& text, Timestamp now);
  std::optional<Reply> find_reply(ReplyId id);
  Page<Reply> replies(ReviewId id, const PageRequest& page);
  bool erase_reply(const Reply& reply);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::reviews
