-- Addresses that are told of events, and what was sent to them.

CREATE TABLE webhooks (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  url             TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
  description     TEXT NOT NULL DEFAULT '',
  types           TEXT NOT NULL,  -- JSON array of strings: event types, "borrow.*"
  secret          TEXT NOT NULL,  -- sealed: signing needs the secret itself, a digest will not do
  is_active       SMALLINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  disabled_reason TEXT,
  created_by      BIGINT REFERENCES users (id),
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL
);

CREATE TABLE webhook_deliveries (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT,
  id              TEXT NOT NULL UNIQUE,  -- what the receiver knows it by
  webhook_id      BIGINT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  type            TEXT NOT NULL,
  body            TEXT NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
  attempts        BIGINT NOT NULL DEFAULT 0,
  response_status BIGINT,
  error           TEXT,
  created_at      BIGINT NOT NULL,
  last_at         BIGINT
);
CREATE INDEX idx_webhook_deliveries_webhook_id ON webhook_deliveries (webhook_id, seq);
CREATE INDEX idx_webhook_deliveries_created_at ON webhook_deliveries (created_at);

-- Up to where events were turned into deliveries; whoever does it holds the row.
CREATE TABLE webhook_position (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  position TEXT NOT NULL  -- a cursor of the outbox
);
INSERT INTO webhook_position (id, position) VALUES (1, '0-0');
