-- What librarians say about searching, and what was searched for, by day and without persons.

CREATE TABLE search_synonyms (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  terms    TEXT NOT NULL,  -- JSON array of strings that mean the same
  one_way  SMALLINT NOT NULL DEFAULT 0 CHECK (one_way IN (0, 1))  -- only the first one stands for the others
);

CREATE TABLE search_stop_words (
  word TEXT PRIMARY KEY CHECK (length(word) BETWEEN 1 AND 100)  -- folded
);

CREATE TABLE search_pins (
  query_key TEXT NOT NULL CHECK (length(query_key) BETWEEN 1 AND 500),  -- folded words
  query     TEXT NOT NULL,
  position  INTEGER NOT NULL CHECK (position >= 0),
  book_id   BIGINT NOT NULL REFERENCES books (id),
  PRIMARY KEY (query_key, position),
  UNIQUE (query_key, book_id)
);

CREATE TABLE search_queries (
  day       TEXT NOT NULL,  -- 2026-11-22, UTC
  query_key TEXT NOT NULL CHECK (length(query_key) BETWEEN 1 AND 500),
  searches  BIGINT NOT NULL DEFAULT 0 CHECK (searches >= 0),
  misses    BIGINT NOT NULL DEFAULT 0 CHECK (misses >= 0),  -- that found nothing
  clicks    BIGINT NOT NULL DEFAULT 0 CHECK (clicks >= 0),
  PRIMARY KEY (day, query_key)
);

CREATE TABLE search_clicks (
  day       TEXT NOT NULL,
  query_key TEXT NOT NULL CHECK (length(query_key) BETWEEN 1 AND 500),
  book_id   BIGINT NOT NULL REFERENCES books (id),
  clicks    BIGINT NOT NULL DEFAULT 0 CHECK (clicks >= 0),
  PRIMARY KEY (day, query_key, book_id)
);
