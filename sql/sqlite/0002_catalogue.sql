-- Books, their copies, and the counters that pages show.

CREATE TABLE books (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  title          TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
  author         TEXT NOT NULL CHECK (length(author) BETWEEN 1 AND 255),
  isbn           TEXT CHECK (length(isbn) = 13),  -- ISBN-13 without hyphens
  genre          TEXT CHECK (length(genre) <= 100),
  year_published INTEGER,
  description    TEXT,
  summary        TEXT,  -- generated; never the description
  language       TEXT,
  publisher      TEXT,
  page_count     INTEGER CHECK (page_count > 0),
  tags           TEXT NOT NULL DEFAULT '[]',  -- JSON array of strings
  cover_url      TEXT,
  title_key      TEXT NOT NULL,  -- folded, for sorting and finding
  author_key     TEXT NOT NULL,
  match_key      TEXT NOT NULL,  -- title and author without spelling differences: finds the same book again
  version        BIGINT NOT NULL DEFAULT 1,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  deleted_at     BIGINT          -- the row stays: loan history needs it
);
CREATE UNIQUE INDEX idx_books_isbn ON books (isbn) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_created_at ON books (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_title_key ON books (title_key, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_author_key ON books (author_key, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_year_published ON books (year_published, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_genre ON books (genre, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_language ON books (language, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_match_key ON books (match_key) WHERE deleted_at IS NULL;

CREATE TABLE book_tags (
  book_id BIGINT NOT NULL REFERENCES books (id),
  tag     TEXT NOT NULL,
  PRIMARY KEY (tag, book_id)
);
CREATE INDEX idx_book_tags_book_id ON book_tags (book_id);

-- Where copies stand and holds are picked up. There is always one, the default; a library of one house never names it.
CREATE TABLE branches (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  code       TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 40),
  name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  address    TEXT CHECK (length(address) <= 500),
  is_default SMALLINT NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,         -- the row stays: holds of the past name it
  CHECK (is_default = 0 OR deleted_at IS NULL)
);
CREATE UNIQUE INDEX idx_branches_code ON branches (code) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx_branches_default ON branches (is_default) WHERE is_default = 1;
INSERT INTO branches (code, name, is_default, created_at, updated_at)
SELECT 'main', 'Main library', 1, t, t FROM (SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000 AS t) moment;

CREATE TABLE copies (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  book_id    BIGINT NOT NULL REFERENCES books (id),
  branch_id  BIGINT NOT NULL DEFAULT 1 REFERENCES branches (id),
  barcode    TEXT UNIQUE,    -- null only for copies of deleted books
  location   TEXT,
  condition  TEXT,
  item_type  TEXT NOT NULL DEFAULT 'book' CHECK (length(item_type) BETWEEN 1 AND 40),
  -- Being on loan is not a status: it is an open row in borrows. A copy can be lost or claimed returned while its loan
  -- is open. on_hold: kept for somebody, named by a ready row in holds.
  status     TEXT NOT NULL DEFAULT 'available' CHECK (status IN ('available', 'on_hold', 'lost', 'damaged',
               'claimed_returned', 'in_repair', 'missing', 'withdrawn')),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX idx_copies_book_id ON copies (book_id);
CREATE INDEX idx_copies_branch_id ON copies (branch_id, id);
CREATE INDEX idx_copies_on_hold ON copies (book_id) WHERE status = 'on_hold';

-- Kept by the transaction that changes what they count, never recomputed by scanning.
CREATE TABLE book_stats (
  book_id          BIGINT PRIMARY KEY REFERENCES books (id),
  copies_total     INTEGER NOT NULL DEFAULT 0 CHECK (copies_total >= 0),
  copies_available INTEGER NOT NULL DEFAULT 0 CHECK (copies_available >= 0),
  active_borrows   INTEGER NOT NULL DEFAULT 0 CHECK (active_borrows >= 0),
  total_borrows    INTEGER NOT NULL DEFAULT 0 CHECK (total_borrows >= 0),
  holds_open       INTEGER NOT NULL DEFAULT 0 CHECK (holds_open >= 0),  -- people in line, those included whose copy is ready
  review_count     INTEGER NOT NULL DEFAULT 0 CHECK (review_count >= 0),
  rating_halves    BIGINT NOT NULL DEFAULT 0,   -- sum of the ratings in half stars
  average_rating   REAL,                       -- of 1 to 5; null without reviews
  sentiment_cents  BIGINT NOT NULL DEFAULT 0,   -- sum of the sentiment scores in hundredths
  positive_count   INTEGER NOT NULL DEFAULT 0 CHECK (positive_count >= 0),
  neutral_count    INTEGER NOT NULL DEFAULT 0 CHECK (neutral_count >= 0),
  negative_count   INTEGER NOT NULL DEFAULT 0 CHECK (negative_count >= 0)
);
CREATE INDEX idx_book_stats_average_rating ON book_stats (average_rating, book_id);
