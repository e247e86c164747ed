-- Lists that are a question: their books are whatever the catalogue answers now.

ALTER TABLE collections ADD COLUMN query TEXT CHECK (query IS NULL OR (length(query) <= 4000 AND kind <> 'wishlist'));  -- JSON; null: books are put in

-- Questions that people keep, and that tell them of new books.
CREATE TABLE saved_searches (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  query      TEXT NOT NULL CHECK (length(query) <= 4000),  -- JSON
  alert      SMALLINT NOT NULL CHECK (alert IN (0, 1)),
  created_at BIGINT NOT NULL,
  checked_at BIGINT NOT NULL  -- books added up to then were looked at
);
CREATE INDEX idx_saved_searches_user_id ON saved_searches (user_id, id);
CREATE INDEX idx_saved_searches_alert ON saved_searches (id) WHERE alert = 1;
