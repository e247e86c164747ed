#include "modules/ai/qa_repository.hpp"

namespace lumina::ai {

bool QaRepository::exists(std::string_view session, UserId user) {
  return tx_.one<std::string>("SELECT id FROM qa_sessions WHERE id = $1 AND user_id = $2", session, user)
      .has_value();
}

std::optional<std::string> QaRepository::last_question(std::string_view session) {
  auto row = tx_.one<std::string>(
      "SELECT question FROM qa_turns WHERE session_id = $1 ORDER BY id DESC LIMIT 1", session);
  if (!row) return {};
  return std::move(std::get<0>(*row));
}

void QaRepository::add(std::string_view session, UserId user, std::string_view question,
                       std::string_view answer, Timestamp now) {
  tx_.execute(
      "INSERT INTO qa_sessions (id, user_id, created_at, asked_at) VALUES ($1, $2, $3, $3) "
      "ON CONFLICT (id) DO UPDATE SET asked_at = excluded.asked_at",
      session, user, now);
  tx_.execute("INSERT INTO qa_turns (session_id, question, answer, created_at) VALUES ($1, $2, $3, $4)",
              session, question, answer, now);
}

std::vector<QaSession> QaRepository::sessions(UserId user, std::int64_t most) {
  static const db::Columns<QaSession> columns{
      {"s.id", &QaSession::id},
      {"s.created_at", &QaSession::created_at},
      {"s.asked_at", &QaSession::asked_at},
      {"(SELECT count(*) FROM qa_turns t WHERE t.session_id = s.id)", &QaSession::turns}};
  static const std::string sql =
      "SELECT " + columns.list() +
      " FROM qa_sessions s WHERE s.user_id = $1 ORDER BY s.asked_at DESC, s.id LIMIT $2";
  return tx_.list(columns, sql, user, most);
}

std::vector<QaTurn> QaRepository::turns(std::string_view session) {
  std::vector<QaTurn> out;
  tx_.each<std::string, std::string, Timestamp>(
      [&](std::string question, std::string answer, Timestamp at) {
        out.push_back({std::move(question), {std::move(answer)}, at});
      },
      "SELECT question, answer, created_at FROM qa_turns WHERE session_id = $1 ORDER BY id", session);
  return out;
}

bool QaRepository::erase(std::string_view session, UserId user) {
  tx_.execute(
      "DELETE FROM qa_turns WHERE session_id IN (SELECT id FROM qa_sessions WHERE id = $1 AND user_id = $2)",
      session, user);
  return tx_.execute("DELETE FROM qa_sessions WHERE id = $1 AND user_id = $2", session, user) > 0;
}

std::int64_t QaRepository::prune(Timestamp before) {
  tx_.execute("DELETE FROM qa_turns WHERE session_id IN (SELECT id FROM qa_sessions WHERE asked_at < $1)",
              before);
  return tx_.execute("DELETE FROM qa_sessions WHERE asked_at < $1", before);
}

}  // namespace lumina::ai
