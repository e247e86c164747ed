#include "core/mail/model.hpp"

#include "core/auth/email.hpp"

namespace lumina::mail {

std::vector<schema::Field> MailTestRequest::fields() {
  return {
      {"to",
       &MailTestRequest::to,
       "Where to; your own address when absent",
       {schema::format("email", &auth::is_email, "must be an e-mail address of at most 255 characters")}}};
}
std::vector<schema::Field> MailTest::fields() {
  return {{"sent", &MailTest::sent, "Whether the mail server took it"},
          {"to", &MailTest::to, "Where to"},
          {"status", &MailTest::status, "The SMTP code of the answer"},
          {"answer", &MailTest::answer, "What the mail server said, or why it could not be asked"},
          {"code", &MailTest::code, "What kind of failure it is"}};
}

}  // namespace lumina::mail
