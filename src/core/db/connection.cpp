#include "core/db/connection.hpp"

#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <chrono>
#include <deque>
#include <libpq-fe.h>
#include <poll.h>
#include <thread>
#include <unordered_map>

using namespace sqlite_api;  // where SOCI puts the C interface

namespace lumina::db {
namespace {

struct Slot {
  char code = 'i';
  long long integer = 0;
  double real = 0;
  std::string text;
  soci::indicator state = soci::i_null;
};

// SOCI 4.0.3, about to report a PostgreSQL error, asks for the names of the parameters, which numbered ones
// do not have, and throws std::out_of_range instead of the error. The connection still knows it.
struct ErrorLost {};

// A statement prepared once, with the places its parameters and results live in.
class Kept final : public Row {
 public:
  Kept(soci::session& session, const std::string& sql, const Value* values, std::size_t count,
       std::string_view codes)
      : statement_(session) {
    for (std::size_t i = 0; i < count; ++i) {
      Slot& slot = in_.emplace_back();
      slot.code = code_of(values[i]);
      switch (slot.code) {
        case 'i':
          statement_.exchange(soci::use(slot.integer, slot.state));
          break;
        case 'd':
          statement_.exchange(soci::use(slot.real, slot.state));
          break;
        default:
          statement_.exchange(soci::use(slot.text, slot.state));
          break;
      }
    }
    for (char code : codes) {
      Slot& slot = out_.emplace_back();
      slot.code = code;
      switch (code) {
        case 'i':
          statement_.exchange(soci::into(slot.integer, slot.state));
          break;
        case 'd':
          statement_.exchange(soci::into(slot.real, slot.state));
          break;
        default:
          statement_.exchange(soci::into(slot.text, slot.state));
          break;
      }
    }
    keeping_the_error([&] {
      statement_.alloc();
      statement_.prepare(sql);
      statement_.define_and_bind();
      return true;
    });
  }

  // The kinds of the parameters this statement was bound with; null fits every kind.
  bool fits(const Value* values, std::size_t count, std::string_view codes) const {
    if (count != in_.size() || codes.size() != out_.size()) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (values[i].index() != 0 && code_of(values[i]) != in_[i].code) return false;
    return true;
  }

  std::int64_t run(const Value* values, std::size_t count, const std::function<void(const Row&)>& on_row) {
    for (std::size_t i = 0; i < count; ++i) {
      Slot& slot = in_[i];
      slot.state = soci::i_ok;
      if (const auto* v = std::get_if<std::int64_t>(&values[i]))
        slot.integer = *v;
      else if (const auto* d = std::get_if<double>(&values[i]))
        slot.real = *d;
      else if (const auto* t = std::get_if<std::string>(&values[i])) {
        // PostgreSQL would keep what stands before it and say nothing.
        if (t->find('\0') != std::string::npos) throw StatementError("a text holds a NUL character");
        slot.text = *t;
      } else
        slot.state = soci::i_null;
    }
    const auto execute = [this] { return statement_.execute(true); };
    const auto fetch = [this] { return statement_.fetch(); };
    if (out_.empty()) {
      keeping_the_error(execute);
      return statement_.get_affected_rows();
    }
    // Executed with data and then fetched until nothing comes: an open SQLite statement pins its snapshot.
    std::int64_t rows = 0;
    for (bool more = keeping_the_error(execute); more; more = keeping_the_error(fetch)) {
      ++rows;
      on_row(*this);
    }
    return rows;
  }

  bool null(std::size_t i) const override { return out_[i].state == soci::i_null; }
  std::int64_t integer(std::size_t i) const override { return null(i) ? 0 : out_[i].integer; }
  double real(std::size_t i) const override { return null(i) ? 0 : out_[i].real; }
  const std::string& text(std::size_t i) const override { return out_[i].text; }

 private:
  template <class F>
  static bool keeping_the_error(F step) {
    try {
      return step();
    } catch (const std::out_of_range&) {
      throw ErrorLost{};
    }
  }
  static char code_of(const Value& v) {
    static constexpr char codes[] = {'t', 'i', 'd', 't'};
    return codes[v.index()];
  }

  soci::statement statement_;
  std::deque<Slot> in_, out_;  // stable addresses: SOCI keeps pointers
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

constexpr std::size_t kept_statements_limit = 512;
constexpr auto longest_switch = std::chrono::seconds(10);  // to WAL, as long as the busy timeout
constexpr auto between_switches = std::chrono::milliseconds(3);

}  // namespace

struct Connection::State {
  std::string url;
  Access access;
  Dialect dialect;
  std::unique_ptr<soci::session> session;
  std::unordered_map<std::string, std::unique_ptr<Kept>, Hash, std::equal_to<>> kept;

  sqlite3* sqlite() const {
    return static_cast<soci::sqlite3_session_backend*>(session->get_backend())->conn_;
  }
  PGconn* postgresql() const {
    return static_cast<soci::postgresql_session_backend*>(session->get_backend())->conn_;
  }

  void open() {
    kept.clear();
    session.reset();
    try {
      if (dialect == Dialect::sqlite) {
        session = std::make_unique<soci::session>(
            *soci::factory_sqlite3(), "db=\"" + url.substr(7) + "\" timeout=10 shared_cache=false");
        // Reads see the last commit and never block; only the writer checkpoints (the WAL-reset fault of
        // SQLite 3.7.0 to 3.51.2 needs two checkpointing connections), and nothing is mapped into memory.
        // The page images that savepoints keep stay in memory: in a temporary file they cost 28 writes a
        // loan.
        std::string pragmas = "PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; ";
        pragmas += access == Access::write
                       ? "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000; PRAGMA cache_size=-8000;"
                       : "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4000; PRAGMA query_only=ON;";
        switch_to_wal();
        script(pragmas);
      } else {
        session = std::make_unique<soci::session>(*soci::factory_postgresql(), connect_options());
        PQsetErrorVerbosity(postgresql(), PQERRORS_VERBOSE);  // with the SQLSTATE
        script(
            "SET client_min_messages = warning; SET statement_timeout = '30s'; SET lock_timeout = '10s'; "
            "SET idle_in_transaction_session_timeout = '60s'");
      }
    } catch (const soci::soci_error& e) {
      session.reset();
      throw Unreachable(std::string("the database cannot be opened: ") + e.get_error_message());
    } catch (const std::runtime_error& e) {
      session.reset();
      throw Unreachable(std::string("the database cannot be opened: ") + e.what());
    }
  }

  // Of several processes that find a new file, each reads its header before it locks it for the switch. Who
  // holds that read lock while another wants to write is told BUSY at once, without the busy timeout, or the
  // two would wait for each other; the next attempt finds it done.
  void switch_to_wal() const {
    const auto give_up = std::chrono::steady_clock::now() + longest_switch;
    while (true) {
      try {
        return script("PRAGMA journal_mode=WAL");
      } catch (const TryAgain&) {
        if (std::chrono::steady_clock::now() >= give_up) throw;
        std::this_thread::sleep_for(between_switches);
      }
    }
  }

  // A database that hangs must not hang us: connecting and dead peers have limits.
  std::string connect_options() const {
    return url + (url.find('?') == std::string::npos ? "?" : "&") +
           "connect_timeout=3&tcp_user_timeout=15000&keepalives_idle=10&application_name=luminalib";
  }

  void script(const std::string& sql) const {
    if (dialect == Dialect::sqlite) {
      char* message = nullptr;
      const int code = sqlite3_exec(sqlite(), sql.c_str(), nullptr, nullptr, &message);
      const std::string text = message ? message : "";
      sqlite3_free(message);
      if (code != SQLITE_OK) throw_sqlite(code, text);
      return;
    }
    PGresult* result = PQexec(postgresql(), sql.c_str());
    const auto status = PQresultStatus(result);
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string code = state ? state : "";
    const std::string text = PQresultErrorMessage(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw_postgresql(code, text);
  }

  [[noreturn]] void throw_sqlite(int code, const std::string& text) const {
    switch (code & 0xff) {
      case SQLITE_FULL:
        throw StorageFull("the disk of the database is full");
      case SQLITE_IOERR:
        if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_SHMSIZE)
          throw StorageFull("the database file cannot be written");
        throw Unreachable("the database file cannot be read");
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        throw TryAgain("the database is busy");
      case SQLITE_CANTOPEN:
        throw Unreachable("the database file cannot be opened");
      case SQLITE_READONLY:
        if (access == Access::read) throw StatementError("a reading unit of work tried to write");
        throw Unreachable("the database file cannot be written");
      default:
        throw StatementError(fmt::format("SQLite error {}: {}", code, text));
    }
  }
  [[noreturn]] void throw_postgresql(const std::string& code, const std::string& text) const {
    if (code == "40001" || code == "40P01" || code == "55P03")
      throw TryAgain("serialization failure or deadlock");
    if (code.starts_with("53")) {
      if (code == "53100") throw StorageFull("the disk of the database is full");
      throw Unreachable("the database is out of resources");
    }
    if (code.empty() || code.starts_with("08") || code.starts_with("57P") || !session ||
        PQstatus(postgresql()) != CONNECTION_OK)
      throw AnswerLost("the connection to the database was lost");
    if (code == "57014") throw TookTooLong("the database took too long");
    if (code.starts_with("23")) throw ConstraintViolation(fmt::format("PostgreSQL error {}: {}", code, text));
    throw StatementError(fmt::format("PostgreSQL error {}: {}", code, text.substr(0, text.find('\n'))));
  }

  // "ERROR:  23505: duplicate key ...": the code, empty when the server could not send one.
  std::string last_postgresql_state() const {
    const std::string_view text = PQerrorMessage(postgresql());
    const auto colon = text.find(":  ");
    const auto state = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 3, 6);
    return state.size() == 6 && state.ends_with(':') ? std::string(state.substr(0, 5)) : std::string();
  }

  // SOCI's message holds the bound values; what we pass on is the database's own text without them.
  [[noreturn]] void rethrow(const soci::soci_error& error, std::string_view sql) const {
    if (dialect == Dialect::sqlite) {
      const int code = sqlite3_extended_errcode(sqlite());
      throw_sqlite(code, fmt::format("{} in: {}", sqlite3_errmsg(sqlite()), sql));
    }
    std::string code;
    if (const auto* e = dynamic_cast<const soci::postgresql_soci_error*>(&error)) code = e->sqlstate();
    if (code.find_first_not_of(' ') == std::string::npos) code.clear();
    throw_postgresql(code, fmt::format("in: {}", sql));
  }
};

Connection::Connection(std::string url, Access access) : state_(std::make_unique<State>()) {
  state_->dialect = url.starts_with("sqlite:") ? Dialect::sqlite : Dialect::postgresql;
  state_->url = std::move(url);
  state_->access = access;
  state_->open();
}
Connection::~Connection() = default;

Dialect Connection::dialect() const { return state_->dialect; }

std::int64_t Connection::run(std::string_view sql, const Value* values, std::size_t count,
                             std::string_view codes, const std::function<void(const Row&)>& on_row) {
  if (!state_->session) state_->open();
  auto it = state_->kept.find(sql);
  bool sent = false;  // what is only being prepared has no effect yet
  try {
    if (it == state_->kept.end() || !it->second->fits(values, count, codes)) {
      if (state_->kept.size() >= kept_statements_limit) state_->kept.clear(), it = state_->kept.end();
      std::string text(sql);
      if (state_->dialect == Dialect::sqlite)
        for (char& c : text)
          if (c == '$') c = '?';
      auto made = std::make_unique<Kept>(*state_->session, text, values, count, codes);
      if (it == state_->kept.end()) it = state_->kept.emplace(std::string(sql), nullptr).first;
      it->second = std::move(made);
    }
    sent = true;
    return it->second->run(values, count, on_row);
  } catch (const ErrorLost&) {
    const std::string code = state_->last_postgresql_state();
    if (it != state_->kept.end()) state_->kept.erase(it);
    try {
      state_->throw_postgresql(code, fmt::format("in: {}", sql));
    } catch (const AnswerLost& lost) {
      if (sent) throw;
      throw Unreachable(lost.what());
    }
  } catch (const soci::soci_error& error) {
    // Asked before the statement goes, because finalizing it clears SQLite's error.
    try {
      state_->rethrow(error, sql);
    } catch (const AnswerLost& lost) {
      if (it != state_->kept.end()) state_->kept.erase(it);
      if (sent) throw;
      throw Unreachable(lost.what());
    } catch (...) {
      if (it != state_->kept.end()) state_->kept.erase(it);
      throw;
    }
  } catch (...) {
    if (it != state_->kept.end()) state_->kept.erase(it);
    throw;
  }
}

void Connection::script(const std::string& sql) {
  if (!state_->session) state_->open();
  state_->script(sql);
}
void Connection::begin() {
  if (state_->dialect == Dialect::sqlite)
    run("BEGIN IMMEDIATE", nullptr, 0, {}, {});
  else
    script("BEGIN");
}
void Connection::commit() {
  if (state_->dialect == Dialect::sqlite)
    run("COMMIT", nullptr, 0, {}, {});
  else
    script("COMMIT");
}
void Connection::rollback() noexcept {
  try {
    if (in_transaction()) script("ROLLBACK");
  } catch (...) {
    // A connection that cannot roll back is broken; the next use opens a new one.
    state_->kept.clear();
    state_->session.reset();
  }
}
bool Connection::in_transaction() const {
  if (!state_->session) return false;
  if (state_->dialect == Dialect::sqlite) return sqlite3_get_autocommit(state_->sqlite()) == 0;
  const auto status = PQtransactionStatus(state_->postgresql());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}
std::int64_t Connection::changes() const {
  return state_->session ? sqlite3_total_changes64(state_->sqlite()) : 0;
}
void Connection::reconnect() { state_->open(); }
bool Connection::ended_by_server() const {
  if (!state_->session || state_->dialect == Dialect::sqlite) return false;
  pollfd socket{PQsocket(state_->postgresql()), POLLRDHUP, 0};
  return ::poll(&socket, 1, 0) > 0;
}

Dialect Transaction::dialect() const { return connection_.dialect(); }
std::int64_t Transaction::run(std::string_view sql, const Value* values, std::size_t count,
                              std::string_view codes, const OnRow& on_row) {
  return connection_.run(sql, values, count, codes, on_row);
}

}  // namespace lumina::db
