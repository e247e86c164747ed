#include "modules/borrows/hold_model.hpp"

namespace lumina::borrows {

using schema::Field;

std::vector<Field> Forecast::fields() {
  return {{"expected_at", &Forecast::expected_at, "A copy is as likely to come before as after"},
          {"earliest", &Forecast::earliest, "Start of the range in which it comes four times out of five"},
          {"latest", &Forecast::latest, "End of that range"}};
}

std::vector<Field> Hold::fields() {
  return {
      {"id", &Hold::id, "Identifier"},
      {"book_id", &Hold::book_id, "The book"},
      {"user_id", &Hold::user_id, "Who waits"},
      {"status", &Hold::status, "waiting, suspended (passed over), ready (a copy is kept), or how it ended"},
      {"position", &Hold::position, "Place in line, from 1; null once it has ended"},
      {"pickup_branch_id", &Hold::pickup_branch_id, "Where it is picked up"},
      {"copy_id", &Hold::copy_id, "The copy that is kept, or was lent"},
      {"borrow_id", &Hold::borrow_id, "The loan that fulfilled it"},
      {"ready_at", &Hold::ready_at, "When a copy was first kept"},
      {"pickup_until", &Hold::pickup_until, "How long the copy is kept"},
      {"suspended_until", &Hold::suspended_until, "When a suspension ends by itself"},
      {"expires_at", &Hold::expires_at, "When it is no longer wanted"},
      {"note", &Hold::note, "A note for the desk"},
      {"created_at", &Hold::created_at, "When it was placed"},
      {"ended_at", &Hold::ended_at, "When it ended"},
      {"book", &Hold::book, "The book in short"},
      Field("forecast", &Hold::forecast, "When a copy is to be expected; of a hold that waits")
          .hide_when_absent(),
      Field("user", &Hold::user, "Who waits; in the lists of staff").hide_when_absent()};
}

std::vector<Field> NewHold::fields() {
  return {
      {"user_id", &NewHold::user_id, "Place it for this person instead (staff)"},
      {"pickup_branch_id", &NewHold::pickup_branch_id, "Where to pick it up (default: the default branch)"},
      {"expires_at", &NewHold::expires_at, "Not wanted after this"},
      {"note", &NewHold::note, "A note for the desk", {schema::length(0, 500)}}};
}
std::vector<Field> HoldChanges::fields() {
  return {
      {"suspended", &HoldChanges::suspended, "true: passed over until told otherwise; false: back in line"},
      {"suspended_until", &HoldChanges::suspended_until, "Passed over until then"},
      {"pickup_branch_id", &HoldChanges::pickup_branch_id, "Where to pick it up"},
      {"expires_at", &HoldChanges::expires_at, "Not wanted after this"},
      {"note", &HoldChanges::note, "A note for the desk", {schema::length(0, 500)}}};
}
std::vector<Field> Suspension::fields() {
  return {{"until", &Suspension::until, "When it ends by itself (default: never)"}};
}
std::vector<Field> LinePlace::fields() {
  return {{"position",
           &LinePlace::position,
           "The place in line, from 1; beyond the end is the end",
           {schema::range(1, 1'000'000)}}};
}
std::vector<Field> OwnHolds::fields() { return {{"status", &OwnHolds::status, "Only holds of this status"}}; }
std::vector<Field> HoldFilter::fields() {
  return {{"user_id", &HoldFilter::user_id, "Only holds of this person"},
          {"book_id", &HoldFilter::book_id, "Only holds of this book"},
          {"pickup_branch_id", &HoldFilter::pickup_branch_id, "Only holds picked up there"},
          {"status", &HoldFilter::status, "Only holds of this status"}};
}

}  // namespace lumina::borrows
