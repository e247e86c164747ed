#include "core/config/setting_checks.hpp"
#include "core/config/settings.hpp"

#include <array>

namespace lumina::config {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array environments{"development"sv, "staging"sv, "production"sv};
constexpr std::array migrations{"auto"sv, "check"sv, "off"sv};
constexpr std::array tls_versions{"1.2"sv, "1.3"sv};
constexpr std::array mail_securities{"starttls"sv, "tls"sv, "none"sv};
constexpr std::array log_levels{"trace"sv, "debug"sv, "info"sv, "warn"sv, "error"sv};
constexpr std::array log_formats{"auto"sv, "json"sv, "text"sv};
constexpr std::array llm_providers{"none"sv, "llama"sv, "ollama"sv, "openai"sv, "huggingface"sv};
constexpr std::array recs_methods{"hybrid"sv, "collaborative"sv, "content"sv, "popular"sv};
constexpr std::array embed_providers{"builtin"sv, "llama"sv, "ollama"sv, "openai"sv, "huggingface"sv};

template <auto member, const auto& names>
constexpr Choice one_of() {
  return {
      names, [](const Config& c) { return static_cast<std::size_t>(c.*member); },
      [](Config& c, std::size_t i) { c.*member = static_cast<std::remove_cvref_t<decltype(c.*member)>>(i); }};
}

constexpr bool live = true;
constexpr Range count(std::int64_t min, std::int64_t max, std::string_view unit = {}) {
  return {min, max, unit, {}};
}
constexpr Range a_minute(std::int64_t max) { return {1, max, "a minute", "off"}; }
constexpr std::int64_t kib = 1 << 10;
constexpr std::int64_t mib = 1 << 20;
constexpr std::int64_t gib = 1 << 30;

constexpr Setting checked(std::string_view section, std::string_view name, Member member,
                          std::string_view description, std::optional<std::string> (*check)(std::string&)) {
  return {section, name, member, description, {}, Secrecy::none, false, check};
}

// Of language models: taken over by a reload.
constexpr Setting model(std::string_view name, Member member, std::string_view description,
                        Range range = {}) {
  return {"Models", name, member, description, range, Secrecy::none, live};
}
constexpr Setting model_url(std::string_view name, Member member, std::string_view description) {
  return {"Models", name, member, description, {}, Secrecy::none, live, check_base_url};
}
constexpr Setting model_key(std::string_view name, Member member, std::string_view description) {
  return {"Models", name, member, description, {}, Secrecy::secret, live};
}

const std::array table{
    Setting{"Server", "env", one_of<&Config::env, environments>(),
            "What the server is for. staging and production refuse weak secrets and cheap password hashes."},
    Setting{"Server", "http_addr", &Config::http_addr,
            "Addresses to listen on. \":8000\" means every IPv4 address, port 0 a free port."},
    Setting{"Server",
            "data_dir",
            &Config::data_dir,
            "Folder for the SQLite database, the generated secret and other files; made when missing.",
            {},
            Secrecy::none,
            false,
            check_data_dir},
    Setting{"Server",
            "io_threads",
            &Config::io_threads,
            "Threads that serve sockets; auto is one for each core.",
            {1, 256, "", "auto"}},
    Setting{"Server", "shutdown_grace_seconds", &Config::shutdown_grace_seconds,
            "How long requests that are running may take to finish after SIGTERM.", count(0, 3600, "seconds"),
            Secrecy::none, live},

    Setting{"Database",
            "database_url",
            &Config::database_url,
            "postgresql://user:password@host:port/name, or sqlite:///path. Empty: luminalib.db (SQLite) in "
            "data_dir.",
            {},
            Secrecy::url,
            false,
            check_database_url},
    Setting{"Database",
            "database_replica_url",
            &Config::database_replica_url,
            "A PostgreSQL replica for reading; whoever has just written reads from the primary.",
            {},
            Secrecy::url,
            false,
            check_replica_url},
    Setting{"Database", "db_pool_size", &Config::db_pool_size, "Connections to PostgreSQL.", count(1, 1000)},
    Setting{"Database", "db_read_threads", &Config::db_read_threads,
            "Threads that read from SQLite; one more does all writes.", count(1, 64)},
    Setting{"Database", "migrate", one_of<&Config::migrate, migrations>(),
            "auto brings an older schema up to date at start, check refuses to start with one, off does not "
            "look."},

    Setting{"Accounts and tokens",
            "secret_key",
            &Config::secret_key,
            "Signs tokens. At least 32 bytes, 64 in staging and production. Empty: made at the first start "
            "and kept in "
            "data_dir/secret (development only).",
            {},
            Secrecy::secret},
    Setting{"Accounts and tokens", "access_token_minutes", &Config::access_token_minutes,
            "Life of an access token.", count(1, 10080, "minutes"), Secrecy::none, live},
    Setting{"Accounts and tokens", "refresh_token_days", &Config::refresh_token_days,
            "Life of a refresh token; each can be used once.", count(1, 365, "days"), Secrecy::none, live},
    Setting{"Accounts and tokens", "session_idle_hours", &Config::session_idle_hours,
            "A session that is not used for so long ends.", count(1, 8760, "hours"), Secrecy::none, live},
    Setting{"Accounts and tokens", "bcrypt_cost", &Config::bcrypt_cost,
            "Work to hash a password; each step doubles it. At least 10 in staging and production.",
            count(4, 16)},
    Setting{"Accounts and tokens", "password_min_length", &Config::password_min_length,
            "Characters a new password needs.", count(8, 64, "characters"), Secrecy::none, live},
    Setting{"Accounts and tokens",
            "basic_auth",
            &Config::basic_auth,
            "Accept HTTP Basic authentication on every route; catalogue feeds for e-book readers need it.",
            {},
            Secrecy::none,
            live},
    Setting{
        "Accounts and tokens",
        "address_days",
        &Config::address_days,
        "Days after which the audit log and unused sessions forget addresses and programs; off keeps them.",
        {1, 36500, "days", "off"}},

    Setting{"Limits", "rate_limit", &Config::rate_limit,
            "Requests of one caller. off switches every limit of requests off, for measurements.",
            a_minute(1000000000), Secrecy::none, live},
    Setting{"Limits", "login_rate", &Config::login_rate, "Tries to log in, of one address.", a_minute(10000),
            Secrecy::none, live},
    Setting{"Limits", "upload_rate", &Config::upload_rate, "Uploads of one caller.", a_minute(1000000),
            Secrecy::none, live},
    Setting{"Limits", "search_rate", &Config::search_rate, "Searches of one caller.", a_minute(1000000),
            Secrecy::none, live},
    Setting{"Limits", "download_rate", &Config::download_rate, "Downloads of one caller.", a_minute(1000000),
            Secrecy::none, live},
    Setting{"Limits", "max_body_bytes", &Config::max_body_bytes, "Largest body of a request; beyond it 413.",
            count(1 * kib, 1 * gib, "bytes")},
    Setting{"Limits", "header_timeout_seconds", &Config::header_timeout_seconds,
            "Time to send the head of a request.", count(1, 600, "seconds")},
    Setting{"Limits", "body_timeout_seconds", &Config::body_timeout_seconds, "Time to send the body.",
            count(1, 3600, "seconds")},
    Setting{"Limits", "idle_timeout_seconds", &Config::idle_timeout_seconds,
            "How long a connection may wait for its next request.", count(1, 3600, "seconds")},
    Setting{"Limits", "write_timeout_seconds", &Config::write_timeout_seconds, "Time to take an answer.",
            count(1, 3600, "seconds")},
    Setting{"Limits", "max_connections", &Config::max_connections,
            "Open connections; one more is answered 503.", count(1, 1000000)},
    Setting{"Limits", "max_connections_per_address", &Config::max_connections_per_address,
            "Open connections of one client address.", count(1, 1000000)},

    Setting{"Proxies and browsers",
            "trusted_proxies",
            &Config::trusted_proxies,
            "Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; from others it is "
            "ignored.",
            {},
            Secrecy::none,
            live},
    Setting{"Proxies and browsers",
            "allowed_origins",
            &Config::allowed_origins,
            "Origins whose pages may call the API (CORS). Empty: none. \"*\" needs cors_credentials = false.",
            {},
            Secrecy::none,
            live,
            check_origin},
    Setting{"Proxies and browsers",
            "cors_credentials",
            &Config::cors_credentials,
            "Let pages of those origins send cookies and authorization.",
            {},
            Secrecy::none,
            live},

    Setting{"TLS",
            "tls_cert",
            &Config::tls_cert,
            "PEM file with the certificate chain. Empty: plain HTTP.",
            {},
            Secrecy::none,
            live},
    Setting{"TLS", "tls_key", &Config::tls_key, "PEM file with the private key.", {}, Secrecy::none, live},
    Setting{"TLS",
            "tls_min_version",
            one_of<&Config::tls_min_version, tls_versions>(),
            "Oldest version of TLS that is accepted.",
            {}},

    Setting{"Library rules", "loan_period_days", &Config::loan_period_days, "How long a book is lent.",
            count(1, 90, "days")},
    Setting{"Library rules",
            "max_loans",
            &Config::max_loans,
            "Books one person may have at a time.",
            {1, 1000, "", "none"}},
    Setting{"Library rules", "max_renewals", &Config::max_renewals,
            "How often a loan may be renewed where no rule says otherwise.", count(0, 100)},
    Setting{"Library rules",
            "currency",
            &Config::currency,
            "Currency of fines, as ISO 4217 writes it. Amounts are in its minor units.",
            {},
            Secrecy::none,
            false,
            check_currency},
    Setting{"Library rules",
            "loan_history_days",
            &Config::loan_history_days,
            "Days after its return until a loan forgets who had the book.",
            {1, 36500, "days", "keep"}},
    Setting{"Library rules", "hold_pickup_days", &Config::hold_pickup_days,
            "How long a copy is kept for the person whose turn it is.", count(1, 90, "days")},
    Setting{"Library rules",
            "time_zone",
            &Config::time_zone,
            "Where the library is, for what happens at a time of day.",
            {},
            Secrecy::none,
            false,
            check_time_zone},

    Setting{"Reviews",
            "unusual_reviews",
            &Config::unusual_reviews,
            "So many of the best or worst ratings by new accounts may be held back when they are unusual.",
            {3, 1000, {}, "off"}},
    Setting{"Reviews", "unusual_hours", &Config::unusual_hours, "The time in which they are counted.",
            count(1, 720, "hours")},
    Setting{"Reviews", "unusual_account_days", &Config::unusual_account_days, "How long an account is new.",
            count(1, 365, "days")},
    Setting{"Reviews", "unusual_odds", &Config::unusual_odds,
            "Unusual is what chance brings about once in so many times or less.", count(10, 1'000'000'000)},

    checked(
        "Self-check", "sip2_addr", &Config::sip2_addr,
        "Address for self-check machines (SIP2), such as 127.0.0.1:6001. Empty: none are served. What they "
        "say is not encrypted.",
        check_listen_address),
    checked("Self-check", "sip2_institution", &Config::sip2_institution,
            "The institution id of this library; machines that name another are refused.", check_line),
    Setting{"Self-check", "sip2_patron_password", &Config::sip2_patron_password,
            "Whether people prove with their password who they are before they borrow at a machine."},

    Setting{"Notices",
            "due_soon_days",
            &Config::due_soon_days,
            "Days before the due date on which a reminder is given.",
            {1, 60, "days", "off"}},
    checked("Notices", "overdue_notice_days", &Config::overdue_notice_days,
            "Days late, counting open days, on which somebody is told so. Empty: nobody is.",
            check_day_number),
    checked("Notices", "public_url", &Config::public_url,
            "Where people reach the library, for links in mails. Empty: mails have no links.",
            check_public_url),

    checked("Mail", "mail_host", &Config::mail_host,
            "The SMTP server that takes our mail. Empty: no mail is sent.", check_host),
    Setting{"Mail",
            "mail_port",
            &Config::mail_port,
            "Its port; auto is 587 for starttls, 465 for tls and 25 for none.",
            {1, 65535, "", "auto"}},
    Setting{
        "Mail", "mail_security", one_of<&Config::mail_security, mail_securities>(),
        "starttls and tls refuse a server whose certificate is not valid. none sends everything readable, "
        "for a relay on this machine."},
    checked("Mail", "mail_username", &Config::mail_username,
            "Who we are to that server. Empty: it does not ask.", check_line),
    Setting{"Mail", "mail_password", &Config::mail_password, "The password for it.", {}, Secrecy::secret},
    checked("Mail", "mail_from", &Config::mail_from,
            "The address that mails come from; needed with mail_host.", check_email),
    checked("Mail", "mail_from_name", &Config::mail_from_name, "The library's name, as mails show it.",
            check_line),
    checked("Mail", "mail_reply_to", &Config::mail_reply_to,
            "Where answers to mails go. Empty: to mail_from.", check_email),
    Setting{"Mail", "mail_ca_file", &Config::mail_ca_file,
            "PEM file with the authorities that server is checked against. Empty: the system's."},
    Setting{"Mail", "mail_timeout_seconds", &Config::mail_timeout_seconds,
            "Longest silence of that server, and four times that for a whole message.",
            count(1, 600, "seconds")},

    Setting{"Background work", "job_threads", &Config::job_threads,
            "Jobs that run at once: imports, deliveries, clean-up.", count(1, 64)},
    Setting{"Background work", "job_lease_seconds", &Config::job_lease_seconds,
            "Silence after which another instance takes over the jobs of one that stopped.",
            count(1, 3600, "seconds")},
    Setting{"Background work", "job_poll_milliseconds", &Config::job_poll_milliseconds,
            "How often jobs of other instances are looked for.", count(10, 60'000, "milliseconds")},
    Setting{"Background work", "webhook_allow_private", &Config::webhook_allow_private,
            "Let webhooks go to addresses of private networks, this machine among them."},

    Setting{"Cache",
            "cache_bytes",
            &Config::cache_bytes,
            "Memory for answers that are ready to send.",
            {64 * kib, 1024 * gib, "bytes", "off"}},

    Setting{"Logs",
            "log_level",
            one_of<&Config::log_level, log_levels>(),
            "The least important lines to write.",
            {},
            Secrecy::none,
            live},
    Setting{"Logs", "log_format", one_of<&Config::log_format, log_formats>(),
            "json: an object a line. text: for people. auto: text on a terminal, else json."},
    Setting{"Logs", "log_file", &Config::log_file,
            "File to write to, opened anew on SIGUSR1. Empty: standard error."},
    Setting{"Logs",
            "log_file_max_bytes",
            &Config::log_file_max_bytes,
            "Size at which log_file is renamed to log_file.1 and so on, five of them kept.",
            {1 * mib, 1024 * gib, "bytes", "off"}},

    Setting{"First start",
            "admin_email",
            &Config::admin_email,
            "Made an administrator at the first start, together with admin_password.",
            {},
            Secrecy::none,
            false,
            check_email},
    Setting{"First start",
            "admin_password",
            &Config::admin_password,
            "Used once, when there is no administrator yet.",
            {},
            Secrecy::secret},
    Setting{"First start", "demo", &Config::demo, "Fill an empty catalogue with demonstration data."},

    Setting{"Catalogue", "open_library_url", &Config::open_library_url,
            "Server that is asked about books by ISBN. Empty: nobody is asked."},

    Setting{"Recommendations",
            "recs_algorithms",
            &Config::recs_algorithms,
            "What is learned from people alike: neighbours, sequence, linear, factors. One that is not named "
            "counts no more; a new one counts after the next training.",
            {},
            Secrecy::none,
            live,
            check_recs_algorithm},
    Setting{"Recommendations", "recs_dimensions", &Config::recs_dimensions,
            "Length of the vectors that stand for books, from the next training on.", count(8, 512),
            Secrecy::none, live},
    Setting{"Recommendations", "recs_half_life_days", &Config::recs_half_life_days,
            "Days after which a loan counts half for what is popular.", count(1, 3650, "days"), Secrecy::none,
            live},
    Setting{"Recommendations",
            "recs_retrain_books",
            &Config::recs_retrain_books,
            "New books after which the model is trained again.",
            {1, 1000000, "books", "off"},
            Secrecy::none,
            live},
    Setting{"Recommendations",
            "recs_threshold",
            &Config::recs_threshold,
            "A new model whose ndcg@10 is below so many thousandths is not used by itself.",
            {1, 1000, "thousandths", "off"},
            Secrecy::none,
            live},
    Setting{"Recommendations",
            "recs_experiment_percent",
            &Config::recs_experiment_percent,
            "Share of people whose lists are made by recs_experiment_method, to compare clicks.",
            {1, 100, "percent", "off"},
            Secrecy::none,
            live},
    Setting{"Recommendations",
            "recs_experiment_method",
            one_of<&Config::recs_experiment_method, recs_methods>(),
            "How their lists are made.",
            {},
            Secrecy::none,
            live},

    Setting{"Documents",
            "document_max_bytes",
            &Config::document_max_bytes,
            "The largest document that may be uploaded.",
            {1 * kib, 1 * gib, "bytes", {}}},
    checked("Documents", "document_kinds", &Config::document_kinds,
            "Kinds of documents that may be uploaded: pdf, docx, epub, html, md, txt.", check_document_kind),
    Setting{"Documents", "clamd_socket", &Config::clamd_socket,
            "ClamAV's daemon, which every upload is shown to: the path of its socket or tcp://host:port. "
            "Empty: none is."},
    Setting{"Documents", "clamd_required", &Config::clamd_required,
            "Refuse uploads while that daemon does not answer."},

    Setting{"Models", "sentiment_model", &Config::sentiment_model,
            "File with a trained sentiment model. Empty: the one in the program."},
    model("llm_provider", one_of<&Config::llm_provider, llm_providers>(),
          "Who writes summaries and answers. none: the built-in methods."),
    model_url("llm_base_url", &Config::llm_base_url, "Where that provider is. Empty: its usual address."),
    model("llm_model", &Config::llm_model, "Name of the model, or path of a GGUF file for llama."),
    model_key("llm_api_key", &Config::llm_api_key, "Key for the provider, sent to llm_base_url only."),
    model("llm_timeout", &Config::llm_timeout, "Longest wait for one answer of the model.",
          count(1, 600, "seconds")),
    model("llm_ca_file", &Config::llm_ca_file,
          "PEM file with the authorities that providers are checked against. Empty: the system's."),
    model("llm_fallback_provider", one_of<&Config::llm_fallback_provider, llm_providers>(),
          "Who is asked when that provider fails."),
    model_url("llm_fallback_base_url", &Config::llm_fallback_base_url,
              "Where the second provider is. Empty: its usual address."),
    model("llm_fallback_model", &Config::llm_fallback_model,
          "Name of the second provider's model, or path of a GGUF file for llama."),
    model_key("llm_fallback_api_key", &Config::llm_fallback_api_key,
              "Key for the second provider, sent to llm_fallback_base_url only."),
    model("llm_model_sha256", &Config::llm_model_sha256,
          "Checksum that the GGUF file must have. Empty: any."),
    Setting{"Models", "llm_library_dir", &Config::llm_library_dir,
            "Folder with the libraries of llama.cpp. Empty: lib/luminalib beside the program, "
            "/usr/lib/luminalib."},
    model("llm_threads", &Config::llm_threads, "Threads that compute for llama. 0: half the cores.",
          count(0, 256)),
    model("llm_context", &Config::llm_context,
          "Tokens that all prompts in llama share. 0: what the model was trained for, at most 8192.",
          count(0, 1'000'000)),
    model("llm_parallel", &Config::llm_parallel, "Prompts that a provider works on at once.", count(1, 32)),
    model("llm_daily_calls", &Config::llm_daily_calls, "Calls of language models a day. 0: no limit.",
          count(0, 1'000'000'000)),
    model("llm_user_daily_calls", &Config::llm_user_daily_calls,
          "Of these, calls for one person. 0: no limit.", count(0, 1'000'000'000)),
    Setting{"Models", "prompts_dir", &Config::prompts_dir,
            "Folder with prompts (NAME.md) that replace those in the program."},
    Setting{"Models", "auto_summaries", &Config::auto_summaries,
            "Write summaries of books that are new or have changed."},
    model("embed_provider", one_of<&Config::embed_provider, embed_providers>(),
          "Who turns text into vectors, of passages and books. builtin: words alone find passages, and "
          "books have the vectors of the library's own analysis."),
    Setting{"Models",
            "embed_base_url",
            &Config::embed_base_url,
            "Where that provider is. Several with spaces between them are servers of the same model: the "
            "next is asked when one fails. Empty: the usual address.",
            {},
            Secrecy::none,
            live,
            check_base_urls},
    model("embed_model", &Config::embed_model, "Name of the embedding model, or path of a GGUF file."),
    model_key("embed_api_key", &Config::embed_api_key, "Key for that provider, sent to embed_base_url only."),
};

}  // namespace

std::span<const Setting> settings() { return table; }

}  // namespace lumina::config
