// Turns events into deliveries, and sends deliveries as jobs.
//
// A thread follows the outbox from a position in the database: deliveries, their jobs and the moved position
// are one transaction, so that every event reaches every webhook that wants it once as a delivery, whatever
// number of instances there is and whenever one dies. Sending is at least once: receivers tell a repeated one
// by its webhook-id.
//
// A 2xx answer ends a delivery, 410 turns the webhook off, everything else is tried again after 5 s, 5 min,
// 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h. Redirects are not followed. Addresses are judged when they are
// connected to.
#pragma once
#include "core/db/database.hpp"
#include "core/events/bus.hpp"
#include "core/events/journal.hpp"
#include "core/http/client.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

namespace lumina::webhooks {

class Sender {
 public:
  Sender(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
         http::Client client, std::string seal_key);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Before the runner starts.
  void handle_jobs(jobs::Runner& runner);
  void start();
  void stop();
  // Makes deliveries of what has happened; gives the number of events looked at. Blocking; what the thread
  // does.
  std::size_t fan_out();

 private:
  Result<std::string> deliver(jobs::JobContext& job);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  const http::Client client_;
  const std::string seal_key_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = true, stopping_ = false;
  std::thread thread_;
};

}  // namespace lumina::webhooks
