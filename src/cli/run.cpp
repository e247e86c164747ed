#include "app.hpp"
#include "cli/commands.hpp"
#include "core/db/migrator.hpp"
#include "core/http/openapi.hpp"
#include "core/json/codec.hpp"
#include "core/security/password.hpp"
#include "core/security/random.hpp"
#include "modules/reviews/sentiment_builtin.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <sys/stat.h>

namespace lumina::cli {
namespace {

int show_faults(const std::vector<std::string>& faults) {
  for (const auto& fault : faults) fmt::print(stderr, "luminalib: {}\n", fault);
  return 1;
}

int migrate(Command command, const config::Config& config) {
  const auto url = database_url(config);
  if (command == Command::migrate_up)
    for (const int version : db::migrate(url)) fmt::print("applied {}\n", version);
  bool pending = false;
  for (const auto& m : db::migration_status(url)) {
    fmt::print("{:04} {:<20} {}\n", m.version, m.name, m.applied ? "applied" : "pending");
    pending = pending || !m.applied;
  }
  return pending ? 1 : 0;
}

int version(bool as_json) {
  const std::string ssl = security::library_version();
  if (as_json)
    fmt::print("{{\"name\":\"luminalib\",\"version\":\"{}\",\"boost\":\"{}.{}.{}\",\"openssl\":\"{}\"}}\n",
               LUMINA_VERSION, BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100, ssl);
  else
    fmt::print("luminalib {} (Boost {}.{}.{}, {})\n", LUMINA_VERSION, BOOST_VERSION / 100000,
               BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100, ssl);
  return 0;
}

int sentiment(std::string text) {
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const reviews::BuiltinSentiment analyzer;
  const auto found = analyzer.analyze(text, {});
  fmt::print("{{\"score\":{},\"category\":\"{}\",\"source\":\"{}\"}}\n", found.score,
             reviews::sentiment_category(found.score), reviews::to_string(found.source));
  return 0;
}

// The document is made from the table of routes, which needs an application; an empty library in a temporary
// folder serves.
int openapi() {
  std::string folder = (std::filesystem::temp_directory_path() / "luminalib-XXXXXX").string();
  if (!mkdtemp(folder.data())) throw std::runtime_error("a temporary folder cannot be made");
  {
    config::Config config;
    config.data_dir = folder;
    std::fputs(App(config).openapi().c_str(), stdout);
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace

std::string read_password() {
  std::string line;
  std::getline(std::cin, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  return line;
}

int run(Invocation invocation) {
  // What the library knows of people is nobody else's on the machine: files it makes are the owner's alone.
  ::umask(077);
  switch (invocation.command) {
    case Command::version:
      return version(invocation.json);
    case Command::sentiment:
      return sentiment(invocation.text);
    case Command::config_example:
      return std::fputs(config::example().c_str(), stdout), 0;
    case Command::openapi:
      return openapi();
    default:
      break;
  }
  invocation.inputs.environment = config::process_environment();
  auto loaded = config::load(invocation.inputs);
  if (!loaded) return show_faults(loaded.error());
  const config::Config& config = loaded->config;
  switch (invocation.command) {
    case Command::serve:
      return serve(invocation, *loaded);
    case Command::migrate_up:
    case Command::migrate_status:
      return migrate(invocation.command, config);
    case Command::admin_create:
    case Command::admin_reset_password:
    case Command::admin_list:
      return admin(invocation, config);
    case Command::import_file:
      return import_file(invocation, config);
    case Command::import_koha:
      return move_in_from_koha(invocation, config);
    case Command::export_file:
      return export_file(invocation, config);
    case Command::config_dump:
      return std::fputs(config::dump(*loaded).c_str(), stdout), 0;
    case Command::config_check:
      for (const auto& warning : loaded->warnings) fmt::print(stderr, "warning: {}\n", warning);
      return fmt::print("the configuration is fine\n"), 0;
    case Command::demo:
      return demo(invocation, config);
    case Command::doctor:
      return doctor(invocation, *loaded);
    case Command::verify:
      return verify(config);
    case Command::healthcheck:
      return check_health(invocation, config);
    case Command::hash_password:
      return fmt::print("{}\n",
                        security::PasswordHasher(static_cast<int>(config.bcrypt_cost)).hash(read_password())),
             0;
    default:
      return 2;
  }
}

}  // namespace lumina::cli
