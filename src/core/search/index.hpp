// The index: segments and what is deleted of them, as readers see it in one moment.
//
// A reader takes a Snapshot, a pointer copied under a lock of some nanoseconds, and keeps it as long as it
// likes: nothing in it changes but live numbers. A writer makes a segment of its batch, marks what it
// replaces as dead in a copy of those bits and publishes a new snapshot; readers never wait for it. Segments
// of like size are merged as they pile up (each document is rewritten about log4(n) times), after the batch
// is visible. Writers take turns. Snapshots are exact: counts and lengths are those of living documents.
//
// Sources: O'Neil et al., "The log-structured merge-tree", Acta Informatica 33, 1996, for the merging.
#pragma once
#include "core/search/segment.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace lumina::search {

struct Snapshot {
  std::vector<Segment::Part> parts;  // largest first
  std::uint64_t documents = 0;
  LanguageSet languages = 0;
  std::array<std::uint64_t, most_fields> length{};          // of each field, in places, together
  std::array<std::uint64_t, most_fields> documents_with{};  // how many have it
  std::uint64_t version = 0;                                // rises with every change of documents

  // The words of a field in the documents that have it, on average; at least 1.
  double usual_length(std::size_t field) const;
  std::size_t memory() const;
  std::size_t terms() const;  // counted once a segment
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

class Index {
 public:
  explicit Index(Schema schema);

  const Schema& schema() const { return schema_; }
  SnapshotPtr snapshot() const;

  // Adds them, in place of those with the same ids. Ids must differ. With `merge` false the segment stays for
  // itself until tidy() or settle(): for loading much at once, or while somebody waits.
  void put(std::vector<Document> documents, bool merge = true);
  void remove(std::span<const std::int64_t> ids);
  // False when there is no such document.
  bool set_live(std::int64_t id, std::span<const std::int32_t> values);
  // Merges small segments, as put() does.
  void tidy();
  // Everything in one segment.
  void settle();
  // Has what the other has from now on; the other is left as it was.
  void take(const Index& other);

 private:
  void kill(Snapshot& next, std::int64_t id, std::vector<std::shared_ptr<Bits>>& fresh) const;
  void add(Snapshot& next, Segment::Part part) const;
  void publish(Snapshot next);
  void merge_small();

  const Schema schema_;
  std::mutex writing_;
  mutable std::mutex mutex_;
  SnapshotPtr current_;
};

}  // namespace lumina::search
