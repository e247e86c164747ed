// The API of mail: trying whether it works.
#pragma once
#include "core/http/route.hpp"
#include "core/mail/mailer.hpp"

#include <vector>

namespace lumina::mail {

std::vector<http::Route> mail_routes(Mailer& mailer);

}  // namespace lumina::mail
