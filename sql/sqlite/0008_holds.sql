-- People who wait for a book, in line. A hold is open until ended_at; among the open holds of a book the place in line
-- is the order of (line, id), so places are 1..n whatever happens.

CREATE TABLE holds (
  id               INTEGER PRIMARY KEY,
  user_id          BIGINT NOT NULL REFERENCES users (id),
  book_id          BIGINT NOT NULL REFERENCES books (id),
  copy_id          BIGINT REFERENCES copies (id),    -- kept for the person while ready; lent when fulfilled
  borrow_id        BIGINT REFERENCES borrows (id),   -- the loan that fulfilled it
  pickup_branch_id BIGINT NOT NULL REFERENCES branches (id),
  status           TEXT NOT NULL DEFAULT 'waiting'
                     CHECK (status IN ('waiting', 'suspended', 'ready', 'fulfilled', 'expired', 'cancelled')),
  line             BIGINT NOT NULL,
  note             TEXT CHECK (length(note) <= 500),
  created_at       BIGINT NOT NULL,
  expires_at       BIGINT,  -- not wanted after this, if no copy came before
  suspended_until  BIGINT,  -- null while suspended: until told otherwise
  ready_at         BIGINT,
  pickup_until     BIGINT,
  ended_at         BIGINT,
  CHECK ((status IN ('fulfilled', 'expired', 'cancelled')) = (ended_at IS NOT NULL)),
  CHECK (status <> 'ready' OR (copy_id IS NOT NULL AND ready_at IS NOT NULL AND pickup_until IS NOT NULL)),
  CHECK (status IN ('ready', 'fulfilled') OR copy_id IS NULL),
  CHECK (status = 'suspended' OR suspended_until IS NULL)
);
-- One open hold a person and book; one ready hold a copy.
CREATE UNIQUE INDEX idx_holds_open_user_book ON holds (user_id, book_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX idx_holds_ready_copy ON holds (copy_id) WHERE status = 'ready';
CREATE INDEX idx_holds_line ON holds (book_id, line, id) WHERE ended_at IS NULL;
CREATE INDEX idx_holds_pickup_until ON holds (pickup_until) WHERE status = 'ready';
CREATE INDEX idx_holds_expires_at ON holds (expires_at) WHERE status IN ('waiting', 'suspended') AND expires_at IS NOT NULL;
CREATE INDEX idx_holds_suspended_until ON holds (suspended_until) WHERE status = 'suspended';
CREATE INDEX idx_holds_user_id ON holds (user_id);
CREATE INDEX idx_holds_copy_id ON holds (copy_id) WHERE copy_id IS NOT NULL;
