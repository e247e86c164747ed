-- First answers of requests that carried an Idempotency-Key, for a day.

CREATE TABLE idempotency_keys (
  owner        TEXT NOT NULL,    -- user:7, or address:192.0.2.1 for strangers
  key          TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint  TEXT NOT NULL,    -- keyed digest of method, target and body: another request must not use the key
  claimed_by   TEXT NOT NULL,    -- the process that serves it, while it has no status
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  status       INTEGER CHECK (status BETWEEN 200 AND 499),  -- null: begun and not finished
  content_type TEXT,
  etag         TEXT,
  headers      TEXT,             -- lines "Name: value"
  body         TEXT,             -- null with a status: not kept, because it is secret or large
  PRIMARY KEY (owner, key),
  CHECK (status IS NOT NULL OR body IS NULL)
);
CREATE INDEX idx_idempotency_keys_expires_at ON idempotency_keys (expires_at);
