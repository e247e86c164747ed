// Webhooks as administrators see them: made, changed, tested, their deliveries read and sent again.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/webhooks/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::webhooks {

// The kind of the job that sends one delivery.
constexpr auto delivery_job = "webhooks.deliver";
// The first at once, then the pauses of Sender.
constexpr int delivery_attempts = 10;

class WebhookService {
 public:
  WebhookService(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
                 bool allow_private, std::string seal_key)
      : database_(database),
        clock_(clock),
        journal_(journal),
        queue_(queue),
        allow_private_(allow_private),
        seal_key_(std::move(seal_key)) {}

  // Refused: bad_url, address_refused (an address of a private network, written as such).
  Task<Result<MadeWebhook>> create(NewWebhook webhook, Caller by);
  Task<Result<std::vector<Webhook>>> list();
  Task<Result<Webhook>> find(WebhookId id);
  // Turning it on again forgets why it was off.
  Task<Result<Webhook>> change(WebhookId id, WebhookChanges changes, Caller by);
  // Another secret from now on; the old one signs nothing any more.
  Task<Result<MadeWebhook>> renew_secret(WebhookId id, Caller by);
  Task<Status> remove(WebhookId id, Caller by);
  // Sends an event of type webhook.test, also to one that is off.
  Task<Result<jobs::TaskAccepted>> test(WebhookId id, Caller by);
  Task<Result<Page<Delivery>>> deliveries(WebhookId id, PageRequest page);
  // Sends it again, under its id.
  Task<Result<jobs::TaskAccepted>> replay(WebhookId id, std::string delivery, Caller by);

 private:
  Status check_url(const std::string& url) const;
  void record(db::Transaction& tx, const Caller& by, std::string_view type, WebhookId id);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  const bool allow_private_;
  const std::string seal_key_;  // secrets are sealed with it (core/security/seal.hpp) before they are stored
};

// The job of a delivery; one at a time for each.
jobs::NewJob job_of(const std::string& delivery_id, std::optional<UserId> user);
// A delivery that was not sent yet. `data` is JSON.
Delivery new_delivery(WebhookId webhook, const std::string& type, const std::string& data, Timestamp now);

}  // namespace lumina::webhooks
