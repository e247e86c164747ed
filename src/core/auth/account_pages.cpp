#include "core/auth/account_pages.hpp"

#include "core/http/answer.hpp"
#include "core/http/handler.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace lumina::auth {
namespace {

using namespace http;

constexpr std::string_view security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

// One page with one form; the script of both pages fills in what it does.
std::string form_page(std::string_view title, std::string_view heading, std::string_view action,
                      std::string_view done, std::string_view fields) {
  return fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{}</title>
<link rel="stylesheet" href="account/page.css">
<script src="account/page.js" defer></script>
</head>
<body>
<main>
<h1>{}</h1>
<form id="form" data-action="{}" data-done="{}" hidden>
{}
</form>
<p id="message" role="status">This page needs JavaScript.</p>
</main>
</body>
</html>
)",
                     title, heading, action, done, fields);
}

std::string reset_page() {
  return form_page("Choose a password", "Choose a password", "api/v1/auth/password-reset/confirm",
                   "Your password was changed. You can sign in with it now.",
                   R"(<label for="password">New password</label>
<input id="password" type="password" autocomplete="new-password" required maxlength="100">
<label for="again">Once more</label>
<input id="again" type="password" autocomplete="new-password" required maxlength="100">
<button type="submit">Set the password</button>)");
}

std::string confirm_page() {
  return form_page("Confirm your address", "Confirm your e-mail address", "api/v1/users/me/email/confirm",
                   "Your address was confirmed. Use it when you sign in the next time.",
                   R"(<button type="submit">Confirm the address</button>)");
}

constexpr std::string_view style =
    R"(:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
main { width: min(24rem, 90vw); }
h1 { font-size: 1.4rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; }
label { margin-top: 1rem; }
input, button { padding: 0.6rem; font: inherit; }
button { margin-top: 1.5rem; cursor: pointer; }
[hidden] { display: none; }
)";

constexpr std::string_view script = R"('use strict';
const form = document.getElementById('form');
const message = document.getElementById('message');
const password = document.getElementById('password');
const again = document.getElementById('again');
const button = form.querySelector('button');
const token = new URLSearchParams(location.hash.slice(1)).get('token');
// Neither the history nor a link from here shall show it.
history.replaceState(null, '', location.pathname + location.search);

const wordsOf = async (response) => {
  try {
    const problem = await response.json();
    const faults = (problem.errors || []).map((fault) => fault.msg || fault.message).filter(Boolean);
    return faults.length > 0 ? faults.join('; ') : problem.detail || problem.title;
  } catch {
    return '';
  }
};

if (token) {
  form.hidden = false;
  message.textContent = '';
} else {
  message.textContent = 'This link is not complete. Please open it from the mail once more.';
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { token };
  if (password) {
    if (password.value !== again.value) {
      message.textContent = 'The two passwords differ.';
      return;
    }
    body.new_password = password.value;
  }
  button.disabled = true;
  message.textContent = 'One moment.';
  try {
    const response = await fetch(form.dataset.action, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
    });
    if (response.ok) {
      form.hidden = true;
      message.textContent = form.dataset.done;
      return;
    }
    message.textContent = (await wordsOf(response)) || 'That did not work. Please ask for a new mail.';
  } catch {
    message.textContent = 'The library cannot be reached at the moment. Please try again.';
  }
  button.disabled = false;
});
)";

Route page(std::string path, std::string_view media, std::string bytes) {
  auto route = get(std::move(path), "A page that mails lead to", Access::anyone(), {},
                   [media, bytes = std::move(bytes)] {
                     Response response;
                     response.content_type = media;
                     response.body = bytes;
                     response.etag = make_etag(response.body);
                     response.set("Content-Security-Policy", std::string(security_policy));
                     response.set("Cache-Control", "no-cache");
                     return Result<Response>(std::move(response));
                   });
  // Mail gateways add parameters of their own to links.
  route.handler = [inner = std::move(route.handler)](Context& context) {
    context.query.clear();
    return inner(context);
  };
  route.answer_media = media;
  route.tag = "Account";
  route.hidden = true;
  return route;
}

}  // namespace

std::vector<Route> account_page_routes() {
  std::vector<Route> routes;
  routes.push_back(page("/reset-password", "text/html; charset=utf-8", reset_page()));
  routes.push_back(page("/confirm-email", "text/html; charset=utf-8", confirm_page()));
  routes.push_back(page("/account/page.css", "text/css; charset=utf-8", std::string(style)));
  routes.push_back(page("/account/page.js", "text/javascript; charset=utf-8", std::string(script)));
  return routes;
}

}  // namespace lumina::auth
