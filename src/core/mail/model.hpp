// The types of the test of mail, free of SMTP and SQL.
#pragma once
#include "core/schema/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::mail {

struct MailTestRequest {
  std::optional<std::string> to;  // the caller's own address when absent
  static constexpr std::string_view type_name = "MailTestRequest";
  static std::vector<schema::Field> fields();
};
struct MailTest {
  bool sent = false;
  std::string to;
  std::optional<std::int64_t> status;  // of SMTP, when the server said one
  std::string answer;                  // what the server said, or why it could not be asked
  std::optional<std::string> code;  // when not sent: mail_refused, mail_deferred, mail_login, tls_failed, ...
  static constexpr std::string_view type_name = "MailTest";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::mail
