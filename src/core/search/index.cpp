#include "core/search/index.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace lumina::search {
namespace {

std::size_t living(const Segment::Part& part) {
  std::size_t dead = 0;
  for (const auto word : *part.dead) dead += static_cast<std::size_t>(std::popcount(word));
  return part.segment->size() - dead;
}

// Adds (sign 1) or takes away (-1) what one document means to the figures.
void count(Snapshot& s, const Segment& segment, DocNumber doc, std::int64_t sign) {
  s.documents += static_cast<std::uint64_t>(sign);
  std::uint16_t before = 0;
  const auto ends = segment.ends(doc);
  for (std::size_t f = 0; f < ends.size(); ++f) {
    const int length = ends[f] - before;
    before = ends[f];
    if (length == 0) continue;
    s.length[f] += static_cast<std::uint64_t>(sign * length);
    s.documents_with[f] += static_cast<std::uint64_t>(sign);
  }
}

}  // namespace

double Snapshot::usual_length(std::size_t field) const {
  if (documents_with[field] == 0) return 1;
  return std::max(1.0, static_cast<double>(length[field]) / static_cast<double>(documents_with[field]));
}

std::size_t Snapshot::memory() const {
  std::size_t sum = 0;
  for (const auto& part : parts)
    sum += part.segment->memory() + part.dead->capacity() * sizeof(std::uint64_t);
  return sum;
}

std::size_t Snapshot::terms() const {
  std::size_t sum = 0;
  for (const auto& part : parts) sum += part.segment->terms();
  return sum;
}

Index::Index(Schema schema) : schema_(std::move(schema)), current_(std::make_shared<Snapshot>()) {
  if (schema_.fields.size() > most_fields || schema_.facets.size() > most_facets)
    throw std::logic_error("an index has at most 8 fields and 8 facets");
}

SnapshotPtr Index::snapshot() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void Index::publish(Snapshot next) {
  std::erase_if(next.parts, [](const Segment::Part& part) { return living(part) == 0; });
  std::ranges::sort(next.parts, std::ranges::greater{},
                    [](const Segment::Part& part) { return part.segment->size(); });
  next.languages = 0;
  for (const auto& part : next.parts) next.languages |= part.segment->languages();
  auto shared = std::make_shared<const Snapshot>(std::move(next));
  std::lock_guard lock(mutex_);
  current_.swap(shared);
}

void Index::kill(Snapshot& next, std::int64_t id, std::vector<std::shared_ptr<Bits>>& fresh) const {
  for (std::size_t p = 0; p < next.parts.size(); ++p) {
    auto& part = next.parts[p];
    const auto doc = part.segment->find(id);
    if (!doc || bit(*part.dead, *doc)) continue;
    if (!fresh[p]) part.dead = fresh[p] = std::make_shared<Bits>(*part.dead);
    set_bit(*fresh[p], *doc);
    count(next, *part.segment, *doc, -1);
    return;
  }
}

void Index::add(Snapshot& next, Segment::Part part) const {
  for (DocNumber doc = 0; doc < part.segment->size(); ++doc)
    if (!bit(*part.dead, doc)) count(next, *part.segment, doc, 1);
  next.parts.push_back(std::move(part));
}

void Index::put(std::vector<Document> documents, bool merge) {
  if (documents.empty()) return;
  auto segment = Segment::build(schema_, std::move(documents));
  std::lock_guard writing(writing_);
  Snapshot next = *snapshot();
  ++next.version;
  std::vector<std::shared_ptr<Bits>> fresh(next.parts.size());
  for (DocNumber doc = 0; doc < segment->size(); ++doc) kill(next, segment->id(doc), fresh);
  auto none = std::make_shared<const Bits>(no_bits(segment->size()));
  add(next, {std::move(segment), std::move(none)});
  publish(std::move(next));
  if (merge) merge_small();
}

void Index::remove(std::span<const std::int64_t> ids) {
  if (ids.empty()) return;
  std::lock_guard writing(writing_);
  Snapshot next = *snapshot();
  ++next.version;
  std::vector<std::shared_ptr<Bits>> fresh(next.parts.size());
  for (const auto id : ids) kill(next, id, fresh);
  publish(std::move(next));
}

bool Index::set_live(std::int64_t id, std::span<const std::int32_t> values) {
  // With the writers, or a merge could copy the old values after they were set.
  std::lock_guard writing(writing_);
  const auto now = snapshot();
  for (const auto& part : now->parts) {
    const auto doc = part.segment->find(id);
    if (!doc || bit(*part.dead, *doc)) continue;
    for (std::size_t i = 0; i < values.size(); ++i) part.segment->set_live(i, *doc, values[i]);
    return true;
  }
  return false;
}

void Index::merge_small() {
  Snapshot next = *snapshot();
  auto& parts = next.parts;
  // From the smallest up, as long as the next one is no more than three times what was gathered.
  std::size_t gathered = 0, first = parts.size();
  while (first > 0 && (first == parts.size() || parts[first - 1].segment->size() <= 3 * gathered))
    gathered += parts[--first].segment->size();
  if (parts.size() - first < 2) {
    // One that is mostly dead is rewritten by itself.
    const auto rotten = std::ranges::find_if(parts, [](const Segment::Part& part) {
      return part.segment->size() > 64 && living(part) * 2 < part.segment->size();
    });
    if (rotten == parts.end()) return;
    std::rotate(rotten, rotten + 1, parts.end());
    first = parts.size() - 1;
  }
  auto merged = Segment::merge(schema_, std::span(parts).subspan(first));
  parts.resize(first);
  auto none = std::make_shared<const Bits>(no_bits(merged->size()));
  parts.push_back({std::move(merged), std::move(none)});
  publish(std::move(next));
}

void Index::tidy() {
  std::lock_guard writing(writing_);
  merge_small();
}

void Index::settle() {
  std::lock_guard writing(writing_);
  Snapshot next = *snapshot();
  if (next.parts.empty()) return;
  auto merged = Segment::merge(schema_, next.parts);
  auto none = std::make_shared<const Bits>(no_bits(merged->size()));
  next.parts.assign(1, {std::move(merged), std::move(none)});
  publish(std::move(next));
}

void Index::take(const Index& other) {
  std::lock_guard writing(writing_);
  Snapshot next = *other.snapshot();
  next.version = snapshot()->version + 1;
  publish(std::move(next));
}

}  // namespace lumina::search
