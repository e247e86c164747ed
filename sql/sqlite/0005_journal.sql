-- Who did what, for ever; and the events that others follow, for some days. Both are written by the transaction that
-- makes the change.

CREATE TABLE audit_log (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          BIGINT NOT NULL,
  user_id     BIGINT,           -- null: a stranger or the server itself
  action      TEXT NOT NULL,    -- book.created, auth.login_failed, ...
  resource    TEXT NOT NULL,    -- book, user, borrow, ...
  resource_id BIGINT,
  outcome     TEXT NOT NULL DEFAULT 'success' CHECK (outcome IN ('success', 'refused')),
  address     TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  detail      TEXT              -- JSON, without secrets
);
CREATE INDEX idx_audit_log_user_id ON audit_log (user_id, id);
CREATE INDEX idx_audit_log_resource ON audit_log (resource, resource_id, id);

CREATE TRIGGER audit_log_append_only_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_append_only_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE outbox (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          BIGINT NOT NULL,
  type        TEXT NOT NULL,    -- book.created, borrow.returned, ...
  resource_id BIGINT,
  user_id     BIGINT,           -- whom it concerns, if anybody
  book_id     BIGINT,           -- the book whose answers it changes, if any
  payload     TEXT NOT NULL,    -- JSON
  origin      TEXT NOT NULL
);
CREATE INDEX idx_outbox_at ON outbox (at);
