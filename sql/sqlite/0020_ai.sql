-- What language models wrote and cost.

-- One summary a book and language. What was made for the book's own language is shown with the book too.
CREATE TABLE book_summaries (
  book_id           BIGINT NOT NULL REFERENCES books (id),
  language          TEXT NOT NULL CHECK (length(language) BETWEEN 2 AND 3),
  summary           TEXT NOT NULL CHECK (length(summary) >= 1),
  source            TEXT NOT NULL CHECK (source IN ('llm', 'extractive', 'human')),
  provider          TEXT NOT NULL DEFAULT 'builtin',
  model             TEXT NOT NULL DEFAULT '',
  prompt_version    TEXT NOT NULL DEFAULT '',
  prompt_tokens     INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  took_ms           BIGINT NOT NULL DEFAULT 0,
  made_from         TEXT NOT NULL,  -- hash of material, prompt and model
  locked            SMALLINT NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
  generated_at      BIGINT NOT NULL,
  CHECK (source <> 'human' OR locked = 1),
  PRIMARY KEY (book_id, language)
);

-- How far the automatic summaries have looked at a book: its version then.
CREATE TABLE summary_marks (
  book_id BIGINT PRIMARY KEY REFERENCES books (id),
  version BIGINT NOT NULL
);

-- Sums of calls, written down every few seconds. user_id 0: the library's own work.
CREATE TABLE ai_usage (
  day               TEXT NOT NULL CHECK (length(day) = 10),
  user_id           BIGINT NOT NULL,
  task              TEXT NOT NULL,
  provider          TEXT NOT NULL,
  model             TEXT NOT NULL,
  calls             BIGINT NOT NULL DEFAULT 0,
  failures          BIGINT NOT NULL DEFAULT 0,
  prompt_tokens     BIGINT NOT NULL DEFAULT 0,
  completion_tokens BIGINT NOT NULL DEFAULT 0,
  took_ms           BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (day, user_id, task, provider, model)
);

-- Every score that was found for a review, the one that counts last.
CREATE TABLE review_scores (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  review_id      BIGINT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
  score          REAL NOT NULL CHECK (score BETWEEN -1.0 AND 1.0),
  source         TEXT NOT NULL CHECK (source IN ('llm', 'lexicon', 'rating')),
  model          TEXT NOT NULL DEFAULT '',
  prompt_version TEXT NOT NULL DEFAULT '',
  created_at     BIGINT NOT NULL
);
CREATE INDEX idx_review_scores_review_id ON review_scores (review_id, id);

-- Which state of a review a model has judged, and with what: that is not asked again.
CREATE TABLE review_score_marks (
  review_id BIGINT PRIMARY KEY REFERENCES reviews (id) ON DELETE CASCADE,
  version   BIGINT NOT NULL,
  made_with TEXT NOT NULL  -- model and prompt
);

-- What the reviews of a book agree on, as a model put it.
CREATE TABLE book_consensus (
  book_id           BIGINT PRIMARY KEY REFERENCES books (id),
  summary           TEXT NOT NULL CHECK (length(summary) >= 1),
  provider          TEXT NOT NULL,
  model             TEXT NOT NULL,
  prompt_version    TEXT NOT NULL,
  prompt_tokens     INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  took_ms           BIGINT NOT NULL DEFAULT 0,
  made_from         TEXT NOT NULL,
  generated_at      BIGINT NOT NULL
);
