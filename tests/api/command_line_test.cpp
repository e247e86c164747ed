#include "cli/command_line.hpp"

#include "core/config/settings.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace lumina;
using Catch::Matchers::Contains;
using cli::Command;
using cli::Exit;
using cli::Invocation;

namespace {

std::variant<Invocation, Exit> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "luminalib");
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  return cli::parse(static_cast<int>(arguments.size()), arguments.data());
}

Invocation parsed(const std::vector<std::string>& words) {
  auto result = parse(words);
  if (const auto* exit = std::get_if<Exit>(&result)) FAIL(exit->error);
  return std::get<Invocation>(std::move(result));
}

Exit refused(const std::vector<std::string>& words) {
  auto result = parse(words);
  REQUIRE(std::holds_alternative<Exit>(result));
  return std::get<Exit>(std::move(result));
}

using Flags = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("every command is understood", "[K29]") {
  const std::vector<std::pair<std::vector<std::string>, Command>> rows{
      {{"serve"}, Command::serve},
      {{"migrate"}, Command::migrate_up},
      {{"migrate", "up"}, Command::migrate_up},
      {{"migrate", "status"}, Command::migrate_status},
      {{"admin", "create", "--email", "a@b.c", "--password-stdin"}, Command::admin_create},
      {{"admin", "reset-password", "--email", "a@b.c", "--password-stdin"}, Command::admin_reset_password},
      {{"admin", "list"}, Command::admin_list},
      {{"import", "books.csv"}, Command::import_file},
      {{"import", "koha", "--patrons", "p.csv", "--dry-run"}, Command::import_koha},
      {{"export", "-"}, Command::export_file},
      {{"config", "dump"}, Command::config_dump},
      {{"config", "example"}, Command::config_example},
      {{"config", "check"}, Command::config_check},
      {{"openapi"}, Command::openapi},
      {{"sentiment", "A fine book"}, Command::sentiment},
      {{"demo"}, Command::demo},
      {{"doctor"}, Command::doctor},
      {{"verify"}, Command::verify},
      {{"healthcheck"}, Command::healthcheck},
      {{"hash-password", "--password-stdin"}, Command::hash_password},
      {{"version"}, Command::version},
      {{"--version"}, Command::version},
  };
  for (const auto& [words, command] : rows) {
    INFO(words.front());
    CHECK(parsed(words).command == command);
  }
}

TEST_CASE("commands carry their arguments", "[K29]") {
  const auto create = parsed({"admin", "create", "--email", "a@b.c", "--password-stdin", "--data-dir", "x"});
  CHECK(create.email == "a@b.c");
  CHECK(create.password_stdin);
  CHECK(create.inputs.flags == Flags{{"data_dir", "x"}});
  CHECK(parsed({"admin", "--data-dir", "x", "list"}).inputs.flags == Flags{{"data_dir", "x"}});
  const auto import = parsed({"import", "--dry-run", "-", "--database-url=postgresql://h/d"});
  CHECK(import.file == "-");
  CHECK(import.dry_run);
  CHECK(import.inputs.flags == Flags{{"database_url", "postgresql://h/d"}});
  const auto demo = parsed({"demo", "--books", "7", "--users", "3", "--seed", "9"});
  CHECK(demo.books == 7);
  CHECK(demo.users == 3);
  CHECK(demo.seed == 9);
  CHECK(parsed({"demo"}).books == 1000);
  CHECK(parsed({"doctor", "--fix"}).fix);
  CHECK(parsed({"version", "--json"}).json);
  CHECK(parsed({"sentiment", "--", "--not a flag"}).text == "--not a flag");
  CHECK(parsed({"healthcheck", "--url", "http://127.0.0.1:1/ready"}).url == "http://127.0.0.1:1/ready");
  CHECK(parsed({"serve", "--config", "a.toml"}).inputs.file == "a.toml");
}

TEST_CASE("serve takes a flag for every setting, and a file for every secret", "[K8][A37]") {
  for (const auto& setting : config::settings()) {
    INFO(setting.name);
    const config::Config defaults;
    const auto value = setting.text(defaults);
    const bool is_switch = std::holds_alternative<bool config::Config::*>(setting.member);
    const auto words = is_switch ? std::vector<std::string>{"serve", setting.flag() + "=" + value}
                                 : std::vector<std::string>{"serve", setting.flag(), value};
    CHECK(parsed(words).inputs.flags == Flags{{std::string(setting.name), value}});
    if (setting.has_file_variant()) {
      CHECK(parsed({"serve", setting.flag() + "-file", "/x"}).inputs.flags ==
            Flags{{std::string(setting.name) + "_file", "/x"}});
    }
  }
}

TEST_CASE("switches stand alone or take a value, lists may repeat", "[K8]") {
  CHECK(parsed({"serve", "--demo"}).inputs.flags == Flags{{"demo", "true"}});
  CHECK(parsed({"serve", "--cors-credentials=false"}).inputs.flags == Flags{{"cors_credentials", "false"}});
  CHECK(parsed({"serve", "--http-addr", "127.0.0.1:1", "--http-addr", "[::1]:1"}).inputs.flags ==
        Flags{{"http_addr", "127.0.0.1:1,[::1]:1"}});
  CHECK(parsed({"serve", "--log-file", ""}).inputs.flags == Flags{{"log_file", ""}});
  CHECK(parsed({"serve", "--rate-limit", "off"}).inputs.flags == Flags{{"rate_limit", "off"}});
}

TEST_CASE("only commands that sign tokens or listen demand what production needs for it", "[A37]") {
  CHECK(parsed({"serve"}).inputs.serving);
  CHECK(parsed({"config", "check"}).inputs.serving);
  CHECK_FALSE(parsed({"migrate"}).inputs.serving);
  CHECK_FALSE(parsed({"healthcheck"}).inputs.serving);
}

TEST_CASE("wrong usage ends with 2, a message on standard error and a way on", "[K29]") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows{
      {{"srve"}, "did you mean serve?"},
      {{"serve", "--htp-addr", "x"}, "did you mean --http-addr?"},
      {{"serve", "extra"}, "extra"},
      {{"serve", "--bcrypt-cost", "3"}, "--bcrypt-cost must be a number from 4 to 16"},
      {{"serve", "--bcrypt-cost"}, "--bcrypt-cost"},
      {{"serve", "--bcrypt-cost", "12", "--bcrypt-cost", "13"}, "--bcrypt-cost"},
      {{"serve", "--basic-auth=perhaps"}, "--basic-auth"},
      {{"migrate", "down"}, "down"},
      {{"srve", "--help"}, "did you mean serve?"},
      {{"migrate", "down", "--help"}, "down"},
      {{"admin", "create", "--email", "a@b.c"}, "--password-stdin"},
      {{"admin", "create", "--password-stdin"}, "--email"},
      {{"admin", "create", "--email", "a@b.c", "--password", "x"}, "--password"},
      {{"import"}, "file is required"},
      {{"import", "a", "b"}, "b"},
      {{"sentiment"}, "text is required"},
      {{"demo", "--books", "0"}, "--books"},
      {{"demo", "--seed", "many"}, "--seed"},
      {{"hash-password"}, "--password-stdin"},
      {{"openapi", "--http-addr", "x"}, "--http-addr"},
  };
  for (const auto& [words, message] : rows) {
    const auto exit = refused(words);
    INFO(exit.error);
    CHECK(exit.code == 2);
    CHECK(exit.output.empty());
    CHECK_THAT(exit.error, Contains(message));
    CHECK_THAT(exit.error, Contains("--help"));
  }
}

TEST_CASE("a group of commands without a choice prints its help and ends with 2", "[K29]") {
  for (const auto& words : std::vector<std::vector<std::string>>{{}, {"admin"}, {"config"}}) {
    const auto exit = refused(words);
    CHECK(exit.code == 2);
    CHECK(exit.output.empty());
    CHECK_THAT(exit.error, Contains("Usage: luminalib "));
  }
}

TEST_CASE("every command has help on standard output", "[K29]") {
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"serve"},
                                                                 {"migrate"},
                                                                 {"migrate", "status"},
                                                                 {"migrate", "up"},
                                                                 {"admin"},
                                                                 {"admin", "create"},
                                                                 {"admin", "reset-password"},
                                                                 {"admin", "list"},
                                                                 {"import"},
                                                                 {"export"},
                                                                 {"config"},
                                                                 {"config", "dump"},
                                                                 {"config", "example"},
                                                                 {"config", "check"},
                                                                 {"openapi"},
                                                                 {"sentiment"},
                                                                 {"demo"},
                                                                 {"doctor"},
                                                                 {"verify"},
                                                                 {"healthcheck"},
                                                                 {"hash-password"},
                                                                 {"version"}}) {
    std::string path = "luminalib";
    for (const auto& word : words) path += ' ' + word;
    auto with_help = words;
    with_help.emplace_back("--help");
    const auto exit = refused(with_help);
    INFO(exit.output);
    CHECK(exit.code == 0);
    CHECK(exit.error.empty());
    CHECK_THAT(exit.output, Contains("Usage: " + path + " ["));
    CHECK_THAT(exit.output, Contains("--help"));
  }
  const auto help = refused({"serve", "--help"}).output;
  for (const auto& setting : config::settings()) {
    CHECK_THAT(help, Contains("  " + setting.flag()));
    CHECK_THAT(help, Contains("[" + setting.environment() + "]"));
  }
}

TEST_CASE("a wrong secret on the command line is not repeated in the message", "[J9]") {
  const auto exit = refused({"serve", "--database-url", "planted-5f1e"});
  CHECK(exit.error.find("planted") == std::string::npos);
}
