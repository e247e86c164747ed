#include "core/webhooks/sender.hpp"

#include "core/events/hub.hpp"
#include "core/json/codec.hpp"
#include "core/runtime/block_on.hpp"
#include "core/security/seal.hpp"
#include "core/telemetry/log.hpp"
#include "core/webhooks/repository.hpp"
#include "core/webhooks/service.hpp"
#include "core/webhooks/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <pthread.h>

namespace lumina::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t events_at_once = 200;
constexpr std::size_t longest_error = 500;
constexpr int gone = 410;

struct Due {
  Delivery delivery;
  StoredWebhook webhook;
};

// Seconds of a Retry-After header, at most a day; 0 without one. Dates are left alone.
int retry_after(const http::Incoming& answer) {
  const auto text = answer.header("Retry-After");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc{} && end == text.data() + text.size() ? std::clamp(seconds, 0, 86'400) : 0;
}

}  // namespace

Sender::Sender(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
               http::Client client, std::string seal_key)
    : database_(database),
      clock_(clock),
      journal_(journal),
      queue_(queue),
      client_(std::move(client)),
      seal_key_(std::move(seal_key)) {
  journal_.bus().subscribe("", [this](const events::Event&) {
    {
      std::lock_guard lock(mutex_);
      woken_ = true;
    }
    wake_.notify_one();
  });
}

Sender::~Sender() { stop(); }

void Sender::handle_jobs(jobs::Runner& runner) {
  // Two at a time: receivers that are slow leave threads for other work.
  runner.handle(delivery_job, {.concurrency = 2, .backoff = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}},
                [this](jobs::JobContext& job) { return deliver(job); });
}

void Sender::start() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this] {
    bool reachable = true;
    while (true) {
      bool more = false;
      try {
        more = fan_out() == static_cast<std::size_t>(events_at_once);
        reachable = true;
      } catch (const std::exception& e) {
        if (reachable) log::error("webhooks cannot be served", {{"what", e.what()}});
        reachable = false;
      }
      std::unique_lock lock(mutex_);
      // A pause lets events gather; on PostgreSQL one may have to wait for an older transaction, hence the
      // second.
      if (wake_.wait_for(lock, 50ms, [this] { return stopping_; })) return;
      if (more) continue;
      wake_.wait_for(lock, 1s, [this] { return stopping_ || woken_; });
      if (stopping_) return;
      woken_ = false;
    }
  });
  pthread_setname_np(thread_.native_handle(), "webhooks");
}

void Sender::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::size_t Sender::fan_out() {
  auto look = [](db::Transaction& tx) {
    WebhookRepository webhooks(tx);
    return !webhooks.active().empty() && !events::Outbox(tx).after(webhooks.position_now(), {}, 1).empty();
  };
  const auto due = database_.read_now(std::move(look));
  if (!due) throw std::runtime_error(due.error().detail);
  if (!*due) return 0;
  auto work = [this](db::Transaction& tx) -> Result<std::size_t> {
    WebhookRepository webhooks(tx);
    const auto rows = events::Outbox(tx).after(webhooks.position(), {}, events_at_once);
    if (rows.empty()) return std::size_t{0};
    const auto active = webhooks.active();
    for (const auto& row : rows)
      for (const auto& webhook : active) {
        if (!events::wanted(webhook.types, row.event.type)) continue;
        const auto delivery = new_delivery(webhook.id, row.event.type, events::to_json(row), row.event.at);
        webhooks.add_delivery(delivery);
        queue_.enqueue(tx, job_of(delivery.id, {}));
      }
    webhooks.move_to(rows.back().at);
    return rows.size();
  };
  const auto seen = database_.write_now(std::move(work));
  if (!seen) throw std::runtime_error(seen.error().detail);
  return *seen;
}

Result<std::string> Sender::deliver(jobs::JobContext& job) {
  const auto id = json::decode<std::string>(job.payload());
  if (!id) return Failure(id.error());
  auto look = [&](db::Transaction& tx) -> Result<Due> {
    WebhookRepository webhooks(tx);
    auto delivery = webhooks.find_delivery(*id);
    if (!delivery) return not_found("The webhook was deleted");
    auto webhook = webhooks.find(delivery->webhook_id);
    if (!webhook) return not_found("The webhook was deleted");
    return Due{std::move(*delivery), std::move(*webhook)};
  };
  const auto due = database_.read_now(std::move(look));
  if (!due) return Failure(due.error());

  const auto& [delivery, webhook] = *due;
  Result<http::Incoming> answer;
  const auto secret = security::unseal(seal_key_, webhook.secret);
  if (!secret) {
    answer = fail(ErrorKind::refused, "secret_unreadable",
                  "The secret was sealed with another secret_key; give the webhook a new one");
  } else if (webhook.is_active || delivery.type == "webhook.test") {
    const auto seconds = clock_.now().ms / 1000;
    http::Outgoing request;
    request.url = webhook.url;
    request.body = delivery.body.text;
    request.headers = {{"Content-Type", "application/json"},
                       {"webhook-id", delivery.id},
                       {"webhook-timestamp", std::to_string(seconds)},
                       {"webhook-signature", sign(*secret, delivery.id, seconds, delivery.body.text)}};
    answer = runtime::block_on(client_.send(std::move(request)));
  } else {
    answer = fail(ErrorKind::refused, "webhook_off", "The webhook is turned off");
  }

  const bool arrived = answer && answer->status >= 200 && answer->status < 300;
  const bool refused = answer && answer->status == gone;
  const auto result = answer ? fmt::format(R"({{"status":{}}})", answer->status) : std::string("null");
  Error error;
  if (!answer)
    error = answer.error();
  else if (refused)
    error = {ErrorKind::refused, "gone", "The receiver answered 410: it wants no more", {}, 0};
  else
    error = {ErrorKind::unavailable,
             "not_taken",
             fmt::format("The receiver answered {}", answer->status),
             {},
             retry_after(*answer)};
  // An answer too large to read is still one that came; what matters, the status, did not.
  const bool again = error.kind == ErrorKind::unavailable && !job.last_attempt();
  auto write_down = [&](db::Transaction& tx) -> Status {
    if (auto ours = job.guard(tx); !ours) return ours;
    WebhookRepository webhooks(tx);
    const auto now = clock_.now();
    const auto status = answer ? std::optional<std::int64_t>(answer->status) : std::nullopt;
    if (arrived) {
      webhooks.tried(delivery.id, DeliveryStatus::succeeded, status, std::nullopt, now);
      return job.complete(tx, result);
    }
    webhooks.tried(delivery.id, again ? DeliveryStatus::pending : DeliveryStatus::failed, status,
                   error.detail.substr(0, longest_error), now);
    if (refused && webhooks.disable(webhook.id, error.detail, now))
      journal_.record(tx, Caller::system("webhooks"),
                      {.type = "webhook.disabled", .resource = "webhook", .resource_id = webhook.id.value});
    return {};
  };
  if (auto written = database_.write_now(std::move(write_down)); !written)
    return Failure(std::move(written.error()));
  if (arrived) return result;
  return Failure(std::move(error));
}

}  // namespace lumina::webhooks
