-- What desks did while the server was away, each told once: the client's own id decides whether it was heard before.

CREATE TABLE offline_transactions (
  client_id   TEXT PRIMARY KEY CHECK (length(client_id) BETWEEN 1 AND 100),
  kind        TEXT NOT NULL CHECK (kind IN ('checkout', 'checkin')),
  barcode     TEXT NOT NULL,
  patron      TEXT,
  at          BIGINT NOT NULL,  -- by the client's clock
  received_at BIGINT NOT NULL,
  user_id     BIGINT REFERENCES users (id),  -- who handed it in
  outcome     TEXT NOT NULL CHECK (outcome IN ('done', 'conflict')),
  code        TEXT,             -- of a conflict
  detail      TEXT,
  borrow_id   BIGINT REFERENCES borrows (id)
);
CREATE INDEX idx_offline_transactions_received_at ON offline_transactions (received_at);
