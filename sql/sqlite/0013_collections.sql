-- Lists of books that people keep: what they want to read, what they gathered, what the library shows.

CREATE TABLE collections (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  owner_id    BIGINT NOT NULL REFERENCES users (id),
  kind        TEXT NOT NULL DEFAULT 'reading' CHECK (kind IN ('reading', 'wishlist', 'curated')),
  name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  slug        TEXT NOT NULL UNIQUE,  -- for addresses; never a number, which would be an id
  description TEXT CHECK (length(description) <= 2000),
  is_public   SMALLINT NOT NULL DEFAULT 0 CHECK (is_public IN (0, 1)),
  link_token  TEXT UNIQUE,           -- whoever has it may read; null: no link
  version     BIGINT NOT NULL DEFAULT 1,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX idx_collections_one_wishlist ON collections (owner_id) WHERE kind = 'wishlist';
CREATE INDEX idx_collections_owner_id ON collections (owner_id, id);
CREATE INDEX idx_collections_public ON collections (id) WHERE is_public = 1;

CREATE TABLE collection_books (
  collection_id BIGINT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  book_id       BIGINT NOT NULL REFERENCES books (id),
  position      BIGINT NOT NULL,  -- rising; equal ones in the order of the books
  note          TEXT CHECK (length(note) <= 1000),
  added_by      BIGINT NOT NULL REFERENCES users (id),
  added_at      BIGINT NOT NULL,
  PRIMARY KEY (collection_id, book_id)
);
CREATE INDEX idx_collection_books_position ON collection_books (collection_id, position, book_id);
CREATE INDEX idx_collection_books_book_id ON collection_books (book_id);

CREATE TABLE collection_permissions (
  collection_id BIGINT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  user_id       BIGINT NOT NULL REFERENCES users (id),
  access        TEXT NOT NULL CHECK (access IN ('view', 'edit')),
  granted_at    BIGINT NOT NULL,
  PRIMARY KEY (collection_id, user_id)
);
CREATE INDEX idx_collection_permissions_user_id ON collection_permissions (user_id);
