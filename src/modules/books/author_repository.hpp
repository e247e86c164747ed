// SQL of authorities. A title belongs to an authority when its author, without spelling differences, is one
// of the names: books.author_match = author_names.name_key.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/books/author_model.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace lumina::books {

class AuthorRepository {
 public:
  explicit AuthorRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Author> find(AuthorId id);
  // The same, and nobody else changes it before this unit of work ends.
  std::optional<Author> find_locked(AuthorId id);
  // By name.
  Page<Author> list(const AuthorFilter& filter, const PageRequest& page);
  AuthorId insert(const NewAuthor& author, Timestamp now);
  void update(const Author& author, Timestamp now);
  void erase(AuthorId id);

  // False when it is another author's.
  bool add_name(AuthorId id, std::string_view name, std::string_view key);
  void erase_names(AuthorId id);
  // Titles whose author is spelt so, in the order of ids.
  std::vector<BookId> titles_of(std::string_view key);
  std::vector<BookId> titles(AuthorId id);

 private:
  void fill_names(Author& author);
  db::Transaction& tx_;
};

}  // namespace lumina::books
