-- New addresses that wait for their token, and addresses of old audit rows that may be blanked, nothing else.

CREATE TABLE email_changes (
  token_hash TEXT PRIMARY KEY,  -- SHA-256 of the token, hexadecimal
  user_id    BIGINT NOT NULL REFERENCES users (id),
  email      TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 255),
  email_key  TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT
);
CREATE INDEX idx_email_changes_user_id ON email_changes (user_id);

CREATE INDEX idx_audit_log_with_address ON audit_log (at) WHERE address <> '';

DROP TRIGGER audit_log_append_only_update;
CREATE TRIGGER audit_log_append_only_update BEFORE UPDATE ON audit_log
WHEN NOT (NEW.address = '' AND NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.user_id IS OLD.user_id
  AND NEW.action = OLD.action AND NEW.resource = OLD.resource AND NEW.resource_id IS OLD.resource_id
  AND NEW.outcome = OLD.outcome AND NEW.request_id = OLD.request_id AND NEW.detail IS OLD.detail)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
