-- Reviews: one a person and book, by people who borrowed it.

CREATE TABLE reviews (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id          BIGINT NOT NULL REFERENCES users (id),
  book_id          BIGINT NOT NULL REFERENCES books (id),
  review_text      TEXT NOT NULL CHECK (length(review_text) BETWEEN 10 AND 5000),
  rating           REAL NOT NULL CHECK (rating BETWEEN 1.0 AND 5.0),
  sentiment_score  REAL NOT NULL CHECK (sentiment_score BETWEEN -1.0 AND 1.0),
  sentiment_source TEXT NOT NULL CHECK (sentiment_source IN ('llm', 'lexicon', 'rating')),
  sentiment_model  TEXT,
  helpful_count    INTEGER NOT NULL DEFAULT 0 CHECK (helpful_count >= 0),
  version          BIGINT NOT NULL DEFAULT 1,
  created_at       BIGINT NOT NULL,
  updated_at       BIGINT NOT NULL,
  UNIQUE (user_id, book_id)
);
CREATE INDEX idx_reviews_book_id ON reviews (book_id, created_at DESC, id DESC);

CREATE TABLE review_votes (
  review_id  BIGINT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (review_id, user_id)
);

-- The histogram of a book's ratings; kept by the transactions that change reviews.
CREATE TABLE rating_counts (
  book_id    BIGINT NOT NULL REFERENCES books (id),
  half_stars SMALLINT NOT NULL CHECK (half_stars BETWEEN 2 AND 10),
  count      INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (book_id, half_stars)
);
