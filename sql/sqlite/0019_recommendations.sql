-- Recommendations: what people said of them, who wants none, the models that were trained, and how lists did.

-- A person, a book and an action once, however often it happened.
CREATE TABLE recommendation_feedback (
  user_id  BIGINT NOT NULL REFERENCES users (id),
  book_id  BIGINT NOT NULL REFERENCES books (id),
  action   TEXT NOT NULL CHECK (action IN ('click', 'like', 'dislike', 'dismiss', 'shown', 'opened')),
  times    BIGINT NOT NULL DEFAULT 1 CHECK (times > 0),
  first_at BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  PRIMARY KEY (user_id, book_id, action)
);
CREATE INDEX idx_recommendation_feedback_book_id ON recommendation_feedback (book_id);

-- No row: lists are personal.
CREATE TABLE recommendation_people (
  user_id      BIGINT PRIMARY KEY REFERENCES users (id),
  personal     SMALLINT NOT NULL DEFAULT 1 CHECK (personal IN (0, 1)),
  forgotten_at BIGINT,  -- what the person did before does not shape lists any more
  updated_at   BIGINT NOT NULL
);

-- The registry. The bytes are in a file of that name under models/ in the data folder, and in the parts below
-- where several instances share the database.
CREATE TABLE recommendation_models (
  version      INTEGER PRIMARY KEY AUTOINCREMENT,
  algorithm    TEXT NOT NULL,
  file         TEXT NOT NULL,
  size         BIGINT NOT NULL CHECK (size >= 0),
  sha256       TEXT NOT NULL CHECK (length(sha256) = 64),
  books        BIGINT NOT NULL CHECK (books >= 0),
  people       BIGINT NOT NULL CHECK (people >= 0),
  interactions BIGINT NOT NULL CHECK (interactions >= 0),
  parameters   TEXT NOT NULL,  -- JSON objects, these four
  metrics      TEXT NOT NULL,
  weights      TEXT NOT NULL,
  report       TEXT NOT NULL,
  ndcg         REAL,           -- null: too little data to measure
  cause        TEXT NOT NULL CHECK (cause IN ('asked', 'schedule', 'new_books', 'search', 'repair')),
  held_back    TEXT,           -- why it did not become the active one by itself
  trained_by   BIGINT REFERENCES users (id),
  trained_at   BIGINT NOT NULL,
  duration_ms  BIGINT NOT NULL CHECK (duration_ms >= 0),
  active       SMALLINT NOT NULL DEFAULT 0 CHECK (active IN (0, 1))
);
CREATE UNIQUE INDEX idx_recommendation_models_active ON recommendation_models (active) WHERE active = 1;

CREATE TABLE recommendation_model_parts (
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  part   BIGINT NOT NULL CHECK (part >= 0),
  body   TEXT NOT NULL,  -- base64
  PRIMARY KEY (sha256, part)
);

-- How often lists were made and books of them opened, by day; nobody's name.
CREATE TABLE recommendation_figures (
  day     TEXT NOT NULL,  -- 2026-11-22, UTC
  variant TEXT NOT NULL CHECK (length(variant) BETWEEN 1 AND 40),
  lists   BIGINT NOT NULL DEFAULT 0 CHECK (lists >= 0),
  served  BIGINT NOT NULL DEFAULT 0 CHECK (served >= 0),  -- books
  shown   BIGINT NOT NULL DEFAULT 0 CHECK (shown >= 0),   -- of them, as the page says
  clicks  BIGINT NOT NULL DEFAULT 0 CHECK (clicks >= 0),
  PRIMARY KEY (day, variant)
);
