#include "modules/recs/person.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::recs {

Moment moment_of(Timestamp at) { return Moment(std::chrono::milliseconds(at.ms)); }

float strength_of(const Deed& deed) {
  switch (deed.kind) {
    case DeedKind::borrow:
      return strength_of(Signal::borrow);
    case DeedKind::review:
      return strength_of(Signal::review, static_cast<int>(std::lround(deed.value)));
    case DeedKind::hold:
      return strength_of(Signal::hold);
    case DeedKind::listed:
      return strength_of(Signal::list);
    case DeedKind::click:
    case DeedKind::opened:
      return strength_of(Signal::click);
    case DeedKind::like:
      return strength_of(Signal::like);
    case DeedKind::dislike:
      return strength_of(Signal::dislike);
    case DeedKind::dismiss:
      return strength_of(Signal::dismiss);
    case DeedKind::shown:
      return 0;
  }
  return 0;
}

std::string_view wording_of(const Deed& deed) {
  switch (deed.kind) {
    case DeedKind::borrow:
      return "you borrowed";
    case DeedKind::review:
      return deed.value >= 4 ? "you rated highly" : "you reviewed";
    case DeedKind::hold:
      return "you asked for";
    case DeedKind::listed:
      return "you put on a list";
    case DeedKind::like:
      return "you liked";
    default:
      return "you looked at";
  }
}

Person make_person(const std::vector<Deed>& deeds, Wishes wishes, bool personal,
                   std::optional<Timestamp> forgotten_at) {
  Person person;
  person.wishes = std::move(wishes);
  person.personal = personal;
  std::vector<History::Entry> entries;
  std::unordered_set<std::int64_t> opened;
  for (const auto& deed : deeds) {
    switch (deed.kind) {
      case DeedKind::borrow:
      case DeedKind::review:
        person.had.insert(deed.book);
        break;
      case DeedKind::hold:
        if (deed.value > 0) person.at_hand.insert(deed.book);
        break;
      case DeedKind::listed:
        person.at_hand.insert(deed.book);
        break;
      case DeedKind::dislike:
      case DeedKind::dismiss:
        person.refused.insert(deed.book);
        break;
      case DeedKind::shown:
        person.shown[deed.book] += deed.value;
        break;
      case DeedKind::click:
      case DeedKind::like:
      case DeedKind::opened:
        opened.insert(deed.book);
        break;
    }
    const float strength = strength_of(deed);
    if (!personal || strength == 0 || (forgotten_at && deed.at <= *forgotten_at)) continue;
    entries.push_back({deed.book, strength, moment_of(deed.at)});
    const auto [it, fresh] = person.deeds.try_emplace(deed.book, deed);
    if (!fresh && strength_of(it->second) < strength) it->second = deed;
  }
  for (const auto book : opened) person.shown.erase(book);
  person.history = History(std::move(entries));
  return person;
}

People::Found People::find(UserId user) {
  std::lock_guard lock(mutex_);
  auto [it, fresh] = entries_.try_emplace(user.value);
  auto& entry = it->second;
  if (fresh) {
    entry.ticket = ++next_ticket_;
    entry.place = order_.insert(order_.end(), user.value);
    if (entries_.size() > most_) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
  } else {
    order_.splice(order_.end(), order_, entry.place);
  }
  return {entry.person, entry.prepared, entry.ticket};
}

void People::store(UserId user, std::uint64_t ticket, std::shared_ptr<const Person> person) {
  std::lock_guard lock(mutex_);
  const auto it = entries_.find(user.value);
  if (it != entries_.end() && it->second.ticket == ticket) it->second.person = std::move(person);
}

void People::store(UserId user, std::uint64_t ticket, std::shared_ptr<const Prepared> prepared) {
  std::lock_guard lock(mutex_);
  const auto it = entries_.find(user.value);
  if (it != entries_.end() && it->second.ticket == ticket) it->second.prepared = std::move(prepared);
}

void People::forget(UserId user) {
  std::lock_guard lock(mutex_);
  const auto it = entries_.find(user.value);
  if (it == entries_.end()) return;
  order_.erase(it->second.place);
  entries_.erase(it);
}

void People::clear() {
  std::lock_guard lock(mutex_);
  entries_.clear();
  order_.clear();
}

}  // namespace lumina::recs
