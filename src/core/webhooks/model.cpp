#include "core/webhooks/model.hpp"

namespace lumina::webhooks {
namespace {

constexpr std::string_view types_text = "Event types; borrow.* stands for all that begin so, * for all";

}  // namespace

std::vector<schema::Field> Webhook::fields() {
  return {{"id", &Webhook::id, "Identifier"},
          {"url", &Webhook::url, "Where events are sent"},
          {"description", &Webhook::description, "What it is for"},
          {"types", &Webhook::types, types_text},
          {"is_active", &Webhook::is_active, "Whether anything is sent"},
          {"disabled_reason", &Webhook::disabled_reason, "Why the library stopped sending"},
          {"created_at", &Webhook::created_at, "When it was made"},
          {"updated_at", &Webhook::updated_at, "When it was changed"}};
}
std::vector<schema::Field> MadeWebhook::fields() {
  auto all = Webhook::fields();
  all.emplace_back("secret", &MadeWebhook::secret, "Verifies signatures (Standard Webhooks); shown only now");
  return all;
}
std::vector<schema::Field> NewWebhook::fields() {
  schema::Field types{"types", &NewWebhook::types, types_text, {schema::items(1, 50)}};
  types.required = true;
  return {{"url", &NewWebhook::url, "An http or https address", {schema::length(1, 2048)}},
          {"description", &NewWebhook::description, "What it is for", {schema::length(0, 500)}},
          types};
}
std::vector<schema::Field> WebhookChanges::fields() {
  return {{"url", &WebhookChanges::url, "An http or https address", {schema::length(1, 2048)}},
          {"description", &WebhookChanges::description, "What it is for", {schema::length(0, 500)}},
          {"types", &WebhookChanges::types, types_text, {schema::items(1, 50)}},
          {"is_active", &WebhookChanges::is_active, "Whether anything is sent"}};
}
std::vector<schema::Field> Delivery::fields() {
  return {{"id", &Delivery::id, "The webhook-id that the receiver sees, the same at every try"},
          {"webhook_id", &Delivery::webhook_id, "To which webhook"},
          {"type", &Delivery::type, "The event's type"},
          {"status", &Delivery::status, "How it stands"},
          {"attempts", &Delivery::attempts, "Tries so far"},
          {"response_status", &Delivery::response_status, "What the receiver answered last"},
          {"error", &Delivery::error, "Why the last try failed"},
          {"body", &Delivery::body, "What is sent"},
          {"created_at", &Delivery::created_at, "When it was to be sent first"},
          {"last_at", &Delivery::last_at, "The last try"}};
}

}  // namespace lumina::webhooks
