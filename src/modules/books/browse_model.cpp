#include "modules/books/browse_model.hpp"

namespace lumina::books {

using schema::Field;

std::vector<Field> BrowseRequest::fields() {
  return {{"from",
           &BrowseRequest::from,
           "Begin at the first heading that is not before this",
           {schema::length(1, 500)}},
          {"before", &BrowseRequest::before, "End before this key instead", {schema::length(1, 1000)}},
          {"limit", &BrowseRequest::limit, "Headings (default 20)", {schema::range(1, 100)}}};
}
std::vector<Field> Heading::fields() {
  return {{"heading", &Heading::heading, "As it is written"},
          {"key", &Heading::key, "By which it is filed"},
          {"count", &Heading::count, "Titles under it"},
          {"books", &Heading::books, "Path that lists the titles"}};
}
std::vector<Field> Headings::fields() {
  return {{"items", &Headings::items, "Headings in their order"},
          {"next", &Headings::next, "Path of the headings after them"},
          {"prev", &Headings::prev, "Path of the headings before them"}};
}
std::vector<Field> FieldProfile::fields() {
  return {{"field", &FieldProfile::field, "Name of the field"},
          {"filled", &FieldProfile::filled, "Books that have it"},
          {"missing", &FieldProfile::missing, "Books that lack it"},
          {"distinct", &FieldProfile::distinct, "Different values"},
          {"share", &FieldProfile::share, "Part of the books that has it, up to 1"},
          {"fix", &FieldProfile::fix, "Path that lists the books that lack it"}};
}
std::vector<Field> Anomaly::fields() {
  return {{"kind", &Anomaly::kind, "What is wrong, in short"},
          {"description", &Anomaly::description, "What is wrong"},
          {"count", &Anomaly::count, "Books concerned"},
          {"examples", &Anomaly::examples, "The first ten of them"},
          {"fix", &Anomaly::fix, "Paths where those can be changed"}};
}
std::vector<Field> DataQuality::fields() {
  return {
      {"books", &DataQuality::books, "Number of books"},
      {"score", &DataQuality::score, "0 to 100: how complete the records are, less what is wrong with them"},
      {"profile", &DataQuality::profile, "Each field by itself"},
      {"anomalies", &DataQuality::anomalies, "What cannot be right or is worth a look"},
      {"duplicate_groups", &DataQuality::duplicate_groups, "Groups of books that look as if they were one"},
      {"duplicates", &DataQuality::duplicates, "Path that lists these groups"},
      {"at", &DataQuality::at, "When this was counted"}};
}

}  // namespace lumina::books
