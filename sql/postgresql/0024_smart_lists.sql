-- Lists that are a question: their books are whatever the catalogue answers now.

ALTER TABLE collections ADD COLUMN query TEXT CHECK (length(query) <= 4000 AND kind <> 'wishlist');  -- JSON; null: books are put in
