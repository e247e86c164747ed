#include "core/webhooks/repository.hpp"

#include <stdexcept>

namespace lumina::webhooks {
namespace {

const db::Columns<StoredWebhook> columns{{"id", &StoredWebhook::id},
                                         {"url", &StoredWebhook::url},
                                         {"description", &StoredWebhook::description},
                                         {"types", &StoredWebhook::types},
                                         {"is_active", &StoredWebhook::is_active},
                                         {"disabled_reason", &StoredWebhook::disabled_reason},
                                         {"secret", &StoredWebhook::secret},
                                         {"created_at", &StoredWebhook::created_at},
                                         {"updated_at", &StoredWebhook::updated_at}};

struct DeliveryRow : Delivery {
  std::string body_text;
};
const db::Columns<DeliveryRow> delivery_columns{{"id", &DeliveryRow::id},
                                                {"webhook_id", &DeliveryRow::webhook_id},
                                                {"type", &DeliveryRow::type},
                                                {"status", &DeliveryRow::status},
                                                {"attempts", &DeliveryRow::attempts},
                                                {"response_status", &DeliveryRow::response_status},
                                                {"error", &DeliveryRow::error},
                                                {"body", &DeliveryRow::body_text},
                                                {"created_at", &DeliveryRow::created_at},
                                                {"last_at", &DeliveryRow::last_at}};

Delivery finished(DeliveryRow row) {
  row.body.text = std::move(row.body_text);
  return static_cast<Delivery&&>(row);
}

events::Cursor cursor_of(const std::optional<std::tuple<std::string>>& row) {
  const auto cursor = row ? events::Cursor::parse(std::get<0>(*row)) : std::nullopt;
  if (!cursor) throw std::runtime_error("the position of the webhooks cannot be read");
  return *cursor;
}

}  // namespace

WebhookId WebhookRepository::insert(const NewWebhook& webhook, std::string_view secret,
                                    std::optional<UserId> by, Timestamp now) {
  return std::get<0>(*tx_.one<WebhookId>(
      "INSERT INTO webhooks (url, description, types, secret, created_by, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id",
      webhook.url, webhook.description.value_or(""), webhook.types, secret, by, now));
}
std::optional<StoredWebhook> WebhookRepository::find(WebhookId id) {
  return tx_.find(columns, "SELECT " + columns.list() + " FROM webhooks WHERE id = $1", id);
}
std::vector<Webhook> WebhookRepository::list() {
  std::vector<Webhook> all;
  for (auto& row : tx_.list(columns, "SELECT " + columns.list() + " FROM webhooks ORDER BY id"))
    all.push_back(std::move(row));
  return all;
}
std::vector<StoredWebhook> WebhookRepository::active() {
  return tx_.list(columns, "SELECT " + columns.list() + " FROM webhooks WHERE is_active = 1 ORDER BY id");
}
void WebhookRepository::update(const Webhook& w, Timestamp now) {
  tx_.execute(
      "UPDATE webhooks SET url = $2, description = $3, types = $4, is_active = $5, disabled_reason = $6, "
      "updated_at = $7 "
      "WHERE id = $1",
      w.id, w.url, w.description, w.types, w.is_active, w.disabled_reason, now);
}
bool WebhookRepository::set_secret(WebhookId id, std::string_view sealed_secret, Timestamp now) {
  return tx_.execute("UPDATE webhooks SET secret = $2, updated_at = $3 WHERE id = $1", id, sealed_secret,
                     now) == 1;
}
bool WebhookRepository::remove(WebhookId id) {
  return tx_.execute("DELETE FROM webhooks WHERE id = $1", id) == 1;
}
bool WebhookRepository::disable(WebhookId id, std::string_view reason, Timestamp now) {
  return tx_.execute(
             "UPDATE webhooks SET is_active = 0, disabled_reason = $2, updated_at = $3 WHERE id = $1 AND "
             "is_active = 1",
             id, reason, now) == 1;
}

void WebhookRepository::add_delivery(const Delivery& d) {
  tx_.execute(
      "INSERT INTO webhook_deliveries (id, webhook_id, type, body, status, created_at) "
      "VALUES ($1, $2, $3, $4, 'pending', $5)",
      d.id, d.webhook_id, d.type, d.body.text, d.created_at);
}
std::optional<Delivery> WebhookRepository::find_delivery(const std::string& id) {
  auto row = tx_.find(delivery_columns,
                      "SELECT " + delivery_columns.list() + " FROM webhook_deliveries WHERE id = $1", id);
  if (!row) return std::nullopt;
  return finished(std::move(*row));
}
Page<Delivery> WebhookRepository::deliveries(WebhookId id, const PageRequest& page) {
  Page<Delivery> out;
  for (auto& row : tx_.list(delivery_columns,
                            "SELECT " + delivery_columns.list() +
                                " FROM webhook_deliveries WHERE webhook_id = $1 "
                                "ORDER BY seq DESC LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)",
                            id, page.limit, page.skip))
    out.items.push_back(finished(std::move(row)));
  out.total = std::get<0>(
      *tx_.one<std::int64_t>("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1", id));
  return out;
}
void WebhookRepository::tried(const std::string& delivery, DeliveryStatus status,
                              std::optional<std::int64_t> answer, const std::optional<std::string>& error,
                              Timestamp now) {
  tx_.execute(
      "UPDATE webhook_deliveries SET status = $2, response_status = $3, error = $4, last_at = $5, attempts = "
      "attempts + 1 "
      "WHERE id = $1",
      delivery, status, answer, error, now);
}
void WebhookRepository::reopen(const std::string& delivery) {
  tx_.execute("UPDATE webhook_deliveries SET status = 'pending', error = NULL WHERE id = $1", delivery);
}
std::int64_t WebhookRepository::prune_deliveries(Timestamp before) {
  return tx_.execute("DELETE FROM webhook_deliveries WHERE created_at < $1 AND status <> 'pending'", before);
}

events::Cursor WebhookRepository::position() {
  if (!tx_.postgresql()) return position_now();
  return cursor_of(tx_.one<std::string>("SELECT position FROM webhook_position WHERE id = 1 FOR UPDATE"));
}
events::Cursor WebhookRepository::position_now() {
  return cursor_of(tx_.one<std::string>("SELECT position FROM webhook_position WHERE id = 1"));
}
void WebhookRepository::move_to(const events::Cursor& position) {
  tx_.execute("UPDATE webhook_position SET position = $1 WHERE id = 1", position.text());
}

}  // namespace lumina::webhooks
