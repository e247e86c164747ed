// Everything the server can be told, as one plain struct, and how it is read.
//
// Each setting is declared once, in settings.cpp: from that row come its flag (--http-addr), its environment
// variable (LUMINALIB_HTTP_ADDR), its key in the TOML file (http_addr), the example, the dump, the help text
// and the checks. Flags beat environment beats systemd credentials beats file beats default. Secrets can also
// be read from a file
// (--secret-key-file, LUMINALIB_SECRET_KEY_FILE, secret_key_file) or from $CREDENTIALS_DIRECTORY/secret_key.
// An empty environment variable counts as unset.
//
// A Config is a value: load it before threads start, share it by const reference. Functions here are
// thread-safe as long as nobody writes the environment or the files meanwhile.
#pragma once
#include "core/config/cidr.hpp"
#include "core/config/log_settings.hpp"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::config {

enum class Environment : std::uint8_t { development, staging, production };
enum class Migrate : std::uint8_t { automatic, check, off };
enum class TlsVersion : std::uint8_t { v1_2, v1_3 };
enum class MailSecurity : std::uint8_t { starttls, tls, none };
enum class LlmProvider : std::uint8_t { none, llama, ollama, openai, huggingface };
enum class RecsMethod : std::uint8_t { hybrid, collaborative, content, popular };
enum class EmbedProvider : std::uint8_t { builtin, llama, ollama, openai, huggingface };

// "127.0.0.1:8000", "[::1]:8000", "localhost:8000", ":8000" (every IPv4 address). Port 0: the system chooses
// one.
struct ListenAddress {
  std::string host;  // an IP address, without brackets
  std::uint16_t port = 0;

  static std::optional<ListenAddress> parse(std::string_view);
  std::string to_string() const;
  bool is_loopback() const;
  bool operator==(const ListenAddress&) const = default;
};

// Members carry the default values; settings.cpp the names, ranges and descriptions.
struct Config {
  Environment env = Environment::development;
  std::vector<ListenAddress> http_addr{{"127.0.0.1", 8000}};
  std::string data_dir = "./data";
  std::int64_t io_threads = 0;  // 0: one per core
  std::int64_t shutdown_grace_seconds = 30;

  std::string database_url;  // empty: SQLite in data_dir
  std::string database_replica_url;
  std::int64_t db_pool_size = 16;
  std::int64_t db_read_threads = 2;
  Migrate migrate = Migrate::automatic;

  std::string secret_key;  // empty: load_or_create_secret(data_dir)
  std::int64_t access_token_minutes = 30;
  std::int64_t refresh_token_days = 7;
  std::int64_t session_idle_hours = 24;
  std::int64_t bcrypt_cost = 12;
  std::int64_t password_min_length = 8;
  bool basic_auth = false;
  std::int64_t address_days = 90;  // 0: kept

  std::int64_t rate_limit = 1000;  // a minute, as the next four; 0: off
  std::int64_t login_rate = 5;
  std::int64_t upload_rate = 20;
  std::int64_t search_rate = 50;
  std::int64_t download_rate = 30;
  std::int64_t max_body_bytes = 10 << 20;
  std::int64_t header_timeout_seconds = 10;
  std::int64_t body_timeout_seconds = 30;
  std::int64_t idle_timeout_seconds = 60;
  std::int64_t write_timeout_seconds = 30;
  std::int64_t max_connections = 10000;
  std::int64_t max_connections_per_address = 256;

  std::vector<Cidr> trusted_proxies;
  std::vector<std::string> allowed_origins;
  bool cors_credentials = true;

  std::string tls_cert;
  std::string tls_key;
  TlsVersion tls_min_version = TlsVersion::v1_3;

  std::int64_t loan_period_days = 14;
  std::int64_t max_loans = 0;  // 0: no limit
  std::int64_t max_renewals = 3;
  std::string currency = "EUR";        // ISO 4217
  std::int64_t loan_history_days = 0;  // 0: kept
  std::int64_t hold_pickup_days = 7;
  std::string time_zone = "UTC";

  std::int64_t unusual_reviews = 5;  // from new accounts; 0: none are held back
  std::int64_t unusual_hours = 48;
  std::int64_t unusual_account_days = 14;
  std::int64_t unusual_odds = 1000;

  std::string sip2_addr;                       // empty: no self-check machines
  std::string sip2_institution = "luminalib";  // what they must call this library
  bool sip2_patron_password = true;

  std::vector<std::string> overdue_notice_days{"1", "7", "14"};  // rising
  std::int64_t due_soon_days = 3;                                // 0: nobody is reminded

  std::string public_url;      // where people reach the library, without a slash at the end
  std::string mail_host;       // empty: no mail is sent
  std::int64_t mail_port = 0;  // 0: the usual one for mail_security
  MailSecurity mail_security = MailSecurity::starttls;
  std::string mail_username, mail_password;
  std::string mail_from, mail_from_name = "LuminaLib", mail_reply_to;
  std::string mail_ca_file;  // empty: the system's
  std::int64_t mail_timeout_seconds = 30;

  std::int64_t job_threads = 4;
  std::int64_t job_lease_seconds = 30;
  std::int64_t job_poll_milliseconds = 500;
  bool webhook_allow_private = false;

  std::int64_t cache_bytes = 128 << 20;

  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  std::string log_file;                 // empty: stderr
  std::int64_t log_file_max_bytes = 0;  // 0: never rotated here

  std::string admin_email;
  std::string admin_password;
  bool demo = false;

  std::string open_library_url = "https://openlibrary.org";  // empty: nobody is asked about ISBNs

  std::vector<std::string> recs_algorithms{"neighbours", "sequence", "linear"};
  std::int64_t recs_dimensions = 128;
  std::int64_t recs_half_life_days = 30;
  std::int64_t recs_retrain_books = 100;  // 0: never by itself
  std::int64_t recs_threshold = 0;        // of ndcg@10, in thousandths; 0: none
  std::int64_t recs_experiment_percent = 0;
  RecsMethod recs_experiment_method = RecsMethod::collaborative;

  std::int64_t document_max_bytes = 10 << 20;
  std::vector<std::string> document_kinds{"pdf", "docx"};
  std::string clamd_socket;  // empty: uploads are not scanned
  bool clamd_required = true;

  std::string sentiment_model;
  LlmProvider llm_provider = LlmProvider::none;
  std::string llm_base_url;
  std::string llm_model;
  std::string llm_api_key;
  std::int64_t llm_timeout = 30;
  std::string llm_ca_file;  // empty: the system's
  LlmProvider llm_fallback_provider = LlmProvider::none;
  std::string llm_fallback_base_url, llm_fallback_model, llm_fallback_api_key;
  std::string llm_model_sha256;  // empty: any
  std::string llm_library_dir;   // empty: the usual places
  std::int64_t llm_threads = 0;  // 0: half the cores
  std::int64_t llm_context = 0;  // 0: what the model was trained for, at most 8192
  std::int64_t llm_parallel = 4;
  std::int64_t llm_daily_calls = 50'000;    // 0: no limit
  std::int64_t llm_user_daily_calls = 500;  // 0: no limit
  std::string prompts_dir;                  // empty: those of the program
  bool auto_summaries = true;
  EmbedProvider embed_provider = EmbedProvider::builtin;
  std::string embed_base_url;
  std::string embed_model;
  std::string embed_api_key;

  // staging is held to the same rules
  bool is_production() const { return env != Environment::development; }
  bool sends_mail() const { return !mail_host.empty(); }
  bool uses_postgresql() const { return database_url.starts_with("postgres"); }
  // Where SQLite keeps the catalogue: luminalib.db in data_dir, or the path of sqlite:///path.
  std::filesystem::path sqlite_path() const;
  bool operator==(const Config&) const = default;
};

using Environ = std::map<std::string, std::string, std::less<>>;

struct Inputs {
  std::filesystem::path file;                              // empty: LUMINALIB_CONFIG, else none
  std::vector<std::pair<std::string, std::string>> flags;  // "http_addr" or "secret_key_file", and text
  Environ environment;                                     // see process_environment()
  // False for commands that neither sign tokens nor listen: check() skips what only those need.
  bool serving = true;
};

struct Loaded {
  Config config;
  Environ origins;                    // setting name -> "--http-addr", "luminalib.toml:3", ...
  std::vector<std::string> warnings;  // one sentence each, for the start of the log
};

// A copy of this process's environment.
Environ process_environment();

// Every fault of every source, one sentence each naming file and line, variable or flag, and what would do.
std::expected<Loaded, std::vector<std::string>> load(const Inputs&);

// The rules that concern several settings at once; load() has applied them already.
struct Findings {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};
Findings check(const Config&, bool serving = true);

// A TOML file of every setting, commented out at its default, with its description and range.
std::string example();
// The effective settings as TOML, each with its origin; secrets are "***", passwords in URLs too.
std::string dump(const Loaded&);

// What a reload (SIGHUP) may change at once and what waits for a restart.
struct Reload {
  Config config;                           // `running` with the reloadable settings of `fresh`
  std::vector<std::string> changed;        // names taken over
  std::vector<std::string> needs_restart;  // names that differ but are kept as they were
};
Reload reload(const Config& running, const Config& fresh);

}  // namespace lumina::config
