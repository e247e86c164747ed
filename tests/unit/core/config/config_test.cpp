#include "core/config/config.hpp"

#include "core/config/secret.hpp"
#include "core/config/settings.hpp"
#include "core/config/toml_file.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace lumina;
using namespace lumina::config;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string good_secret = "3f9c1e7ab25d48f06b1c9de27a5480f3e6d1b7c20a9f4853d6e1827bc5f09a4d";

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "luminalib-config-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
    return path / name;
  }
  std::filesystem::path path;
};

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Config loaded(Inputs inputs) {
  const auto result = load(inputs);
  if (!result) FAIL(result.error().front());
  return result->config;
}

std::string only_error(Inputs inputs) {
  const auto result = load(inputs);
  REQUIRE_FALSE(result);
  REQUIRE(result.error().size() == 1);
  return result.error().front();
}

Config from_toml(const std::string& text) {
  const Folder folder;
  return loaded({.file = folder.write("test.toml", text)});
}

std::string error_of_toml(const std::string& text) {
  const Folder folder;
  return only_error({.file = folder.write("test.toml", text)});
}

bool has(const std::vector<std::string>& sentences, const std::string& part) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& sentence) { return sentence.find(part) != std::string::npos; });
}

// Tells apart everything a setting could be given.
std::string some_other_value(const Setting& setting) {
  const Config defaults;
  if (const auto* choice = std::get_if<Choice>(&setting.member)) {
    return std::string(choice->names[(choice->get(defaults) + 1) % choice->names.size()]);
  }
  if (std::holds_alternative<std::int64_t Config::*>(setting.member)) {
    return std::to_string(setting.text(defaults) == std::to_string(setting.range.min) ? setting.range.min + 1
                                                                                      : setting.range.min);
  }
  if (std::holds_alternative<bool Config::*>(setting.member))
    return setting.text(defaults) == "true" ? "off" : "on";
  if (std::holds_alternative<std::vector<Cidr> Config::*>(setting.member)) return "10.0.0.0/8, ::1";
  if (std::holds_alternative<std::vector<ListenAddress> Config::*>(setting.member))
    return "[::1]:0,127.0.0.1:9";
  if (setting.name == "database_url") return "postgresql://u:p@h/d";
  if (setting.name == "database_replica_url") return "postgresql://u:p@h2/d";
  if (setting.name == "allowed_origins") return "https://a.example,http://b.example:3000";
  if (setting.name == "admin_email") return "a@b.example";
  if (setting.name == "currency") return "CHF";
  if (setting.name == "time_zone") return "Europe/Berlin";
  if (setting.name == "mail_from" || setting.name == "mail_reply_to") return "desk@library.example";
  if (setting.name == "sip2_addr") return "127.0.0.1:6001";
  if (setting.name == "document_kinds") return "pdf,txt";
  if (setting.name == "overdue_notice_days") return "2,9";
  if (setting.name == "recs_algorithms") return "linear,factors";
  if (setting.name.ends_with("_url")) return "http://127.0.0.1:11434/v1";
  return "some-text";
}

}  // namespace

TEST_CASE("without any settings the server works on SQLite at 127.0.0.1:8000", "[K1][K8]") {
  const auto config = loaded({});
  REQUIRE(config.http_addr.size() == 1);
  CHECK(config.http_addr.front().to_string() == "127.0.0.1:8000");
  CHECK(config.sqlite_path() == "./data/luminalib.db");
  CHECK_FALSE(config.uses_postgresql());
  CHECK_FALSE(config.is_production());
}

TEST_CASE("an access token lives 30 minutes unless the configuration says otherwise, up to a week", "[A5]") {
  CHECK(loaded({}).access_token_minutes == 30);
  CHECK(loaded({.flags = {{"access_token_minutes", "1440"}}}).access_token_minutes == 1440);
  CHECK(only_error({.flags = {{"access_token_minutes", "10081"}}}) ==
        "--access-token-minutes: must be a number of minutes from 1 to 10080");
}

TEST_CASE("flags beat the environment, which beats credentials, which beat the file, which beats the default",
          "[K8]") {
  const Folder folder;
  const auto file = folder.write("a.toml", "llm_api_key = \"file\"\nlog_level = \"debug\"\n");
  folder.write("llm_api_key", "credential\n");
  Inputs inputs;
  CHECK(loaded(inputs).llm_api_key.empty());
  inputs.file = file;
  CHECK(loaded(inputs).llm_api_key == "file");
  inputs.environment["CREDENTIALS_DIRECTORY"] = folder.path.string();
  CHECK(loaded(inputs).llm_api_key == "credential");
  inputs.environment["HUGGINGFACE_API_KEY"] = "legacy";
  CHECK(loaded(inputs).llm_api_key == "legacy");
  inputs.environment["LUMINALIB_LLM_API_KEY"] = "environment";
  CHECK(loaded(inputs).llm_api_key == "environment");
  inputs.flags = {{"llm_api_key", "flag"}};
  CHECK(loaded(inputs).llm_api_key == "flag");
  CHECK(loaded(inputs).log_level == LogLevel::debug);
}

TEST_CASE("every setting has a flag, a variable and a key, and all three give the same value", "[K8]") {
  const Folder folder;
  for (const auto& setting : settings()) {
    const auto value = some_other_value(setting);
    INFO(setting.name << " = " << value);
    Config by_flag;
    REQUIRE(setting.assign_text(by_flag, value));
    CHECK_FALSE(by_flag == Config{});

    const auto file =
        folder.write("round.toml", std::string(setting.name) + " = " + setting.toml(by_flag) + "\n");
    const auto entries = read_toml(file);
    REQUIRE(entries);
    REQUIRE(entries->size() == 1);
    REQUIRE(entries->front().value);
    Config by_file;
    REQUIRE(setting.assign_typed(by_file, *entries->front().value));
    CHECK(by_file == by_flag);

    Config by_text;
    REQUIRE(setting.assign_text(by_text, setting.text(by_flag)));
    CHECK(by_text == by_flag);

    // Through load(), with whatever else the rules between settings ask for.
    Inputs inputs;
    inputs.serving = false;
    if (setting.name == "env") inputs.environment["SECRET_KEY"] = good_secret;
    if (setting.name == "admin_email") inputs.environment["LUMINALIB_ADMIN_PASSWORD"] = "a long password";
    if (setting.name == "admin_password") inputs.environment["LUMINALIB_ADMIN_EMAIL"] = "a@b.example";
    if (setting.name == "mail_host") inputs.environment["LUMINALIB_MAIL_FROM"] = "desk@library.example";
    if (setting.name == "mail_username") inputs.environment["LUMINALIB_MAIL_PASSWORD"] = "a password";
    if (setting.name == "mail_password") inputs.environment["LUMINALIB_MAIL_USERNAME"] = "desk";
    if (setting.name == "database_replica_url") inputs.environment["DATABASE_URL"] = "postgresql://h/d";
    if (setting.name == "secret_key") by_flag.secret_key = good_secret;
    if (setting.name == "llm_provider" || setting.name == "embed_provider") {
      inputs.environment["LUMINALIB_LLM_MODEL"] = "x";
      inputs.environment["LUMINALIB_EMBED_MODEL"] = "x";
    }
    auto with_flag = inputs;
    with_flag.flags = {{std::string(setting.name), setting.text(by_flag)}};
    auto with_variable = inputs;
    with_variable.environment[setting.environment()] = setting.text(by_flag);
    CHECK(setting.text(loaded(with_flag)) == setting.text(by_flag));
    CHECK(setting.text(loaded(with_variable)) == setting.text(by_flag));
  }
}

TEST_CASE("each setting is declared once, with a description and a default inside its range", "[K8]") {
  std::vector<std::string_view> names;
  const Config defaults;
  for (const auto& setting : settings()) {
    INFO(setting.name);
    CHECK(std::find(names.begin(), names.end(), setting.name) == names.end());
    names.push_back(setting.name);
    CHECK(setting.description.size() > 10);
    CHECK(setting.description.ends_with('.'));
    CHECK(find_setting(setting.name) == &setting);
    Config copy;
    CHECK(setting.assign_text(copy, setting.text(defaults)));
    CHECK(copy == defaults);
  }
}

TEST_CASE("the names that the source documents use in the environment are understood", "[K8]") {
  const auto config =
      loaded({.environment = {{"DATABASE_URL", "postgresql+asyncpg://u:p@db:5432/luminalib"},
                              {"SECRET_KEY", good_secret},
                              {"HUGGINGFACE_API_KEY", "hf_x"},
                              {"ALLOWED_ORIGINS", "https://luminalib.com,https://www.luminalib.com/"},
                              {"LOG_LEVEL", "WARNING"},
                              {"PORT", "9000"}}});
  CHECK(config.database_url == "postgresql://u:p@db:5432/luminalib");
  CHECK(config.uses_postgresql());
  CHECK(config.secret_key == good_secret);
  CHECK(config.llm_api_key == "hf_x");
  CHECK(config.allowed_origins ==
        std::vector<std::string>{"https://luminalib.com", "https://www.luminalib.com"});
  CHECK(config.log_level == LogLevel::warn);
  CHECK(config.http_addr.front().to_string() == "127.0.0.1:9000");
  CHECK(only_error({.environment = {{"PORT", "http"}}}) == "PORT: must be a number from 0 to 65535");
  CHECK(loaded({.environment = {{"PORT", "9000"}, {"LUMINALIB_HTTP_ADDR", "127.0.0.1:7000"}}})
            .http_addr.front()
            .port == 7000);
}

TEST_CASE("mail needs an address to send from, and a name with its password", "[I9][K8]") {
  const auto error = [](std::vector<std::pair<std::string, std::string>> flags) {
    return only_error({.flags = std::move(flags)});
  };
  CHECK(error({{"mail_host", "smtp.example.org"}}) == "mail_host needs mail_from, the address to send from");
  CHECK(error({{"mail_username", "desk"}}).find("belong together") != std::string::npos);
  CHECK(error({{"mail_host", "smtp.example.org/x"}, {"mail_from", "a@example.org"}}).find("mail-host") !=
        std::string::npos);
  CHECK(error({{"mail_from", "no address"}}).find("must be an e-mail address") != std::string::npos);
  CHECK(error({{"mail_from_name", "City\nBcc: x"}}).find("one line") != std::string::npos);
  CHECK(error({{"public_url", "library.example"}}).find("must be a URL") != std::string::npos);
  CHECK(error({{"overdue_notice_days", "1,seven"}}).find("must be days") != std::string::npos);
  const auto config = loaded({.flags = {{"mail_host", "smtp.example.org"},
                                        {"mail_from", "desk@example.org"},
                                        {"public_url", "https://library.example/"},
                                        {"overdue_notice_days", "2, 09"}}});
  CHECK(config.sends_mail());
  CHECK(config.public_url == "https://library.example");
  CHECK(config.overdue_notice_days == std::vector<std::string>{"2", "9"});
}

TEST_CASE("lists are separated by commas or written as JSON", "[K8]") {
  const std::vector<std::string> both{"http://a.example", "http://b.example"};
  CHECK(loaded({.environment = {{"ALLOWED_ORIGINS", " http://a.example , http://b.example ,"}}})
            .allowed_origins == both);
  CHECK(loaded({.environment = {{"ALLOWED_ORIGINS", R"(["http://a.example", "http://b.example"])"}}})
            .allowed_origins == both);
  CHECK(from_toml("allowed_origins = [\"http://a.example\", \"http://b.example\"]").allowed_origins == both);
  CHECK(from_toml("allowed_origins = \"http://a.example,http://b.example\"").allowed_origins == both);
}

TEST_CASE("an empty variable counts as unset", "[K8]") {
  CHECK(loaded({.environment = {{"LUMINALIB_LOG_LEVEL", ""}, {"SECRET_KEY", ""}, {"PORT", ""}}}) == Config{});
}

TEST_CASE("an unknown key names the file, the line and the nearest setting", "[K8]") {
  const auto error = error_of_toml("# a comment\nlog_level = \"info\"\nhtp_addr = \"127.0.0.1:1\"\n");
  CHECK_THAT(error, Contains("test.toml:3: unknown key htp_addr; did you mean http_addr?"));
  CHECK_THAT(error_of_toml("[server]\nport = 1\n"), Contains("test.toml:1: unknown key server"));
  CHECK(only_error({.flags = {{"htp_addr", "x"}}}) == "unknown setting htp_addr; did you mean http_addr?");
}

TEST_CASE("an unknown variable is a warning, for other programs may set such names", "[K8]") {
  const auto result = load({.environment = {{"LUMINALIB_LOGLEVEL", "debug"}}});
  REQUIRE(result);
  CHECK(has(result->warnings, "LUMINALIB_LOGLEVEL is no setting; did you mean LUMINALIB_LOG_LEVEL?"));
}

TEST_CASE("a value of the wrong type or out of range is refused with what is right", "[K8]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"bcrypt_cost = 3", "test.toml:1: bcrypt_cost must be a number from 4 to 16"},
      {"bcrypt_cost = \"12\"", "bcrypt_cost must be a number from 4 to 16, not text in quotes"},
      {"bcrypt_cost = true", "bcrypt_cost must be a number from 4 to 16, not true or false"},
      {"bcrypt_cost = [12]", "bcrypt_cost must be a number from 4 to 16, not a list"},
      {"bcrypt_cost = 12.5", "bcrypt_cost must be a number from 4 to 16, not text in quotes"},
      {"bcrypt_cost = 2026-11-22", "bcrypt_cost must be a number from 4 to 16, not a date or time"},
      {"basic_auth = \"yes\"", "basic_auth must be true or false without quotes"},
      {"log_level = 3", "log_level must be one of trace, debug, info, warn, error, not a number"},
      {"log_level = \"loud\"", "log_level must be one of trace, debug, info, warn, error"},
      {"rate_limit = \"none\"", "rate_limit must be off or 1 to 1000000000 a minute"},
      {"rate_limit = -5", "rate_limit must be off or 1 to 1000000000 a minute"},
      {"max_body_bytes = \"10 potatoes\"", "max_body_bytes must be a size from 1 KiB to 1 GiB"},
      {"max_body_bytes = \"99999999999999 GiB\"", "max_body_bytes must be a size from 1 KiB to 1 GiB"},
      {"http_addr = \"127.0.0.1\"", "http_addr must be a list of addresses"},
      {"http_addr = []", "http_addr must be a list of addresses"},
      {"http_addr = \"127.0.0.1:99999\"", "http_addr must be a list of addresses"},
      {"http_addr = \"example.com:80\"", "http_addr must be a list of addresses"},
      {"http_addr = [1]", "http_addr must be a list of addresses"},
      {"trusted_proxies = [\"10.0.0.0/40\"]", "trusted_proxies must be a list of networks"},
      {"database_url = \"mysql://x\"",
       "database_url must be postgresql://user:password@host:port/name or sqlite:///path"},
      {"llm_base_url = \"file:///etc/passwd\"", "llm_base_url must be a URL"},
      {"admin_email = \"nobody\"", "admin_email must be an e-mail address"},
      {"data_dir = \"\"", "data_dir must name a folder"},
      {"loan_period_days = 91", "loan_period_days must be a number of days from 1 to 90"},
      {"log_level = \"info", "test.toml:1:"},
      {"log_level = \"info\"\nlog_level = \"warn\"", "test.toml:2:"},
  };
  for (const auto& [text, message] : rows) {
    INFO(text);
    CHECK_THAT(error_of_toml(text), Contains(message));
  }
}

TEST_CASE("every fault is reported, not the first alone", "[K8]") {
  const Folder folder;
  const auto result = load({.file = folder.write("a.toml", "bcrypt_cost = 99\nnonsense = 1\n"),
                            .flags = {{"migrate", "maybe"}},
                            .environment = {{"LOG_LEVEL", "loud"}}});
  REQUIRE_FALSE(result);
  CHECK(result.error().size() == 4);
}

TEST_CASE("a file that cannot be read is an error that says why", "[K8]") {
  CHECK(only_error({.file = "/nonexistent/luminalib.toml"}) ==
        "cannot read /nonexistent/luminalib.toml: No such file or directory");
  CHECK_THAT(only_error({.environment = {{"LUMINALIB_CONFIG", "/nonexistent"}}}),
             StartsWith("cannot read /nonexistent"));
  CHECK_THAT(only_error({.file = "/"}), StartsWith("cannot read /: Is a directory"));
  CHECK_THAT(only_error({.file = "/dev/zero"}), Contains("larger than"));
}

TEST_CASE("numbers with a word for zero take the word and 0", "[A28]") {
  CHECK(loaded({.flags = {{"rate_limit", "off"}}}).rate_limit == 0);
  CHECK(loaded({.flags = {{"rate_limit", "0"}}}).rate_limit == 0);
  CHECK(from_toml("rate_limit = \"off\"\nmax_loans = \"none\"\nio_threads = \"auto\"").rate_limit == 0);
  CHECK(from_toml("tls_min_version = 1.2").tls_min_version == TlsVersion::v1_2);
}

TEST_CASE("sizes may have a unit", "[K8]") {
  for (const std::string text : {"20971520", "20 MiB", "20MiB", "20M", "20480k", "20971520 B"}) {
    INFO(text);
    CHECK(loaded({.flags = {{"max_body_bytes", text}}}).max_body_bytes == 20 << 20);
  }
  CHECK(from_toml("max_body_bytes = 4096").max_body_bytes == 4096);
  CHECK(from_toml("max_body_bytes = \"4 KiB\"").max_body_bytes == 4096);
}

TEST_CASE("addresses to listen on read and print", "[K8]") {
  for (const auto& [given, shown] :
       std::vector<std::pair<std::string, std::string>>{{"127.0.0.1:8000", "127.0.0.1:8000"},
                                                        {"[::1]:0", "[::1]:0"},
                                                        {":8000", "0.0.0.0:8000"},
                                                        {"localhost:1", "127.0.0.1:1"}}) {
    const auto address = ListenAddress::parse(given);
    REQUIRE(address);
    CHECK(address->to_string() == shown);
  }
  for (const std::string text : {"", ":", "1.2.3.4:", "::1:80", "[1.2.3.4]:80", "[]:80", "1.2.3.4:-1",
                                 "1.2.3.4:65536", "[::1]", "host:80", "1.2.3.4:80x"}) {
    INFO(text);
    CHECK_FALSE(ListenAddress::parse(text));
  }
}

TEST_CASE("a database is SQLite in the data directory, SQLite elsewhere, or PostgreSQL", "[K3]") {
  CHECK(loaded({.flags = {{"data_dir", "/srv/l"}}}).sqlite_path() == "/srv/l/luminalib.db");
  CHECK(loaded({.flags = {{"database_url", "sqlite:///rel.db"}}}).sqlite_path() == "rel.db");
  CHECK(loaded({.flags = {{"database_url", "sqlite+aiosqlite:////abs/x.db"}}}).sqlite_path() == "/abs/x.db");
  CHECK(loaded({.flags = {{"database_url", "postgres://h/d"}}}).uses_postgresql());
  CHECK_THAT(only_error({.flags = {{"database_replica_url", "postgresql://h/d"}}}),
             Contains("needs a PostgreSQL"));
  CHECK_THAT(only_error({.flags = {{"database_url", "sqlite://"}}}), Contains("--database-url: must be"));
}

TEST_CASE("each secret can be read from a file named by a flag, a variable or a key", "[A37]") {
  const Folder folder;
  const auto secret = folder.write("s", good_secret + "\n");
  CHECK(loaded({.flags = {{"secret_key_file", secret.string()}}}).secret_key == good_secret);
  CHECK(loaded({.environment = {{"LUMINALIB_SECRET_KEY_FILE", secret.string()}}}).secret_key == good_secret);
  CHECK(loaded({.environment = {{"SECRET_KEY_FILE", secret.string()}}}).secret_key == good_secret);
  CHECK(from_toml("secret_key_file = \"" + secret.string() + "\"").secret_key == good_secret);
  folder.write("secret_key", good_secret + "\r\n");
  folder.write("database_url", "postgresql://u:p@h/d\n");
  const auto config = loaded({.environment = {{"CREDENTIALS_DIRECTORY", folder.path.string()}}});
  CHECK(config.secret_key == good_secret);
  CHECK(config.database_url == "postgresql://u:p@h/d");

  CHECK_THAT(only_error({.flags = {{"secret_key_file", "/nonexistent"}}}),
             Contains("cannot read /nonexistent"));
  CHECK_THAT(only_error({.flags = {{"secret_key_file", folder.write("empty", "\n").string()}}}),
             Contains("is empty"));
  CHECK_THAT(only_error({.environment = {{"SECRET_KEY", good_secret}, {"SECRET_KEY_FILE", secret.string()}}}),
             Contains("cannot be set together"));
  CHECK_THAT(only_error({.flags = {{"secret_key", good_secret}, {"secret_key_file", secret.string()}}}),
             Contains("cannot be given together"));
  CHECK_THAT(error_of_toml("secret_key = \"x\"\nsecret_key_file = \"y\""), Contains("test.toml:2"));
  CHECK_THAT(error_of_toml("log_level_file = \"y\""), Contains("unknown key log_level_file"));
}

TEST_CASE("production refuses to start with a secret that is missing, short or a sample", "[A37]") {
  const auto with = [](const std::string& env, const std::string& secret) {
    Inputs inputs{.flags = {{"env", env}}};
    if (!secret.empty()) inputs.environment["SECRET_KEY"] = secret;
    return load(inputs);
  };
  CHECK(with("production", good_secret));
  CHECK(with("development", ""));
  CHECK(with("development", good_secret.substr(0, 32)));
  for (const std::string env : {"production", "staging"}) {
    CHECK_FALSE(with(env, ""));
    CHECK_FALSE(with(env, good_secret.substr(0, 63)));
    CHECK_FALSE(with(env, "<strong-random-key-64-chars>"));
    CHECK_FALSE(with(env, "<strong-random-key-64-chars>" + good_secret));
    CHECK_FALSE(with(env, "your-secret-key-change-in-production-" + good_secret));
    CHECK_FALSE(with(env, std::string(64, 'x')));
  }
  CHECK_FALSE(with("development", good_secret.substr(0, 31)));
  const auto sample = with("development", "change-me-" + good_secret);
  REQUIRE(sample);
  CHECK(has(sample->warnings, "sample value"));
}

TEST_CASE("commands that sign no tokens work without the secret", "[A37]") {
  CHECK(load({.flags = {{"env", "production"}}, .serving = false}));
}

TEST_CASE("no error, warning or dump shows a secret", "[J9][A37]") {
  const std::string planted = "planted-5f1e";
  const Folder folder;
  std::vector<std::string> said;
  const auto collect = [&](const Inputs& inputs) {
    const auto result = load(inputs);
    if (!result) {
      said.insert(said.end(), result.error().begin(), result.error().end());
    } else {
      said.insert(said.end(), result->warnings.begin(), result->warnings.end());
      said.push_back(dump(*result));
    }
  };
  for (const std::string name :
       {"secret_key", "database_url", "admin_password", "llm_api_key", "database_replica_url"}) {
    collect({.flags = {{name, planted}}});
    collect({.flags = {{"env", "production"}, {name, planted}}});
    collect({.file = folder.write("a.toml", name + " = \"" + planted + "\"")});
    collect({.file = folder.write("b.toml", name + " = [\"" + planted + "\"]")});
  }
  collect({.environment = {{"SECRET_KEY", planted + good_secret}, {"LUMINALIB_LLM_API_KEY", planted}}});
  collect({.environment = {{"DATABASE_URL", "postgresql://user:" + planted + "@host/name"}}});
  collect({.environment = {{"DATABASE_URL", "postgresql://user:a@" + planted + "@host/name"}}});
  collect({.environment = {{"DATABASE_URL", "postgresql://user@host/name?password=" + planted}}});
  collect({.environment = {{"DATABASE_URL", "postgresql://" + planted}, {"LUMINALIB_MIGRATE", "x"}}});
  CHECK(said.size() > 10);
  for (const auto& text : said) {
    INFO(text);
    CHECK(text.find(planted) == std::string::npos);
  }
}

TEST_CASE("a dump shows every setting with its origin, and what it shows loads again", "[K8]") {
  const Folder folder;
  const auto result =
      load({.file = folder.write("my.toml", "loan_period_days = 21\n"),
            .flags = {{"log_level", "debug"}},
            .environment = {{"DATABASE_URL", "postgresql://u:pw@h/d"}, {"SECRET_KEY", good_secret}}});
  REQUIRE(result);
  const auto text = dump(*result);
  CHECK_THAT(text, Contains("loan_period_days = 21  # " + (folder.path / "my.toml").string() + ":1\n"));
  CHECK_THAT(text, Contains("log_level = \"debug\"  # --log-level\n"));
  CHECK_THAT(text, Contains("database_url = \"postgresql://u:***@h/d\"  # DATABASE_URL\n"));
  CHECK_THAT(text, Contains("secret_key = \"***\"  # SECRET_KEY\n"));
  CHECK_THAT(text, Contains("bcrypt_cost = 12  # default\n"));
  const auto entries = parse_toml(text, "dump");
  REQUIRE(entries);
  CHECK(entries->size() == settings().size());
}

TEST_CASE("config/luminalib.toml is what config example prints", "[K8]") {
  CHECK(content_of(std::filesystem::path(LUMINA_SOURCE_DIR) / "config/luminalib.toml") == example());
}

TEST_CASE("the example changes nothing, also with every default made explicit", "[K8]") {
  CHECK(from_toml(example()) == Config{});
  std::string explicit_text;
  std::istringstream lines(example());
  for (std::string line; std::getline(lines, line);) {
    const bool key = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
    const auto name = key ? line.substr(1, line.find(' ') - 1) : std::string();
    if (find_setting(name)) explicit_text += line.substr(1) + "\n";
  }
  const auto entries = parse_toml(explicit_text, "explicit");
  REQUIRE(entries);
  CHECK(entries->size() == settings().size());
  CHECK(from_toml(explicit_text) == Config{});
}

TEST_CASE("config/production.toml passes once its secret and certificate are there", "[A37][K8]") {
  const Folder folder;
  auto text = content_of(std::filesystem::path(LUMINA_SOURCE_DIR) / "config/production.toml");
  for (const std::string name : {"fullchain.pem", "privkey.pem"}) {
    const std::string path = "/etc/luminalib/tls/" + name;
    REQUIRE(text.find(path) != std::string::npos);
    text.replace(text.find(path), path.size(), folder.write(name, "pem").string());
  }
  const auto result =
      load({.file = folder.write("p.toml", text), .environment = {{"SECRET_KEY", good_secret}}});
  if (!result) FAIL(result.error().front());
  CHECK(result->warnings.empty());
  CHECK(result->config.is_production());
  CHECK(result->config.uses_postgresql());
  CHECK(result->config.tls_min_version == TlsVersion::v1_3);
}

TEST_CASE("every origin with credentials is refused at start", "[A29]") {
  CHECK_THAT(only_error({.flags = {{"allowed_origins", "*"}}}), Contains("\"*\" with credentials"));
  CHECK(load({.flags = {{"allowed_origins", "*"}, {"cors_credentials", "false"}}}));
  for (const std::string origin :
       {"example.com", "https://a.example/path", "https://*.example", "ftp://a", "https://", "null",
        "https://a b", "javascript:alert(1)", "https://u@a.example"}) {
    INFO(origin);
    CHECK_FALSE(load({.flags = {{"allowed_origins", origin}}}));
  }
  CHECK(loaded({.flags = {{"allowed_origins", "HTTPS://A.Example"}}}).allowed_origins.front() ==
        "https://a.example");
}

TEST_CASE("production refuses cheap password hashes", "[A37]") {
  const Inputs cheap{.flags = {{"env", "production"}, {"bcrypt_cost", "9"}},
                     .environment = {{"SECRET_KEY", good_secret}}};
  CHECK_THAT(only_error(cheap), Contains("bcrypt_cost must be at least 10"));
  CHECK(load({.flags = {{"bcrypt_cost", "4"}}}));
}

TEST_CASE("the start warns of what is risky", "[A37]") {
  const auto warnings = [](Inputs inputs) {
    const auto result = load(inputs);
    if (!result) FAIL(result.error().front());
    return result->warnings;
  };
  CHECK(has(warnings({}), "secret_key is not set"));
  CHECK(has(warnings({.flags = {{"http_addr", "0.0.0.0:8000"}}}), "listening on 0.0.0.0:8000 without TLS"));
  CHECK_FALSE(has(warnings({.flags = {{"http_addr", "127.0.0.1:8000,[::1]:8000"}}}), "without TLS"));
  CHECK_FALSE(
      has(warnings({.flags = {{"http_addr", ":80"}, {"trusted_proxies", "10.0.0.0/8"}}}), "without TLS"));
  CHECK(has(warnings({.flags = {{"secret_key", good_secret}}}),
            "--secret-key on the command line can be seen"));
  const Inputs loud{
      .flags = {{"env", "production"}, {"log_level", "debug"}, {"rate_limit", "off"}, {"demo", "true"}},
      .environment = {{"SECRET_KEY", good_secret}}};
  CHECK(has(warnings(loud), "log_level is below info"));
  CHECK(has(warnings(loud), "rate_limit is off"));
  CHECK(has(warnings(loud), "demonstration data"));
}

TEST_CASE("settings that belong together are refused alone", "[K8]") {
  CHECK_FALSE(load({.flags = {{"tls_cert", "/dev/null"}}}));
  CHECK_FALSE(load({.flags = {{"admin_email", "a@b.example"}}}));
  CHECK_FALSE(load({.flags = {{"llm_provider", "llama"}}}));
  CHECK_THAT(only_error({.flags = {{"tls_cert", "/nonexistent"}, {"tls_key", "/dev/null"}}}),
             Contains("tls_cert: cannot read /nonexistent"));
}

TEST_CASE("a reload takes over what may change at once and names what waits for a restart", "[K9]") {
  Config running;
  Config fresh;
  fresh.log_level = LogLevel::debug;
  fresh.rate_limit = 5;
  fresh.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  fresh.data_dir = "/elsewhere";
  fresh.http_addr = {{"127.0.0.1", 1}};
  const auto result = reload(running, fresh);
  CHECK(result.changed == std::vector<std::string>{"rate_limit", "trusted_proxies", "log_level"});
  CHECK(result.needs_restart == std::vector<std::string>{"http_addr", "data_dir"});
  CHECK(result.config.log_level == LogLevel::debug);
  CHECK(result.config.rate_limit == 5);
  CHECK(result.config.trusted_proxies == fresh.trusted_proxies);
  CHECK(result.config.data_dir == running.data_dir);
  CHECK(result.config.http_addr == running.http_addr);
  CHECK(reload(running, running).changed.empty());
}

TEST_CASE("a secret is made once, kept with mode 0600 and found again", "[A37]") {
  const Folder folder;
  const auto data = folder.path / "new" / "data";
  const auto first = load_or_create_secret(data);
  REQUIRE(first);
  CHECK(first->created);
  CHECK(first->secret.size() == 64);
  CHECK(first->warning.empty());
  struct stat about{};
  REQUIRE(::stat((data / "secret").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  const auto again = load_or_create_secret(data);
  REQUIRE(again);
  CHECK_FALSE(again->created);
  CHECK(again->secret == first->secret);
  CHECK(std::distance(std::filesystem::directory_iterator(data), {}) == 1);
  const auto other = load_or_create_secret(folder.path / "other");
  REQUIRE(other);
  CHECK(other->secret != first->secret);

  std::filesystem::permissions(data / "secret", std::filesystem::perms(0644));
  const auto open = load_or_create_secret(data);
  REQUIRE(open);
  CHECK_THAT(open->warning, Contains("chmod 600"));
}

TEST_CASE("processes that start at once agree on one secret", "[A37]") {
  for (int round = 0; round < 20; ++round) {
    const Folder folder;
    std::vector<std::string> secrets(8);
    {
      std::vector<std::jthread> starters;
      for (auto& secret : secrets) {
        starters.emplace_back([&] {
          if (const auto stored = load_or_create_secret(folder.path)) secret = stored->secret;
        });
      }
    }
    CHECK(secrets.front().size() == 64);
    CHECK(std::all_of(secrets.begin(), secrets.end(),
                      [&](const auto& secret) { return secret == secrets.front(); }));
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  }
}

TEST_CASE("a secret that cannot be read, made or used is an error that says why", "[A37]") {
  const Folder folder;
  folder.write("secret", "short\n");
  const auto weak = load_or_create_secret(folder.path);
  REQUIRE_FALSE(weak);
  CHECK_THAT(weak.error(), Contains("fewer than 32 bytes"));
  const auto file = folder.write("file", "");
  CHECK_FALSE(load_or_create_secret(file));
  CHECK_FALSE(load_or_create_secret("/proc/nowhere"));
}

TEST_CASE("no bytes in a file of settings crash the reader", "[K25]") {
  const auto seed_text =
      example() + "\nhttp_addr = [\"127.0.0.1:1\"]\nrate_limit = \"off\"\nbcrypt_cost = 12\n";
  std::uint32_t state = 1;
  const auto next = [&] { return state = state * 1664525U + 1013904223U; };
  const Folder folder;
  for (int round = 0; round < 300; ++round) {
    auto text = seed_text.substr(seed_text.size() - 400);
    for (int change = 0; change < 6; ++change) text[next() % text.size()] = static_cast<char>(next() >> 24);
    const auto parsed = parse_toml(text, "fuzz");
    if (!parsed) CHECK_THAT(parsed.error(), StartsWith("fuzz"));
    for (const auto& entry : parsed.value_or(std::vector<TomlEntry>{})) {
      const auto* setting = find_setting(entry.key);
      Config scratch;
      if (!setting || !entry.value) continue;
      if (const auto assigned = setting->assign_typed(scratch, *entry.value); !assigned)
        CHECK_FALSE(assigned.error().empty());
    }
  }
  for (const auto& text : {std::string("a"), std::string("\0", 1), std::string(2000, '['),
                           std::string("a = \xff"), std::string("a = 99999999999999999999")}) {
    CAPTURE(text);
    const auto parsed = parse_toml(text, "fuzz");
    REQUIRE_FALSE(parsed);
    CHECK_THAT(parsed.error(), StartsWith("fuzz"));
  }
  const auto marked = parse_toml("\xef\xbb\xbflog_level = \"info\"", "fuzz");
  REQUIRE(marked);
  CHECK(marked->size() == 1);
}
