// SQL of conversations.
#pragma once
#include "core/base/ids.hpp"
#include "core/db/transaction.hpp"
#include "modules/ai/qa_model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

class QaRepository {
 public:
  explicit QaRepository(db::Transaction& tx) : tx_(tx) {}

  bool exists(std::string_view session, UserId user);
  // What was asked last in it.
  std::optional<std::string> last_question(std::string_view session);
  // Makes the session when it is new.
  void add(std::string_view session, UserId user, std::string_view question, std::string_view answer,
           Timestamp now);
  std::vector<QaSession> sessions(UserId user, std::int64_t most);
  std::vector<QaTurn> turns(std::string_view session);
  bool erase(std::string_view session, UserId user);
  // Conversations that were not gone on with since; gives the number.
  std::int64_t prune(Timestamp before);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::ai
