// The rows of webhooks, their deliveries, and the position up to which events became deliveries.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "core/events/outbox.hpp"
#include "core/webhooks/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::webhooks {

struct StoredWebhook : Webhook {
  std::string secret;  // sealed
};

class WebhookRepository {
 public:
  explicit WebhookRepository(db::Transaction& tx) : tx_(tx) {}

  // Secrets are sealed here; false when there is no such webhook.
  bool set_secret(WebhookId id, std::string_view sealed_secret, Timestamp now);
  WebhookId insert(const NewWebhook& webhook, std::string_view sealed_secret, std::optional<UserId> by,
                   Timestamp now);
  std::optional<StoredWebhook> find(WebhookId id);
  std::vector<Webhook> list();
  std::vector<StoredWebhook> active();
  void update(const Webhook& webhook, Timestamp now);
  bool remove(WebhookId id);
  bool disable(WebhookId id, std::string_view reason, Timestamp now);

  void add_delivery(const Delivery& delivery);
  std::optional<Delivery> find_delivery(const std::string& id);
  Page<Delivery> deliveries(WebhookId id, const PageRequest& page);
  void tried(const std::string& delivery, DeliveryStatus status, std::optional<std::int64_t> answer,
             const std::optional<std::string>& error, Timestamp now);
  void reopen(const std::string& delivery);
  std::int64_t prune_deliveries(Timestamp before);

  events::Cursor position();  // held until the end of the transaction
  events::Cursor position_now();
  void move_to(const events::Cursor& position);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::webhooks
