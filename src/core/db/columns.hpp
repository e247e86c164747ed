// The columns of a struct: each SQL expression beside the member it fills, declared once per repository.
//
//   const db::Columns<Book> columns{{"b.id", &Book::id}, {"b.title", &Book::title}};
//   tx.find(columns, "SELECT " + columns.list() + " FROM books b WHERE b.id = $1", id);
#pragma once
#include "core/db/value.hpp"

#include <array>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::db {

template <class T>
class Columns {
 public:
  struct Entry {
    std::string_view expression;
    char code;
    std::array<std::byte, sizeof(std::ptrdiff_t)> member{};
    void (*fill)(const Entry&, T&, const Row&, std::size_t);

    template <class Owner, class Member>
      requires std::is_base_of_v<Owner, T>
    Entry(std::string_view sql, Member Owner::* pointer) : expression(sql), code(Column<Member>::code) {
      std::memcpy(member.data(), &pointer, sizeof pointer);
      fill = [](const Entry& self, T& out, const Row& row, std::size_t i) {
        Member Owner::* stored;
        std::memcpy(&stored, self.member.data(), sizeof stored);
        static_cast<Owner&>(out).*stored = Column<Member>::read(row, i);
      };
    }
  };

  Columns(std::initializer_list<Entry> entries) : entries_(entries) {
    for (const Entry& e : entries_) {
      if (!list_.empty()) list_ += ", ";
      list_ += e.expression;
      codes_ += e.code;
    }
  }
  const std::string& list() const { return list_; }  // for SELECT and RETURNING
  const std::string& codes() const { return codes_; }
  T read(const Row& row) const {
    T value{};
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].fill(entries_[i], value, row, i);
    return value;
  }

 private:
  std::vector<Entry> entries_;
  std::string list_, codes_;
};

}  // namespace lumina::db
