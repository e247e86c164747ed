#include "core/config/config.hpp"

#include "core/config/nearest.hpp"
#include "core/config/settings.hpp"
#include "core/config/small_file.hpp"
#include "core/config/toml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <unistd.h>

extern char** environ;

namespace lumina::config {
namespace {

using std::string_view_literals::operator""sv;

struct LegacyName {
  std::string_view variable;
  std::string_view setting;
};
constexpr std::array legacy_names{
    LegacyName{"DATABASE_URL", "database_url"},
    LegacyName{"SECRET_KEY", "secret_key"},
    LegacyName{"HUGGINGFACE_API_KEY", "llm_api_key"},
    LegacyName{"ALLOWED_ORIGINS", "allowed_origins"},
    LegacyName{"LOG_LEVEL", "log_level"},
};

// Phrases of sample configurations. A secret that contains one is known to everybody.
constexpr std::array sample_phrases{
    "change-me"sv,           "changeme"sv,     "change_me"sv,   "change-this"sv,
    "change_this"sv,         "your-secret"sv,  "your_secret"sv, "your-super"sv,
    "strong-random-key"sv,   "secret-key"sv,   "secret_key"sv,  "secretkey"sv,
    "supersecret"sv,         "super-secret"sv, "example"sv,     "password"sv,
    "0123456789abcdef0123"sv};
constexpr std::size_t shortest_secret = 32;
constexpr std::size_t shortest_production_secret = 64;
constexpr std::size_t fewest_letters = 10;
constexpr std::int64_t least_production_cost = 10;

bool looks_like_a_sample(std::string_view secret) {
  std::string lower(secret);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  const std::set<char> letters(secret.begin(), secret.end());
  return letters.size() < fewest_letters ||
         std::any_of(
             sample_phrases.begin(), sample_phrases.end(),
             [&](std::string_view phrase) { return lower.find(phrase) != std::string::npos; });
}

std::optional<std::string> lookup(const Environ& environment, std::string_view name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known) {
  const auto name = nearest(typed, known);
  return name ? fmt::format("; did you mean {}?", *name) : std::string();
}

std::vector<std::string> every_key() {
  std::vector<std::string> names;
  for (const auto& setting : settings()) {
    names.emplace_back(setting.name);
    if (setting.has_file_variant()) names.push_back(std::string(setting.name) + "_file");
  }
  return names;
}

std::vector<std::string_view> views(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

// A key or flag: the setting it belongs to, and whether it names a file that holds the value.
struct Target {
  const Setting* setting = nullptr;
  bool from_file = false;
};

Target target_of(std::string_view name) {
  if (const auto* setting = find_setting(name)) return {setting, false};
  if (!name.ends_with("_file")) return {};
  const auto* setting = find_setting(name.substr(0, name.size() - 5));
  return setting && setting->has_file_variant() ? Target{setting, true} : Target{};
}

// Applies sources in the order in which they are called, so the last one wins; collects every fault.
class Loader {
 public:
  void file(const std::filesystem::path& path) {
    const auto entries = read_toml(path);
    if (!entries) {
      errors.push_back(entries.error());
      return;
    }
    std::map<const Setting*, std::string> seen;
    for (const auto& entry : *entries) {
      const auto origin = fmt::format("{}:{}", path.string(), entry.line);
      const auto [setting, from_file] = target_of(entry.key);
      if (!setting) {
        const auto names = every_key();
        fail(origin, fmt::format("unknown key {}{}", entry.key, did_you_mean(entry.key, views(names))));
      } else if (!entry.value) {
        fail(origin,
             fmt::format("{} must be {}, not {}", entry.key, setting->expects(), entry.value.error()));
      } else if (first_of_layer(seen, *setting, entry.key, origin)) {
        if (!from_file) {
          apply(*setting, origin, entry.key, setting->assign_typed(loaded.config, *entry.value));
        } else if (const auto* secret_path = std::get_if<std::string>(&*entry.value)) {
          apply_file(*setting, origin, entry.key, *secret_path);
        } else {
          fail(origin, fmt::format("{} must be a path in quotes", entry.key));
        }
      }
    }
  }

  void credentials(const std::filesystem::path& folder) {
    for (const auto& setting : settings()) {
      if (!setting.has_file_variant()) continue;
      const auto path = folder / setting.name;
      std::error_code fault;
      if (std::filesystem::exists(path, fault)) {
        apply_file(setting, "systemd credential " + std::string(setting.name), setting.name, path);
      }
    }
  }

  void environment(const Environ& variables) {
    for (const auto& [variable, name] : legacy_names)
      from_variables(variables, variable, *find_setting(name));
    if (const auto port = lookup(variables, "PORT")) legacy_port(*port);
    for (const auto& setting : settings()) from_variables(variables, setting.environment(), setting);
    warn_of_unknown(variables);
  }

  void flags(const std::vector<std::pair<std::string, std::string>>& given) {
    std::map<const Setting*, std::string> seen;
    for (const auto& [name, value] : given) {
      const auto [setting, from_file] = target_of(name);
      if (!setting) {
        const auto names = every_key();
        errors.push_back(fmt::format("unknown setting {}{}", name, did_you_mean(name, views(names))));
        continue;
      }
      auto origin = setting->flag();
      if (from_file) origin += "-file";
      if (const auto before = seen.find(setting); before != seen.end() && before->second != origin) {
        fail(origin, fmt::format("cannot be given together with {}", before->second));
        continue;
      }
      seen[setting] = origin;
      if (from_file) {
        apply_file(*setting, origin, {}, value);
        continue;
      }
      apply(*setting, origin, {}, setting->assign_text(loaded.config, value));
      if (setting->secrecy == Secrecy::secret) {
        loaded.warnings.push_back(
            fmt::format("{} on the command line can be seen by other users of this machine; "
                        "{}-file or {} is safer",
                        origin, origin, setting->environment()));
      }
    }
  }

  Loaded loaded;
  std::vector<std::string> errors;

 private:
  void fail(std::string_view origin, std::string_view message) {
    errors.push_back(fmt::format("{}: {}", origin, message));
  }

  bool first_of_layer(std::map<const Setting*, std::string>& seen, const Setting& setting,
                      const std::string& key, std::string_view origin) {
    const auto [before, is_first] = seen.emplace(&setting, key);
    if (!is_first) fail(origin, fmt::format("{} cannot be given together with {}", key, before->second));
    return is_first;
  }

  void apply(const Setting& setting, std::string_view origin, std::string_view key,
             const std::expected<void, std::string>& assigned) {
    if (assigned) {
      loaded.origins[std::string(setting.name)] = origin;
    } else if (key.empty()) {
      fail(origin, assigned.error());
    } else {
      fail(origin, fmt::format("{} {}", key, assigned.error()));
    }
  }

  void apply_file(const Setting& setting, std::string_view origin, std::string_view key,
                  const std::filesystem::path& path) {
    const auto content = read_secret_file(path);
    if (!content) return fail(origin, content.error());
    apply(setting, origin, key, setting.assign_text(loaded.config, *content));
  }

  void from_variables(const Environ& variables, std::string_view variable, const Setting& setting) {
    const auto value = lookup(variables, variable);
    const auto file_variable = std::string(variable) + "_FILE";
    const auto path = setting.has_file_variant() ? lookup(variables, file_variable) : std::nullopt;
    if (value && path) return fail(variable, fmt::format("cannot be set together with {}", file_variable));
    if (value) apply(setting, variable, {}, setting.assign_text(loaded.config, *value));
    if (path) apply_file(setting, file_variable, {}, *path);
  }

  void legacy_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (fault != std::errc{} || end != text.data() + text.size()) {
      return fail("PORT", "must be a number from 0 to 65535");
    }
    auto& addresses = loaded.config.http_addr;
    addresses.resize(1);
    addresses.front().port = port;
    loaded.origins["http_addr"] = "PORT";
  }

  void warn_of_unknown(const Environ& variables) {
    constexpr auto prefix = "LUMINALIB_"sv;
    std::vector<std::string> known{"LUMINALIB_CONFIG"};
    for (const auto& setting : settings()) {
      known.push_back(setting.environment());
      if (setting.has_file_variant()) known.push_back(setting.environment() + "_FILE");
    }
    for (auto at = variables.lower_bound(prefix); at != variables.end() && at->first.starts_with(prefix);
         ++at) {
      if (std::find(known.begin(), known.end(), at->first) != known.end()) continue;
      loaded.warnings.push_back(
          fmt::format("{} is no setting{}", at->first, did_you_mean(at->first, views(known))));
    }
  }
};

void check_secret(const Config& config, Findings& found) {
  const auto& secret = config.secret_key;
  const bool production = config.is_production();
  if (secret.empty()) {
    if (production) {
      found.errors.push_back(fmt::format(
          "secret_key: --env {} needs one of at least {} characters (secret_key_file, LUMINALIB_SECRET_KEY, "
          "LUMINALIB_SECRET_KEY_FILE or the systemd credential secret_key)",
          find_setting("env")->text(config), shortest_production_secret));
    } else {
      found.warnings.push_back("secret_key is not set: the one in data_dir/secret signs tokens");
    }
    return;
  }
  if (secret.size() < shortest_secret) {
    found.errors.push_back(fmt::format("secret_key must have at least {} bytes", shortest_secret));
  } else if (production && secret.size() < shortest_production_secret) {
    found.errors.push_back(fmt::format("secret_key must have at least {} characters with --env {}",
                                       shortest_production_secret, find_setting("env")->text(config)));
  }
  if (looks_like_a_sample(secret)) {
    constexpr auto sample =
        "secret_key is a sample value, known to everybody; make one with: openssl rand -hex 32"sv;
    (production ? found.errors : found.warnings).emplace_back(sample);
  }
}

void check_network(const Config& config, Findings& found) {
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    found.errors.emplace_back("tls_cert and tls_key belong together: set both or neither");
  }
  for (const auto* name : {"tls_cert", "tls_key"}) {
    const auto path = find_setting(name)->text(config);
    if (path.empty()) continue;
    if (const auto content = read_small_file(path, 1 << 20); !content) {
      found.errors.push_back(fmt::format("{}: {}", name, content.error()));
    }
  }
  if (config.tls_cert.empty() && config.trusted_proxies.empty()) {
    for (const auto& address : config.http_addr) {
      if (address.is_loopback()) continue;
      found.warnings.push_back(
          fmt::format("listening on {} without TLS: set tls_cert and tls_key, or put a proxy "
                      "before it and name it in trusted_proxies",
                      address.to_string()));
    }
  }
  if (const auto address = ListenAddress::parse(config.sip2_addr); address && !address->is_loopback())
    found.warnings.push_back(fmt::format(
        "sip2_addr: what self-check machines say to {} can be read on the way; use a tunnel, or a "
        "network of their own",
        address->to_string()));
  const auto& origins = config.allowed_origins;
  if (config.cors_credentials && std::find(origins.begin(), origins.end(), "*") != origins.end()) {
    found.errors.emplace_back(
        "allowed_origins: \"*\" with credentials would let every web page act for its visitor; list the "
        "origins, or "
        "set cors_credentials = false");
  }
}

void check_models(const Config& config, Findings& found) {
  if (config.llm_provider == LlmProvider::llama && config.llm_model.empty()) {
    found.errors.emplace_back("llm_provider llama needs llm_model, the path of a GGUF file");
  }
  if (config.embed_provider == EmbedProvider::llama && config.embed_model.empty()) {
    found.errors.emplace_back("embed_provider llama needs embed_model, the path of a GGUF file");
  }
  const bool wants_key = config.llm_provider == LlmProvider::huggingface ||
                         (config.llm_provider == LlmProvider::openai && config.llm_base_url.empty());
  if (wants_key && config.llm_api_key.empty()) {
    found.warnings.push_back(
        fmt::format("llm_provider {} usually needs llm_api_key", find_setting("llm_provider")->text(config)));
  }
}

void check_mail(const Config& config, Findings& found) {
  if (config.mail_username.empty() != config.mail_password.empty())
    found.errors.emplace_back("mail_username and mail_password belong together: set both or neither");
  if (!config.sends_mail()) return;
  if (config.mail_from.empty())
    found.errors.emplace_back("mail_host needs mail_from, the address to send from");
  if (config.public_url.empty())
    found.warnings.emplace_back("mails will have no links: public_url is not set");
  if (config.mail_security == MailSecurity::none && !config.mail_password.empty())
    found.warnings.emplace_back("mail_security none sends mail_password in the clear");
}

std::string heading(std::string_view section) {
  return fmt::format("\n# ---- {} {}\n", section,
                     std::string(std::max<std::size_t>(100 - section.size(), 4), '-'));
}

std::string wrapped(std::string_view text) {
  constexpr std::size_t width = 108;
  std::string lines;
  while (!text.empty()) {
    auto end = text.size() <= width ? text.size() : text.rfind(' ', width);
    if (end == std::string_view::npos) end = text.size();
    lines += fmt::format("# {}\n", text.substr(0, end));
    text = end == text.size() ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

bool says_what_it_expects(const Setting& setting) {
  return std::holds_alternative<std::int64_t Config::*>(setting.member) ||
         std::holds_alternative<Choice>(setting.member) ||
         std::holds_alternative<bool Config::*>(setting.member);
}

}  // namespace

std::optional<ListenAddress> ListenAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() && !bracketed) return ListenAddress{"0.0.0.0", port};
  if (host == "localhost") return ListenAddress{"127.0.0.1", port};
  if (bracketed != (host.find(':') != std::string_view::npos) || !IpAddress::parse(host)) return std::nullopt;
  return ListenAddress{std::string(host), port};
}

std::string ListenAddress::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool ListenAddress::is_loopback() const {
  const auto address = IpAddress::parse(host);
  return address && address->is_loopback();
}

std::filesystem::path Config::sqlite_path() const {
  constexpr auto scheme = "sqlite:///"sv;
  if (!database_url.starts_with(scheme)) return std::filesystem::path(data_dir) / "luminalib.db";
  return database_url.substr(scheme.size());
}

Environ process_environment() {
  Environ variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view line(*entry);
    if (const auto equals = line.find('='); equals != std::string_view::npos) {
      variables.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return variables;
}

std::expected<Loaded, std::vector<std::string>> load(const Inputs& inputs) {
  Loader loader;
  auto path = inputs.file;
  if (path.empty()) path = lookup(inputs.environment, "LUMINALIB_CONFIG").value_or("");
  if (!path.empty()) loader.file(path);
  if (const auto folder = lookup(inputs.environment, "CREDENTIALS_DIRECTORY")) loader.credentials(*folder);
  loader.environment(inputs.environment);
  loader.flags(inputs.flags);
  if (loader.errors.empty()) {
    auto found = check(loader.loaded.config, inputs.serving);
    loader.errors = std::move(found.errors);
    std::move(found.warnings.begin(), found.warnings.end(), std::back_inserter(loader.loaded.warnings));
  }
  if (!loader.errors.empty()) return std::unexpected(std::move(loader.errors));
  return std::move(loader.loaded);
}

Findings check(const Config& config, bool serving) {
  Findings found;
  if (serving || !config.secret_key.empty()) check_secret(config, found);
  if (serving) check_network(config, found);
  check_models(config, found);
  check_mail(config, found);
  if (!config.database_replica_url.empty() && !config.uses_postgresql()) {
    found.errors.emplace_back("database_replica_url needs a PostgreSQL database_url");
  }
  if (config.admin_email.empty() != config.admin_password.empty()) {
    found.errors.emplace_back("admin_email and admin_password belong together: set both or neither");
  }
  if (config.is_production()) {
    if (config.bcrypt_cost < least_production_cost) {
      found.errors.push_back(fmt::format("bcrypt_cost must be at least {} with --env {}",
                                         least_production_cost, find_setting("env")->text(config)));
    }
    if (config.log_level < LogLevel::info)
      found.warnings.emplace_back("log_level is below info in production");
    if (config.rate_limit == 0) found.warnings.emplace_back("rate_limit is off in production");
    if (config.demo) found.warnings.emplace_back("demo puts demonstration data into a production catalogue");
  }
  return found;
}

std::string example() {
  const Config defaults;
  std::string text =
      "# LuminaLib: every setting with its default. Remove the # before a key to change it.\n"
      "# Each can also be given as a flag (--http-addr) or in the environment (LUMINALIB_HTTP_ADDR); flags "
      "beat the\n"
      "# environment, which beats systemd credentials, which beat this file. A key that holds a secret has a "
      "twin\n"
      "# ending in _file that names a file with it. \"luminalib config check\" reads this file and reports "
      "mistakes;\n"
      "# SIGHUP makes the server read it again, and settings marked (reload) then take effect at once.\n";
  std::string_view section;
  for (const auto& setting : settings()) {
    if (setting.section != section) text += heading(section = setting.section);
    std::string about(setting.description);
    if (says_what_it_expects(setting)) about += fmt::format(" Takes {}.", setting.expects());
    if (setting.reloadable) about += " (reload)";
    text += fmt::format("\n{}#{} = {}\n", wrapped(about), setting.name, setting.toml(defaults));
    if (setting.has_file_variant()) text += fmt::format("#{}_file = \"\"\n", setting.name);
  }
  return text;
}

std::string dump(const Loaded& loaded) {
  std::string text;
  for (const auto& setting : settings()) {
    const auto origin = loaded.origins.find(setting.name);
    const auto value = setting.secrecy == Secrecy::none
                           ? setting.toml(loaded.config)
                           : toml_quoted(masked(setting, setting.text(loaded.config)));
    text += fmt::format("{} = {}  # {}\n", setting.name, value,
                        origin == loaded.origins.end() ? "default" : origin->second);
  }
  return text;
}

Reload reload(const Config& running, const Config& fresh) {
  Reload result{running, {}, {}};
  for (const auto& setting : settings()) {
    if (setting.text(running) == setting.text(fresh)) continue;
    auto& names = setting.reloadable ? result.changed : result.needs_restart;
    names.emplace_back(setting.name);
    if (!setting.reloadable) continue;
    std::visit(
        [&](const auto& member) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, Choice>) {
            member.set(result.config, member.get(fresh));
          } else {
            result.config.*member = fresh.*member;
          }
        },
        setting.member);
  }
  return result;
}

}  // namespace lumina::config
