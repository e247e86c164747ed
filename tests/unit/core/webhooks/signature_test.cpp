#include "core/webhooks/signature.hpp"

#include "core/base/text.hpp"

#include <catch2/catch.hpp>

using namespace lumina;

TEST_CASE("signatures are those of Standard Webhooks", "[I7]") {
  // The example of its specification.
  CHECK(webhooks::sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                       R"({"test": 2432232314})") == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  CHECK(webhooks::sign("no secret", "id", 1, "body").empty());
  const auto secret = webhooks::make_secret();
  CHECK(secret.starts_with("whsec_"));
  CHECK(base64_decode(secret.substr(6))->size() == 32);
  CHECK(webhooks::make_secret() != secret);
}
