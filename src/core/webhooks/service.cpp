#include "core/webhooks/service.hpp"

#include "core/config/cidr.hpp"
#include "core/http/address_rules.hpp"
#include "core/http/client.hpp"
#include "core/json/codec.hpp"
#include "core/security/random.hpp"
#include "core/security/seal.hpp"
#include "core/webhooks/repository.hpp"
#include "core/webhooks/signature.hpp"

namespace lumina::webhooks {
namespace {

Failure no_webhook() { return not_found("Webhook not found"); }

template <class T>
Task<Result<T>> refuse(Error error) {
  co_return Failure(std::move(error));
}

}  // namespace

jobs::NewJob job_of(const std::string& delivery_id, std::optional<UserId> user) {
  jobs::NewJob job;
  job.kind = delivery_job;
  job.payload = json::encode(delivery_id);
  job.unique_key = delivery_id;
  job.max_attempts = delivery_attempts;
  job.user = user;
  if (user) job.priority = jobs::Priority::interactive;
  return job;
}

Delivery new_delivery(WebhookId webhook, const std::string& type, const std::string& data, Timestamp now) {
  Delivery d;
  d.id = "msg_" + security::opaque_token();
  d.webhook_id = webhook;
  d.type = type;
  d.created_at = now;
  d.body.text = "{\"type\":";
  json::append_string(d.body.text, type);
  d.body.text += ",\"timestamp\":\"" + to_rfc3339(now) + "\",\"data\":" + data + "}";
  return d;
}

// What is written plainly is refused here already; every other spelling when its address is known
// (client.hpp).
Status WebhookService::check_url(const std::string& url) const {
  const auto parts = http::parse_url(url);
  if (!parts) return Failure(parts.error());
  if (!allow_private_ && IpAddress::parse(parts->host) && !http::is_public_address(parts->host))
    return fail(ErrorKind::refused, "address_refused", "Addresses of private networks are not sent to");
  return {};
}

void WebhookService::record(db::Transaction& tx, const Caller& by, std::string_view type, WebhookId id) {
  journal_.record(tx, by, {.type = type, .resource = "webhook", .resource_id = id.value});
}

Task<Result<MadeWebhook>> WebhookService::create(NewWebhook webhook, Caller by) {
  if (auto fine = check_url(webhook.url); !fine) return refuse<MadeWebhook>(std::move(fine.error()));
  auto work = [this, webhook = std::move(webhook), secret = make_secret(),
               by = std::move(by)](db::Transaction& tx) -> Result<MadeWebhook> {
    WebhookRepository webhooks(tx);
    // Nobody was listening until now: what happened before is not for anybody.
    webhooks.position();
    if (webhooks.active().empty()) webhooks.move_to(events::Outbox(tx).end());
    const auto id = webhooks.insert(webhook, security::seal(seal_key_, secret), by.user, clock_.now());
    record(tx, by, "webhook.created", id);
    MadeWebhook made;
    static_cast<Webhook&>(made) = *webhooks.find(id);
    made.secret = secret;
    return made;
  };
  return database_.write(std::move(work));
}

Task<Result<std::vector<Webhook>>> WebhookService::list() {
  auto work = [](db::Transaction& tx) { return WebhookRepository(tx).list(); };
  return database_.read(std::move(work));
}

Task<Result<Webhook>> WebhookService::find(WebhookId id) {
  auto work = [id](db::Transaction& tx) -> Result<Webhook> {
    auto found = WebhookRepository(tx).find(id);
    if (!found) return no_webhook();
    return static_cast<Webhook&&>(*found);
  };
  return database_.read(std::move(work));
}

Task<Result<Webhook>> WebhookService::change(WebhookId id, WebhookChanges changes, Caller by) {
  if (changes.url.mentioned())
    if (auto fine = check_url(changes.url.value); !fine) return refuse<Webhook>(std::move(fine.error()));
  auto work = [this, id, changes = std::move(changes),
               by = std::move(by)](db::Transaction& tx) -> Result<Webhook> {
    WebhookRepository webhooks(tx);
    webhooks.position();
    auto found = webhooks.find(id);
    if (!found) return no_webhook();
    changes.url.apply(found->url);
    changes.description.apply(found->description);
    changes.types.apply(found->types);
    changes.is_active.apply(found->is_active);
    if (found->is_active) found->disabled_reason.reset();
    if (found->is_active && webhooks.active().empty()) webhooks.move_to(events::Outbox(tx).end());
    webhooks.update(*found, clock_.now());
    record(tx, by, "webhook.updated", id);
    return static_cast<Webhook&&>(*webhooks.find(id));
  };
  return database_.write(std::move(work));
}

Task<Result<MadeWebhook>> WebhookService::renew_secret(WebhookId id, Caller by) {
  auto work = [this, id, secret = make_secret(),
               by = std::move(by)](db::Transaction& tx) -> Result<MadeWebhook> {
    WebhookRepository webhooks(tx);
    if (!webhooks.set_secret(id, security::seal(seal_key_, secret), clock_.now())) return no_webhook();
    record(tx, by, "webhook.secret_renewed", id);
    MadeWebhook made;
    static_cast<Webhook&>(made) = *webhooks.find(id);
    made.secret = secret;
    return made;
  };
  return database_.write(std::move(work));
}

Task<Status> WebhookService::remove(WebhookId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    if (!WebhookRepository(tx).remove(id)) return no_webhook();
    record(tx, by, "webhook.deleted", id);
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<jobs::TaskAccepted>> WebhookService::test(WebhookId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<jobs::TaskAccepted> {
    WebhookRepository webhooks(tx);
    if (!webhooks.find(id)) return no_webhook();
    const auto delivery =
        new_delivery(id, "webhook.test", "{\"message\":\"A test of this webhook\"}", clock_.now());
    webhooks.add_delivery(delivery);
    record(tx, by, "webhook.tested", id);
    return jobs::TaskAccepted{queue_.enqueue(tx, job_of(delivery.id, by.user))};
  };
  return database_.write(std::move(work));
}

Task<Result<Page<Delivery>>> WebhookService::deliveries(WebhookId id, PageRequest page) {
  auto work = [id, page](db::Transaction& tx) -> Result<Page<Delivery>> {
    WebhookRepository webhooks(tx);
    if (!webhooks.find(id)) return no_webhook();
    return webhooks.deliveries(id, page);
  };
  return database_.read(std::move(work));
}

Task<Result<jobs::TaskAccepted>> WebhookService::replay(WebhookId id, std::string delivery, Caller by) {
  auto work = [this, id, delivery = std::move(delivery),
               by = std::move(by)](db::Transaction& tx) -> Result<jobs::TaskAccepted> {
    WebhookRepository webhooks(tx);
    const auto found = webhooks.find_delivery(delivery);
    if (!found || found->webhook_id != id) return not_found("Delivery not found");
    webhooks.reopen(delivery);
    record(tx, by, "webhook.replayed", id);
    return jobs::TaskAccepted{queue_.enqueue(tx, job_of(delivery, by.user))};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::webhooks
