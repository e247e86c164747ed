-- What the formats of others need: rows of imports to mend, covers, answers of other catalogues, places in books.

-- Records that an import refused, kept until somebody mends them. They go with the task that brought them.
CREATE TABLE import_rows (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id     TEXT NOT NULL,
  user_id    BIGINT REFERENCES users (id),
  line       BIGINT NOT NULL,         -- of the file; of MARC the number of the record
  raw        TEXT NOT NULL,           -- the record as it stood there, cut when long
  fields     TEXT NOT NULL,           -- JSON: the book as far as it could be read, and what was mended
  errors     TEXT NOT NULL,           -- JSON: array of sentences
  status     TEXT NOT NULL DEFAULT 'failed' CHECK (status IN ('failed', 'ready', 'done')),
  book_id    BIGINT REFERENCES books (id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CHECK ((status = 'done') = (book_id IS NOT NULL))
);
CREATE UNIQUE INDEX idx_import_rows_line ON import_rows (job_id, line);
CREATE INDEX idx_import_rows_created_at ON import_rows (created_at);

-- The picture of a book. In the database, because instances that share one share nothing else.
CREATE TABLE book_covers (
  book_id    BIGINT PRIMARY KEY REFERENCES books (id),
  media_type TEXT NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp')),
  bytes      TEXT NOT NULL,           -- base64
  digest     TEXT NOT NULL,           -- of the bytes; the ETag
  size       BIGINT NOT NULL CHECK (size BETWEEN 1 AND 5242880),
  updated_at BIGINT NOT NULL
);

-- What another catalogue said of an ISBN, or that it knows nothing.
CREATE TABLE lookup_answers (
  isbn       TEXT NOT NULL CHECK (length(isbn) = 13),
  source     TEXT NOT NULL,
  draft      TEXT,                    -- JSON of a book; null: not known there
  fetched_at BIGINT NOT NULL,
  PRIMARY KEY (source, isbn)
);

-- Reading devices that keep their place here (KOReader). An account of its own kind: the device knows a password's
-- MD5 only, which is no password of the library.
CREATE TABLE sync_accounts (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
  key_digest TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE sync_places (
  account_id BIGINT NOT NULL REFERENCES sync_accounts (id) ON DELETE CASCADE,
  document   TEXT NOT NULL CHECK (length(document) BETWEEN 1 AND 200),
  progress   TEXT NOT NULL CHECK (length(progress) <= 2000),
  percentage REAL NOT NULL CHECK (percentage BETWEEN 0 AND 1),
  device     TEXT NOT NULL CHECK (length(device) <= 200),
  device_id  TEXT NOT NULL CHECK (length(device_id) <= 200),
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, document)
);

-- Harvesters walk over what changed, deleted books included (OAI-PMH).
CREATE INDEX idx_books_updated_at ON books (updated_at, id);
