// What an import does with a reader's shelves and ratings: the one place where the catalogue's importer,
// lists and reviews meet.
#pragma once
#include "modules/books/importer.hpp"
#include "modules/lists/service.hpp"
#include "modules/reviews/service.hpp"

namespace lumina {

// Shelves become lists of the caller, made when they are missing; "Wishlist" and "Want to read" keep their
// names. A rating with ten characters of text becomes a review when the person has borrowed the book and not
// reviewed it. Blocking; on a jobs thread.
books::NotesKept keep_reader_notes(lists::ListService& lists, reviews::ReviewService& reviews, BookId book,
                                   const books::ReaderNotes& notes, const Caller& by);

}  // namespace lumina
