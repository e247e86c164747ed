#include "cli/command_line.hpp"

#include "core/config/nearest.hpp"
#include "core/config/settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::cli {
namespace {

using config::Setting;
using std::string_view_literals::operator""sv;

constexpr int wrong_usage = 2;

// Settings that the help of every command shows; serve shows all.
constexpr std::initializer_list<std::string_view> common_settings{"data_dir", "database_url"};

bool contains(std::initializer_list<std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A name on its line, what it means indented beneath.
class PlainFormatter final : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return "  " + make_option_name(option, is_positional) + make_option_opts(option) + '\n' +
           wrapped(make_option_desc(option));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_name().empty() ? std::string() : ' ' + option->get_type_name();
  }

 private:
  static std::string wrapped(std::string_view text) {
    constexpr std::size_t width = 90;
    std::string lines;
    while (!text.empty()) {
      auto end = text.size() <= width ? text.size() : text.rfind(' ', width);
      if (end == std::string_view::npos) end = text.size();
      lines += "      " + std::string(text.substr(0, end)) + '\n';
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
  }
};

bool is_flag(const Setting& setting) {
  return std::holds_alternative<bool config::Config::*>(setting.member);
}
bool is_text(const Setting& setting) {
  return std::holds_alternative<std::string config::Config::*>(setting.member);
}
bool is_list(const Setting& setting) {
  return std::holds_alternative<std::vector<std::string> config::Config::*>(setting.member) ||
         std::holds_alternative<std::vector<Cidr> config::Config::*>(setting.member) ||
         std::holds_alternative<std::vector<config::ListenAddress> config::Config::*>(setting.member);
}

std::string help_of(const Setting& setting) {
  static const config::Config defaults;
  std::string text(setting.description);
  if (!is_text(setting) && setting.name != "allowed_origins") text += " Takes " + setting.expects() + '.';
  const auto standard = setting.text(defaults);
  if (!standard.empty()) text += " Default " + standard + '.';
  return text + " [" + setting.environment() + ']';
}

// One flag of one command that sets a setting, or names the file that holds it.
struct SettingFlag {
  CLI::Option* option;
  const Setting* setting;
  bool from_file;
};

class Parser {
 public:
  Parser() : app_("LuminaLib, an open library server.", "luminalib") {
    app_.formatter(std::make_shared<PlainFormatter>());
    app_.require_subcommand(0, 1);
    app_.set_help_flag("-h,--help", "Print this help and exit.");
    app_.add_flag("-V,--version", version_asked_, "Print the version and exit.");
    add_server();
    add_database_commands();
    add_other_commands();
    app_.footer(
        "Exit codes: 0 fine, 1 a problem, 2 wrong usage.\n"
        "Every setting is a flag (--http-addr), an environment variable (LUMINALIB_HTTP_ADDR) and a key of "
        "the file\n"
        "given by --config (http_addr). 'luminalib serve --help' lists them, 'luminalib config example' "
        "prints a file.");
  }

  std::variant<Invocation, Exit> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      // Help for what does not exist is wrong usage, as without --help.
      if (const auto unknown = app_.remaining(true); !unknown.empty())
        return misuse("The following argument was not expected: " + unknown.front() + hint(argc, argv));
      return Exit{0, help(), {}};
    } catch (const CLI::ParseError& fault) {
      return misuse(fault.what() + hint(argc, argv));
    }
    if (version_asked_) chosen_ = Command::version;
    if (!chosen_) return Exit{wrong_usage, {}, help()};
    invocation_.command = *chosen_;
    if (argc > 0 && argv[0] != nullptr && *argv[0] != '\0') invocation_.program = argv[0];
    invocation_.inputs.serving = *chosen_ == Command::serve || *chosen_ == Command::config_check;
    for (const auto& flag : flags_) {
      if (auto wrong = take(flag)) return misuse(*wrong);
    }
    return std::move(invocation_);
  }

 private:
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& description,
                std::optional<Command> command) {
    auto* added = parent.add_subcommand(name, description);
    if (command) {
      added->callback([this, command] {
        if (!chosen_) chosen_ = command;
      });
    }
    return added;
  }

  // Commands beneath another take the settings given before or after their name.
  CLI::App* add_beneath(CLI::App& parent, const std::string& name, const std::string& description,
                        Command command) {
    auto* added = add(parent, name, description, command);
    added->fallthrough();
    added->footer("Also takes every setting: see 'luminalib serve --help'.");
    return added;
  }

  void add_settings(CLI::App& app, bool show_all) {
    auto* file =
        app.add_option("--config", invocation_.inputs.file, "TOML file with settings. [LUMINALIB_CONFIG]");
    file->type_name("FILE");
    for (const auto& setting : config::settings()) {
      add_setting(app, setting, show_all || contains(common_settings, setting.name));
    }
    if (!show_all) app.footer("Also takes every other setting: see 'luminalib serve --help'.");
  }

  void add_setting(CLI::App& app, const Setting& setting, bool show) {
    const std::string group = show ? std::string(setting.section) : "";
    CLI::Option* option = nullptr;
    if (is_flag(setting)) {
      option = app.add_flag_callback(setting.flag(), [] {}, help_of(setting));
    } else {
      option = app.add_option(setting.flag(), CLI::callback_t{}, help_of(setting));
      option->type_name(is_text(setting) ? "TEXT" : "VALUE");
      if (is_list(setting)) option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    option->group(group);
    flags_.push_back({option, &setting, false});
    if (!setting.has_file_variant()) return;
    auto* file = app.add_option(setting.flag() + "-file", CLI::callback_t{},
                                "File that holds it. [" + setting.environment() + "_FILE]");
    file->type_name("FILE")->group(group);
    flags_.push_back({file, &setting, true});
  }

  void add_server() {
    auto* serve = add(app_, "serve", "Run the server.", Command::serve);
    add_settings(*serve, true);
  }

  void add_database_commands() {
    auto* migrate =
        add(app_, "migrate", "Bring the schema of the database up to date (the same as migrate up).",
            std::nullopt);
    add_settings(*migrate, false);
    migrate->require_subcommand(0, 1);
    migrate->callback([this, migrate] {
      if (migrate->get_subcommands().empty()) chosen_ = Command::migrate_up;
    });
    add_beneath(*migrate, "up", "Apply the migrations that are missing.", Command::migrate_up);
    add_beneath(*migrate, "status",
                "List the migrations and whether they are applied; code 1 when one is missing.",
                Command::migrate_status);

    auto* admin =
        add(app_, "admin", "Administrators of the library; also while the server runs.", std::nullopt);
    add_settings(*admin, false);
    admin->require_subcommand(0, 1);
    auto* create = add_beneath(*admin, "create", "Make an administrator.", Command::admin_create);
    auto* reset =
        add_beneath(*admin, "reset-password", "Give an account a new password and end its sessions.",
                    Command::admin_reset_password);
    for (auto* command : {create, reset}) {
      command->add_option("--email", invocation_.email, "E-mail address of the account.")
          ->required()
          ->type_name("EMAIL");
      command
          ->add_flag("--password-stdin", invocation_.password_stdin, "Read the password from standard input.")
          ->required();
    }
    add_beneath(*admin, "list", "List the administrators.", Command::admin_list);

    auto* import = add(app_, "import", "Read books into the catalogue.", Command::import_file);
    auto* file =
        import->add_option("file", invocation_.file, "File to read; - is standard input.")->type_name("");
    import->add_flag("--dry-run", invocation_.dry_run, "Check the file and report, but change nothing.");
    add_settings(*import, false);
    auto* koha =
        add_beneath(*import, "koha", "Move in from Koha: patrons, items and loans.", Command::import_koha);
    koha->add_option("--patrons", invocation_.patrons, "CSV file of patrons.")->type_name("FILE");
    koha->add_option("--items", invocation_.items, "CSV file of items with their titles.")->type_name("FILE");
    koha->add_option("--loans", invocation_.loans, "CSV file of loans.")->type_name("FILE");
    koha->add_option("--mapping", invocation_.mapping, "TOML file with other names of columns and codes.")
        ->type_name("FILE");
    koha->add_flag("--dry-run", invocation_.dry_run, "Check the files and report, but change nothing.");
    koha->add_flag("--invite", invocation_.invite, "Mail new patrons a link to choose a password.");
    import->callback([this, koha, file] {
      if (koha->parsed() == 0 && file->empty()) throw CLI::RequiredError("file");
      if (koha->parsed() > 0 && invocation_.patrons.empty() && invocation_.items.empty() &&
          invocation_.loans.empty())
        throw CLI::RequiredError("--patrons, --items or --loans");
      if (!chosen_) chosen_ = koha->parsed() > 0 ? Command::import_koha : Command::import_file;
    });

    auto* exported = add(app_, "export", "Write the catalogue to a file.", Command::export_file);
    exported->add_option("file", invocation_.file, "File to write; - is standard output.")
        ->required()
        ->type_name("");
    add_settings(*exported, false);

    auto* demo = add(app_, "demo",
                     "Fill the database with made-up books, users and loans, the same for the same seed.",
                     Command::demo);
    demo->add_option("--books", invocation_.books, "How many books. Default 1000.")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000'000}))
        ->type_name("N");
    demo->add_option("--users", invocation_.users, "How many users. Default 50.")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
        ->type_name("N");
    demo->add_option("--seed", invocation_.seed, "Where the random numbers start. Default 1.")
        ->type_name("N");
    add_settings(*demo, false);

    auto* doctor =
        add(app_, "doctor", "Examine configuration, database and disk; code 1 when something is wrong.",
            Command::doctor);
    doctor->add_flag("--fix", invocation_.fix, "Repair what can be repaired safely.");
    add_settings(*doctor, false);

    auto* verify = add(app_, "verify",
                       "Compare every kept file of documents with its digest; code 1 when one is damaged.",
                       Command::verify);
    add_settings(*verify, false);
  }

  void add_other_commands() {
    auto* config = add(app_, "config", "The configuration.", std::nullopt);
    add_settings(*config, false);
    config->require_subcommand(0, 1);
    add_beneath(*config, "check", "Read all settings and report every mistake.", Command::config_check);
    add_beneath(*config, "dump",
                "Print the settings in effect and where each comes from; secrets are masked.",
                Command::config_dump);
    add_beneath(*config, "example", "Print a file of every setting with its default.",
                Command::config_example);

    add(app_, "openapi", "Print the OpenAPI document.", Command::openapi);

    auto* sentiment = add(app_, "sentiment", "Judge the sentiment of a text.", Command::sentiment);
    sentiment->add_option("text", invocation_.text, "The text; - is standard input.")
        ->required()
        ->type_name("");
    add_settings(*sentiment, false);

    auto* health = add(app_, "healthcheck", "Ask a running server whether it is ready; code 0 when it is.",
                       Command::healthcheck);
    health
        ->add_option("--url", invocation_.url,
                     "What to ask. Default: /ready at the first address of --http-addr.")
        ->type_name("URL");
    add_settings(*health, false);

    auto* hash = add(app_, "hash-password", "Print the hash of a password read from standard input.",
                     Command::hash_password);
    hash->add_flag("--password-stdin", invocation_.password_stdin, "Read the password from standard input.")
        ->required();
    add_setting(*hash, *config::find_setting("bcrypt_cost"), true);

    auto* version = add(app_, "version", "Print the version.", Command::version);
    version->add_flag("--json", invocation_.json, "As JSON, with the versions of the libraries.");
  }

  // What is wrong with the value, or nothing.
  std::optional<std::string> take(const SettingFlag& flag) {
    const auto& [option, setting, from_file] = flag;
    if (option->count() == 0) return std::nullopt;
    std::string value;
    for (const auto& piece : option->results()) {
      if (!value.empty()) value += ',';
      value += piece;
    }
    std::string name(setting->name);
    if (from_file) {
      name += "_file";
    } else {
      config::Config scratch;
      if (const auto assigned = setting->assign_text(scratch, value); !assigned) {
        return setting->flag() + ' ' + assigned.error();
      }
    }
    invocation_.inputs.flags.emplace_back(std::move(name), std::move(value));
    return std::nullopt;
  }

  // The command given, as deep as it goes.
  const CLI::App* chosen_app() const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  }

  std::string chosen_path() const {
    std::string path = app_.get_name();
    for (const CLI::App* app = &app_; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      path += ' ' + app->get_name();
    }
    return path;
  }

  std::string help() const {
    const auto path = chosen_path();
    const auto last = path.rfind(' ');
    return chosen_app()->help(last == std::string::npos ? std::string() : path.substr(0, last));
  }

  // For the first argument that no command knows.
  std::string hint(int argc, const char* const* argv) const {
    std::vector<std::string> known;
    for (const CLI::App* app = &app_;; app = app->get_subcommands().front()) {
      for (const auto* option : app->get_options()) {
        for (const auto& name : option->get_lnames()) known.push_back("--" + name);
      }
      if (app->get_subcommands().empty()) {
        for (const auto* command : app->get_subcommands([](const CLI::App*) { return true; })) {
          known.push_back(command->get_name());
        }
        break;
      }
    }
    const std::vector<std::string_view> names(known.begin(), known.end());
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument(argv[i]);
      const auto typed = argument.substr(0, argument.find('='));
      const bool could_be_a_command = i == 1 && !typed.starts_with('-') && app_.get_subcommands().empty();
      if (!could_be_a_command && !typed.starts_with("--")) continue;
      if (std::find(names.begin(), names.end(), typed) != names.end()) continue;
      if (const auto name = nearest(typed, names)) return "; did you mean " + std::string(*name) + '?';
    }
    return {};
  }

  Exit misuse(const std::string& message) const {
    const auto path = chosen_path();
    return Exit{wrong_usage, {}, path + ": " + message + "\nTry '" + path + " --help'.\n"};
  }

  CLI::App app_;
  Invocation invocation_;
  std::vector<SettingFlag> flags_;
  std::optional<Command> chosen_;
  bool version_asked_ = false;
};

}  // namespace

std::variant<Invocation, Exit> parse(int argc, const char* const* argv) {
  return std::make_unique<Parser>()->parse(argc, argv);
}

}  // namespace lumina::cli
