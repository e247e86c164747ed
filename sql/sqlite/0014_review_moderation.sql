-- Reports, decisions and replies. A review is seen while it is shown or cleared; book_stats and rating_counts count the
-- reviews that are seen.

ALTER TABLE reviews ADD COLUMN spoiler SMALLINT NOT NULL DEFAULT 0 CHECK (spoiler IN (0, 1));
-- shown; pending: three people reported it; hidden: staff took it away; cleared: staff looked and left it.
ALTER TABLE reviews ADD COLUMN standing TEXT NOT NULL DEFAULT 'shown'
  CHECK (standing IN ('shown', 'pending', 'hidden', 'cleared'));
ALTER TABLE reviews ADD COLUMN reply_count INTEGER NOT NULL DEFAULT 0 CHECK (reply_count >= 0);
CREATE INDEX idx_reviews_pending ON reviews (id) WHERE standing = 'pending';

CREATE TABLE review_reports (
  review_id  BIGINT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  reason     TEXT NOT NULL CHECK (reason IN ('spam', 'offensive', 'spoiler', 'off_topic', 'other')),
  note       TEXT CHECK (length(note) <= 1000),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (review_id, user_id)
);
CREATE INDEX idx_review_reports_user_id ON review_reports (user_id);

CREATE TABLE review_replies (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  review_id  BIGINT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  reply_text TEXT NOT NULL CHECK (length(reply_text) BETWEEN 1 AND 2000),
  created_at BIGINT NOT NULL
);
CREATE INDEX idx_review_replies_review_id ON review_replies (review_id, id);
CREATE INDEX idx_review_replies_user_id ON review_replies (user_id);
