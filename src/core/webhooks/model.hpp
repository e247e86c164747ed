// Webhooks: who is told of what, and what was sent.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::webhooks {

using WebhookId = Id<struct WebhookTag>;

struct Webhook {
  WebhookId id;
  std::string url, description;
  std::vector<std::string> types;
  bool is_active = true;
  std::optional<std::string> disabled_reason;
  Timestamp created_at, updated_at;

  static constexpr std::string_view type_name = "Webhook";
  static std::vector<schema::Field> fields();
};

// The answer to making one: the only time that the secret is shown.
struct MadeWebhook : Webhook {
  std::string secret;
  static constexpr std::string_view type_name = "MadeWebhook";
  static std::vector<schema::Field> fields();
};

struct NewWebhook {
  std::string url;
  std::optional<std::string> description;
  std::vector<std::string> types;
  static constexpr std::string_view type_name = "NewWebhook";
  static std::vector<schema::Field> fields();
};

struct WebhookChanges {
  schema::Patch<std::string> url, description;
  schema::Patch<std::vector<std::string>> types;
  schema::Patch<bool> is_active;
  static constexpr std::string_view type_name = "WebhookChanges";
  static std::vector<schema::Field> fields();
};

enum class DeliveryStatus : std::uint8_t { pending, succeeded, failed };
constexpr std::array<std::string_view, 3> delivery_status_names{"pending", "succeeded", "failed"};
constexpr auto& enum_names(DeliveryStatus) { return delivery_status_names; }

struct Delivery {
  std::string id;
  WebhookId webhook_id;
  std::string type;
  DeliveryStatus status = DeliveryStatus::pending;
  std::int64_t attempts = 0;
  std::optional<std::int64_t> response_status;
  std::optional<std::string> error;
  schema::RawJson body;
  Timestamp created_at;
  std::optional<Timestamp> last_at;

  static constexpr std::string_view type_name = "WebhookDelivery";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::webhooks
