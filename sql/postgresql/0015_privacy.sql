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

CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.address = '' THEN
    OLD.address := '';
    IF NEW IS NOT DISTINCT FROM OLD THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only';
END
$$;
