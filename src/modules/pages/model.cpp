#include "modules/pages/model.hpp"

namespace lumina::pages {

using schema::Field;

std::vector<Field> Totals::fields() {
  return {{"books", &Totals::books, "Books in the catalogue"},
          {"copies", &Totals::copies, "Their copies"},
          {"copies_available", &Totals::copies_available, "Copies that can be borrowed now"},
          {"readers", &Totals::readers, "Accounts"},
          {"open_loans", &Totals::open_loans, "Copies that are out"},
          {"reviews", &Totals::reviews, "Reviews"}};
}
std::vector<Field> Dashboard::fields() {
  return {{"totals", &Dashboard::totals, "The library in figures"},
          {"recent_books", &Dashboard::recent_books, "The five newest books"},
          {"my_loans", &Dashboard::my_loans, "What you have out, overdue first"},
          {"due_soon", &Dashboard::due_soon, "Of these, what is due within three days"},
          {"overdue_loans", &Dashboard::overdue_loans, "How many of yours are overdue"},
          Field("holds", &Dashboard::holds, "What you wait for").hide_when_absent(),
          Field("recommendations", &Dashboard::recommendations, "What you may like").hide_when_absent(),
          {"generated_at", &Dashboard::generated_at, "When this was put together"}};
}

}  // namespace lumina::pages
