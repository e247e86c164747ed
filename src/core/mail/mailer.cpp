#include "core/mail/mailer.hpp"

#include "core/json/codec.hpp"
#include "core/runtime/run_on.hpp"
#include "core/security/random.hpp"
#include "core/security/seal.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <stdexcept>

namespace lumina::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view mail_job = "mail";
constexpr int mail_attempts = 9;

Envelope envelope_of(const MailSettings& settings, std::string to) {
  return {settings.from.email(), std::move(to)};
}

Failure mail_off() {
  return fail(ErrorKind::refused, "mail_off", "Mail is not configured: set mail_host and mail_from");
}

// The code in front of what a server said, if there is one.
std::optional<std::int64_t> status_in(std::string_view answer) {
  for (std::size_t at = 0; at + 3 <= answer.size(); ++at) {
    int status = 0;
    const auto [end, error] = std::from_chars(answer.data() + at, answer.data() + at + 3, status);
    if (error == std::errc{} && end == answer.data() + at + 3 && status >= 200 && status < 600) return status;
  }
  return std::nullopt;
}

}  // namespace

static_assert(static_cast<int>(config::MailSecurity::starttls) == static_cast<int>(Security::starttls) &&
              static_cast<int>(config::MailSecurity::tls) == static_cast<int>(Security::tls) &&
              static_cast<int>(config::MailSecurity::none) == static_cast<int>(Security::none));

std::optional<MailSettings> settings_from(const config::Config& config) {
  if (!config.sends_mail()) return std::nullopt;
  auto from = Address::make(config.mail_from, config.mail_from_name);
  if (!from) throw std::runtime_error("mail_from is no e-mail address");
  MailSettings settings{{}, std::move(*from)};
  settings.server.host = config.mail_host;
  settings.server.port = static_cast<std::uint16_t>(config.mail_port);
  settings.server.security = static_cast<Security>(config.mail_security);
  settings.server.username = config.mail_username;
  settings.server.password = config.mail_password;
  settings.server.ca_file = config.mail_ca_file;
  settings.server.our_name = settings.from.domain();
  settings.server.timeout = std::chrono::seconds(config.mail_timeout_seconds);
  if (!config.mail_reply_to.empty()) {
    auto reply_to = Address::make(config.mail_reply_to);
    if (!reply_to) throw std::runtime_error("mail_reply_to is no e-mail address");
    settings.reply_to = std::move(*reply_to);
  }
  return settings;
}

Mailer::Mailer(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
               std::optional<MailSettings> settings, std::string seal_key)
    : database_(database),
      clock_(clock),
      journal_(journal),
      queue_(queue),
      settings_(std::move(settings)),
      seal_key_(std::move(seal_key)) {
  if (!settings_) return;
  smtp_ = std::make_unique<Smtp>(settings_->server);
  testing_ = std::make_unique<runtime::Pool>("mail test", 1, 1);
}

Mailer::~Mailer() = default;

std::string Mailer::seal(std::string_view text) const { return security::seal(seal_key_, text); }
std::optional<std::string> Mailer::unseal(std::string_view sealed) const {
  return security::unseal(seal_key_, sealed);
}

void Mailer::handle_jobs(jobs::Runner& runner) {
  if (!on()) return;
  runner.handle(std::string(mail_job),
                {.concurrency = 1, .backoff = {5s, 30s, 5min, 30min, 2h, 6h, 12h, 24h}},
                [this](jobs::JobContext& job) { return deliver(job); });
}

bool Mailer::enqueue(db::Transaction& tx, const NewMail& mail) {
  if (!settings_) return false;
  const Timestamp now = clock_.now();
  const std::string bytes =
      render({settings_->from, mail.to, settings_->reply_to, mail.letter, mail.key, now});
  const auto id = MailRepository(tx).insert(mail.key, mail.kind, mail.user,
                                            seal(mail.to.email() + "\n" + bytes), mail.not_after, now);
  if (!id) return false;
  jobs::NewJob job;
  job.kind = mail_job;
  job.payload = json::encode(id->value);
  job.priority = mail.priority;
  job.unique_key = job.payload;
  job.run_at = mail.not_before;
  job.max_attempts = mail_attempts;
  queue_.enqueue(tx, job);
  return true;
}

void Mailer::withdraw(db::Transaction& tx, std::string_view key) {
  MailRepository(tx).withdraw(key, clock_.now());
}

bool Mailer::is_unanswered(MailId mail) {
  std::lock_guard lock(unanswered_mutex_);
  return unanswered_.contains(mail);
}
void Mailer::answered(MailId mail) {
  std::lock_guard lock(unanswered_mutex_);
  unanswered_.erase(mail);
}

Result<Receipt> Mailer::hand_over(jobs::JobContext& job, const StoredMail& mail) {
  const auto opened = unseal(*mail.sealed);
  const auto line = opened ? opened->find('\n') : std::string::npos;
  if (line == std::string::npos)
    return fail(ErrorKind::refused, "mail_unreadable",
                "The mail cannot be read any more: it was sealed with another secret_key");
  SendHooks hooks;
  hooks.stop = [&job] { return job.cancelled(); };
  hooks.handing_over = [&] {
    {
      std::lock_guard lock(unanswered_mutex_);
      unanswered_.insert(mail.id);
    }
    auto mark = [&](db::Transaction& tx) -> Status {
      if (auto ours = job.guard(tx); !ours) return ours;
      MailRepository(tx).set_open(mail.id, MailStatus::handed, "");
      return {};
    };
    return database_.write_now(std::move(mark)).has_value();
  };
  std::lock_guard lock(mutex_);
  auto receipt = smtp_->send(envelope_of(*settings_, opened->substr(0, line)),
                             std::string_view(*opened).substr(line + 1), hooks);
  auto more = [now = clock_.now()](db::Transaction& tx) { return MailRepository(tx).any_due(now); };
  const auto waits = database_.read_now(std::move(more));
  if (!waits || !*waits) smtp_->close();
  return receipt;
}

Result<std::string> Mailer::deliver(jobs::JobContext& job) {
  const auto id = json::decode<std::int64_t>(job.payload());
  if (!id) return Failure(id.error());
  const auto end = [&](const StoredMail& mail, MailStatus status, std::string_view answer,
                       std::string_view told) -> Result<std::string> {
    const std::string result = R"({"answer":)" + json::encode(std::string(answer)) + "}";
    auto write_down = [&](db::Transaction& tx) -> Status {
      if (auto done = job.complete(tx, result); !done) return done;
      MailRepository(tx).end(mail.id, status, answer, clock_.now());
      journal_.record(tx, job.caller(),
                      {.type = told, .resource = "mail", .resource_id = mail.id.value, .subject = mail.user});
      return {};
    };
    if (auto written = database_.write_now(std::move(write_down)); !written)
      return Failure(std::move(written.error()));
    answered(mail.id);
    return result;
  };

  auto look = [&](db::Transaction& tx) { return MailRepository(tx).find({*id}); };
  const auto found = database_.read_now(std::move(look));
  if (!found) return Failure(found.error());
  const auto& mail = *found;
  if (!mail || !mail->sealed) return std::string("null");  // withdrawn, or its person is gone
  if (mail->status == MailStatus::handed && !is_unanswered(mail->id))
    return end(*mail, MailStatus::sent, "handed over; the answer was lost with the process", "mail.sent");
  if (mail->not_after && *mail->not_after <= clock_.now())
    return end(*mail, MailStatus::expired, "too late to matter", "mail.expired");

  const auto receipt = hand_over(job, *mail);
  if (receipt) return end(*mail, MailStatus::sent, receipt->answer, "mail.sent");
  if (receipt.error().code == "stopped") return jobs::JobContext::interrupted();
  const Error& error = receipt.error();
  const bool again = error.kind == ErrorKind::unavailable && !job.last_attempt();
  auto write_down = [&](db::Transaction& tx) -> Status {
    if (auto ours = job.guard(tx); !ours) return ours;
    MailRepository(tx).set_open(mail->id, again ? MailStatus::waiting : MailStatus::failed, error.detail);
    if (!again)
      journal_.record(
          tx, job.caller(),
          {.type = "mail.failed", .resource = "mail", .resource_id = mail->id.value, .subject = mail->user});
    return {};
  };
  if (auto written = database_.write_now(std::move(write_down)); !written)
    return Failure(std::move(written.error()));
  answered(mail->id);
  return Failure(error);
}

Task<Result<MailTest>> Mailer::test(MailTestRequest request, Caller by) {
  if (!settings_) co_return mail_off();
  auto to = Address::make(request.to.value_or(by.email));
  if (!to) co_return Failure(std::move(to.error()));
  const std::string name = settings_->from.name().empty() ? "LuminaLib" : settings_->from.name();
  Message message{settings_->from,
                  *to,
                  settings_->reply_to,
                  {HeaderText::of("Test mail from " + name),
                   "Hello,",
                   {"an administrator of " + name + " asked for this mail to see that mail works. It does."}},
                  "test " + security::fast_request_id(),
                  clock_.now()};
  auto send = [this, bytes = render(message), address = to->email()]() -> Result<Receipt> {
    Smtp smtp(settings_->server);
    return smtp.send(envelope_of(*settings_, address), bytes);
  };
  auto receipt = co_await runtime::run_on(*testing_, std::move(send));
  MailTest out;
  out.to = to->email();
  out.sent = receipt.has_value();
  if (receipt) {
    out.answer = receipt->answer;
    out.status = receipt->code;
  } else if (receipt.error().code == "overloaded") {
    co_return fail(ErrorKind::refused, "busy", "Another test is running; wait for its answer");
  } else {
    out.answer = receipt.error().detail;
    out.code = receipt.error().code;
    if (out.code == "mail_refused" || out.code == "mail_deferred" || out.code == "mail_login")
      out.status = status_in(out.answer);
  }
  auto note = [this, by, sent = out.sent](db::Transaction& tx) -> Status {
    journal_.record(
        tx, by,
        {.type = "mail.tested", .resource = "mail", .payload = fmt::format(R"({{"sent":{}}})", sent)});
    return {};
  };
  if (auto noted = co_await database_.write(std::move(note)); !noted)
    co_return Failure(std::move(noted.error()));
  co_return out;
}

void forget_mails_of(db::Transaction& tx, UserId user) { MailRepository(tx).forget(user); }

}  // namespace lumina::mail
