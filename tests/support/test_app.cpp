#include "support/test_app.hpp"

#include "core/base/text.hpp"
#include "core/http/body_source.hpp"
#include "core/http/pipeline.hpp"
#include "core/telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <semaphore>

namespace lumina::test {
namespace {

const boost::json::value nothing;

std::vector<std::pair<std::string, std::string>> lines_of(std::string_view block) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!block.empty()) {
    const auto end = block.find("\r\n");
    const auto line = block.substr(0, end);
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos) out.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    if (end == std::string_view::npos) break;
    block.remove_prefix(end + 2);
  }
  return out;
}

}  // namespace

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (iequals(key, name)) return value;
  return {};
}
const boost::json::value& Answer::operator[](std::string_view name) const {
  if (!json.is_object()) return nothing;
  const auto* member = json.get_object().if_contains({name.data(), name.size()});
  return member ? *member : nothing;
}
const boost::json::value& Answer::operator[](std::size_t index) const {
  return json.is_array() && index < json.get_array().size() ? json.get_array()[index] : nothing;
}
std::string Answer::code() const {
  const auto& v = (*this)["code"];
  return v.is_string() ? std::string(v.get_string()) : "";
}
std::string Answer::detail() const {
  const auto& v = (*this)["detail"];
  return v.is_string() ? std::string(v.get_string()) : "";
}
std::int64_t Answer::id() const {
  const auto& v = (*this)["id"];
  return v.is_int64() ? v.get_int64() : 0;
}
std::size_t Answer::size() const { return json.is_array() ? json.get_array().size() : 0; }

Answer Client::get(std::string target, http::Headers headers) {
  return send(http::Method::get, std::move(target), "", std::move(headers));
}
Answer Client::post(std::string target, std::string body, http::Headers headers) {
  return send(http::Method::post, std::move(target), std::move(body), std::move(headers));
}
Answer Client::put(std::string target, std::string body, http::Headers headers) {
  return send(http::Method::put, std::move(target), std::move(body), std::move(headers));
}
Answer Client::patch(std::string target, std::string body, http::Headers headers) {
  return send(http::Method::patch, std::move(target), std::move(body), std::move(headers));
}
Answer Client::del(std::string target, http::Headers headers) {
  return send(http::Method::del, std::move(target), "", std::move(headers));
}
Answer Client::send(http::Method method, std::string target, std::string body, http::Headers headers) {
  http::Request request;
  request.head.method = method;
  request.head.target = std::move(target);
  request.head.headers = std::move(headers);
  if (request.head.header("Host").empty()) request.head.headers.emplace_back("Host", "library.example");
  if (!body.empty()) {
    if (request.head.header("Content-Type").empty())
      request.head.headers.emplace_back("Content-Type", "application/json");
    request.head.content_length = body.size();
  }
  if (!token_.empty() && request.head.header("Authorization").empty())
    request.head.headers.emplace_back("Authorization", "Bearer " + token_);
  request.body = std::move(body);
  request.peer_address = address_;
  return app_->call(std::move(request));
}

std::unique_ptr<TestApp> TestApp::on(Database kind, const Configure& configure) {
  return std::unique_ptr<TestApp>(new TestApp(kind, configure));
}

TestApp::TestApp(Database kind, const Configure& configure)
    : database_(kind), clock_(std::make_shared<FixedClock>(*parse_rfc3339("2026-11-22T10:00:00Z"))) {
  config_.data_dir = database_.folder().string();
  if (kind == Database::postgresql) config_.database_url = database_.url();
  config_.bcrypt_cost = 4;
  config_.rate_limit = 0;
  config_.login_rate = 0;
  config_.db_pool_size = 8;
  config_.job_poll_milliseconds = 20;
  config_.log_level = LogLevel::error;
  config_.open_library_url.clear();
  config_.recs_retrain_books = 0;
  config_.secret_key = "test-only-8f1d4c2ab7e94d06a3f5c8e2917b60d4-key";
  if (configure) configure(config_);
  if (config_.login_rate > 0 && config_.rate_limit == 0) config_.rate_limit = 1'000'000;  // off means both
  log::set_level(config_.log_level);
  open();
  thread_ = std::thread([this] {
    auto guard = boost::asio::make_work_guard(io_);
    io_.run();
  });
}

TestApp::~TestApp() {
  app_->stop_background();
  app_->database().stop();
  io_.stop();
  thread_.join();
  app_.reset();
}

void TestApp::open() {
  app_ = std::make_unique<App>(config_, clock_);
  app_->start_workers();
}

void TestApp::restart() {
  app_->database().stop();
  app_.reset();
  open();
}

// The connection's part: takes on the io thread, waits to be woken.
std::string TestApp::drained(http::BodySource& stream) {
  std::binary_semaphore woken(0);
  std::atomic<bool> waiting{false};
  stream.attach([&] {
    if (waiting.exchange(false)) woken.release();
  });
  std::string body;
  for (;;) {
    waiting = true;
    auto state = http::BodySource::State::open;
    const auto before = body.size();
    auto take = [&] { state = stream.take(body, 16 * 1024); };
    boost::asio::post(io_, std::packaged_task<void()>(take)).get();
    if (state != http::BodySource::State::open) {
      if (state == http::BodySource::State::broken) body += "(broken off)";
      break;
    }
    if (body.size() == before) woken.acquire();
  }
  stream.detach();
  return body;
}

Answer TestApp::call(http::Request request) {
  const bool endless = request.head.target.find("/events") != std::string::npos;
  auto future = boost::asio::co_spawn(io_, http::serve(app_->application(), std::move(request)),
                                      boost::asio::use_future);
  http::Response response = future.get();
  // The stream of events goes on for ever; everything else that is made while it is sent is read to its end.
  if (response.stream && !endless) response.body = drained(*response.stream);
  Answer answer;
  answer.status = response.status;
  answer.headers = response.headers;
  for (auto& line : lines_of(response.header_block)) answer.headers.push_back(std::move(line));
  if (!response.content_type.empty()) answer.headers.emplace_back("Content-Type", response.content_type);
  answer.body = response.bytes();
  if (response.content_type.find("json") != std::string::npos && answer.header("Content-Encoding").empty()) {
    boost::system::error_code error;
    answer.json = boost::json::parse(answer.body, error);
  }
  return answer;
}

Client TestApp::login(const std::string& email, const std::string& secret) {
  auto answer =
      anybody().post("/api/v1/auth/login", fmt::format(R"({{"email":"{}","password":"{}"}})", email, secret));
  if (answer.status != 200) throw std::runtime_error("login failed: " + answer.body);
  return {*this, std::string(answer["access_token"].as_string()), answer["user"].at("id").as_int64()};
}

Client TestApp::account(const std::string& email, const std::string& name, std::string_view role) {
  auto made = anybody().post(
      "/api/v1/auth/register",
      fmt::format(R"({{"email":"{}","password":"{}","full_name":"{}"}})", email, password, name));
  if (made.status == 201 && role != "patron") {
    // As another instance would: the row changes and the event says so.
    auto work = [this, id = UserId{made.id()}, role](db::Transaction& tx) -> Status {
      tx.execute("UPDATE users SET role = $2 WHERE id = $1", id, role);
      app_->journal().record(
          tx, Caller::system("test"),
          {.type = "user.updated", .resource = "user", .resource_id = id.value, .subject = id});
      return {};
    };
    if (!app_->database().write_now(std::move(work))) throw std::runtime_error("the role could not be set");
  }
  return login(email, std::string(password));
}
Client TestApp::patron(int number) {
  return account(fmt::format("patron{}@example.org", number), fmt::format("Patron {}", number), "patron");
}
Client TestApp::librarian() { return account("librarian@example.org", "Libby Rarian", "librarian"); }
Client TestApp::admin() { return account("admin@example.org", "Ada Min", "admin"); }

std::int64_t TestApp::book(std::string title, std::string author, std::string more) {
  auto made = librarian().post("/api/v1/books", fmt::format(R"({{"title":"{}","author":"{}"{}{}}})", title,
                                                            author, more.empty() ? "" : ",", more));
  if (made.status != 201) throw std::runtime_error("the book was not made: " + made.body);
  return made.id();
}

std::int64_t TestApp::number(std::string_view sql) {
  auto work = [sql = std::string(sql)](db::Transaction& tx) -> std::int64_t {
    const auto row = tx.one<std::int64_t>(sql);
    return row ? std::get<0>(*row) : 0;
  };
  return *app_->database().read_now(std::move(work));
}

}  // namespace lumina::test
