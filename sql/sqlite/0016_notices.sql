-- Mails that wait to be sent, and what people are told of their loans, holds and fines.

-- The key makes each mail once. Address and text are sealed while they are needed, and gone afterwards.
CREATE TABLE mails (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  mail_key   TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL,
  user_id    BIGINT REFERENCES users (id),
  sealed     TEXT,
  status     TEXT NOT NULL DEFAULT 'waiting'
               CHECK (status IN ('waiting', 'handed', 'sent', 'failed', 'expired', 'withdrawn')),
  answer     TEXT NOT NULL DEFAULT '',  -- what the mail server said last
  not_after  BIGINT,
  created_at BIGINT NOT NULL,
  ended_at   BIGINT,
  CHECK ((sealed IS NULL) = (ended_at IS NOT NULL)),
  CHECK ((status IN ('sent', 'expired', 'withdrawn')) = (ended_at IS NOT NULL))
);
CREATE INDEX idx_mails_user_id ON mails (user_id);
CREATE INDEX idx_mails_created_at ON mails (created_at);

-- Each once: a loan, hold or fine, the round (how often it was renewed) and the step (the day) say which.
CREATE TABLE notifications (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  kind       TEXT NOT NULL CHECK (kind IN ('borrowed', 'due_soon', 'overdue', 'hold_ready', 'hold_expired',
                                           'returned', 'fine', 'new_match')),
  subject_id BIGINT NOT NULL,  -- of the loan, the hold, the fine or the saved search
  round      BIGINT NOT NULL DEFAULT 0,
  step       BIGINT NOT NULL DEFAULT 0,
  book_id    BIGINT REFERENCES books (id),
  title      TEXT NOT NULL,
  body       TEXT NOT NULL,
  in_app     SMALLINT NOT NULL CHECK (in_app IN (0, 1)),
  mailed     SMALLINT NOT NULL CHECK (mailed IN (0, 1)),
  created_at BIGINT NOT NULL,
  read_at    BIGINT,
  UNIQUE (kind, subject_id, round, step)
);
CREATE INDEX idx_notifications_user_id ON notifications (user_id, id) WHERE in_app = 1;
CREATE INDEX idx_notifications_unread ON notifications (user_id, id) WHERE in_app = 1 AND read_at IS NULL;
CREATE INDEX idx_notifications_created_at ON notifications (created_at);

-- How somebody wants to be told; no row: everything, at any hour.
CREATE TABLE notification_settings (
  user_id    BIGINT PRIMARY KEY REFERENCES users (id),
  document   TEXT NOT NULL,  -- JSON: channels by kind, quiet hours, time zone
  version    BIGINT NOT NULL DEFAULT 2,
  updated_at BIGINT NOT NULL
);

-- Up to where events were turned into notices; whoever does it holds the row.
CREATE TABLE notice_position (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  position TEXT NOT NULL  -- a cursor of the outbox
);
INSERT INTO notice_position (id, position) VALUES (1, '0-0');

-- Days after a lost copy was charged in which what is owed of its price is credited when it comes back; null inherits,
-- -1: always.
ALTER TABLE circulation_rules ADD COLUMN lost_credit_days INTEGER;
