#include "modules/books/record_model.hpp"

#include "core/schema/distinct.hpp"

namespace lumina::books {

using schema::Field;

std::vector<Field> FieldChange::fields() {
  return {{"field", &FieldChange::field, "Name of the field"},
          {"before", &FieldChange::before, "What it was"},
          {"after", &FieldChange::after, "What it became"}};
}
std::vector<Field> HistoryEntry::fields() {
  return {{"version", &HistoryEntry::version, "The version that came about"},
          {"at", &HistoryEntry::at, "When"},
          {"action", &HistoryEntry::action, "What was done"},
          {"user_id", &HistoryEntry::user_id, "Who did it; null: the server itself"},
          {"user_name", &HistoryEntry::user_name, "The name of that person"},
          {"changes", &HistoryEntry::changes, "The fields that changed"}};
}
std::vector<Field> Revert::fields() {
  return {
      {"version", &Revert::version, "The version whose fields are wanted again", {schema::range(1, 1e15)}}};
}
std::vector<Field> ChangeSet::fields() {
  return {{"id", &ChangeSet::id, "Identifier"},
          {"kind", &ChangeSet::kind, "What was done"},
          {"book_id", &ChangeSet::book_id, "The book that was deleted, or that the others became part of"},
          {"books", &ChangeSet::books, "The books that went"},
          {"at", &ChangeSet::at, "When"},
          {"user_id", &ChangeSet::user_id, "Who did it"},
          {"undone_at", &ChangeSet::undone_at, "When it was undone; null: it stands"},
          {"undone_by", &ChangeSet::undone_by, "Who undid it"}};
}
std::vector<Field> MergeRequest::fields() {
  return {{"into", &MergeRequest::into, "The book that stays"},
          Field("from", &MergeRequest::from, "The books that become part of it",
                {schema::items(1, 20), schema::distinct()})
              .needed(),
          {"fill", &MergeRequest::fill, "Empty fields take what the others have (default true)"}};
}
std::vector<Field> DeletedBook::fields() {
  return {{"id", &DeletedBook::id, "Identifier"},
          {"title", &DeletedBook::title, "Title proper"},
          {"author", &DeletedBook::author, "Author"},
          {"isbn", &DeletedBook::isbn, "ISBN-13"},
          {"deleted_at", &DeletedBook::deleted_at, "When it was deleted"},
          {"restorable_until", &DeletedBook::restorable_until, "Until when it can be restored"},
          {"merged_into", &DeletedBook::merged_into, "The book that it became part of"}};
}
std::vector<Field> DuplicateBook::fields() {
  return {{"id", &DuplicateBook::id, "Identifier"},
          {"title", &DuplicateBook::title, "Title proper"},
          {"author", &DuplicateBook::author, "Author"},
          {"isbn", &DuplicateBook::isbn, "ISBN-13"},
          {"year_published", &DuplicateBook::year_published, "Year of publication"},
          {"copies_total", &DuplicateBook::copies_total, "Copies the library owns"}};
}
std::vector<Field> DuplicateGroup::fields() {
  return {{"score", &DuplicateGroup::score, "How sure it is, up to 1"},
          {"reason", &DuplicateGroup::reason, "same_record, same_title_other_isbn or similar_title"},
          {"books", &DuplicateGroup::books, "The books, the oldest first"}};
}
std::vector<Field> DuplicateFilter::fields() {
  return {
      {"min_score", &DuplicateFilter::min_score, "How sure it must be (default 0.7)", {schema::range(0, 1)}}};
}
std::vector<Field> DifferentBooks::fields() {
  return {Field("books", &DifferentBooks::books, "Books that look alike and are not one",
                {schema::items(2, 20), schema::distinct()})
              .needed()};
}

}  // namespace lumina::books
