-- Reviews that are held back because too many new accounts say the same at once, and summaries in any language.

-- A burst: what was found when its last review came. Its reviews that wait for a decision are pending.
CREATE TABLE review_bursts (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  book_id          BIGINT NOT NULL REFERENCES books (id),
  pole             TEXT NOT NULL CHECK (pole IN ('low', 'high')),
  recent           INTEGER NOT NULL CHECK (recent >= 1),         -- ratings at this pole within the window
  new_accounts     INTEGER NOT NULL CHECK (new_accounts >= 1),   -- of these, by new accounts
  expected         REAL NOT NULL CHECK (expected >= 0),          -- ratings, from the book's own past
  chance_number    REAL NOT NULL CHECK (chance_number BETWEEN 0 AND 1),
  chance_accounts  REAL NOT NULL CHECK (chance_accounts BETWEEN 0 AND 1),
  began_at         BIGINT NOT NULL,
  flagged_at       BIGINT NOT NULL
);
CREATE INDEX idx_review_bursts_book_id ON review_bursts (book_id, pole, flagged_at);

ALTER TABLE reviews ADD COLUMN burst_id BIGINT REFERENCES review_bursts (id);
CREATE INDEX idx_reviews_burst_id ON reviews (burst_id) WHERE burst_id IS NOT NULL;
CREATE INDEX idx_reviews_book_id_updated_at ON reviews (book_id, updated_at);

-- language is what was asked for (BCP 47); written_in what the text is in, which differs where no model could translate.
CREATE TABLE book_summaries_new (
  book_id           BIGINT NOT NULL REFERENCES books (id),
  language          TEXT NOT NULL CHECK (length(language) BETWEEN 2 AND 35),
  written_in        TEXT NOT NULL CHECK (length(written_in) BETWEEN 2 AND 35),
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
INSERT INTO book_summaries_new (book_id, language, written_in, summary, source, provider, model, prompt_version,
  prompt_tokens, completion_tokens, took_ms, made_from, locked, generated_at)
SELECT book_id, language, language, summary, source, provider, model, prompt_version, prompt_tokens,
  completion_tokens, took_ms, made_from, locked, generated_at FROM book_summaries;
DROP TABLE book_summaries;
ALTER TABLE book_summaries_new RENAME TO book_summaries;
