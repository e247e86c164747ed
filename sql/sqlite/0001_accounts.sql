-- Accounts, what people like, where they are signed in, and the tokens and keys they hold (as digests only).
-- Times are milliseconds since 1970-01-01 UTC; flags are 0 or 1.

CREATE TABLE users (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  email         TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 255),
  email_key     TEXT NOT NULL UNIQUE,  -- folded to lower case: one account an address
  password_hash TEXT NOT NULL,
  full_name     TEXT NOT NULL CHECK (length(full_name) BETWEEN 1 AND 255),
  name_key      TEXT NOT NULL,         -- folded, for finding
  role          TEXT NOT NULL DEFAULT 'patron' CHECK (role IN ('patron', 'librarian', 'admin')),
  is_active     SMALLINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  token_epoch   BIGINT NOT NULL DEFAULT 0,  -- raised to end every access token at once
  version       BIGINT NOT NULL DEFAULT 1,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  deleted_at    BIGINT                       -- the row stays: loan history and statistics need it
);
CREATE INDEX idx_users_role ON users (role) WHERE deleted_at IS NULL;
CREATE INDEX idx_users_created_at ON users (created_at DESC, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE user_preferences (
  user_id          BIGINT PRIMARY KEY REFERENCES users (id),
  favorite_genres  TEXT NOT NULL DEFAULT '[]',  -- JSON arrays of strings, all four
  favorite_authors TEXT NOT NULL DEFAULT '[]',
  languages        TEXT NOT NULL DEFAULT '[]',
  disliked_genres  TEXT NOT NULL DEFAULT '[]',
  version          BIGINT NOT NULL DEFAULT 2,   -- 1 is what nobody has said yet
  updated_at       BIGINT NOT NULL
);

CREATE TABLE sessions (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id      BIGINT NOT NULL REFERENCES users (id),
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,  -- when its newest refresh token ends
  revoked_at   BIGINT,
  address      TEXT NOT NULL DEFAULT '',
  user_agent   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX idx_sessions_user_id ON sessions (user_id, revoked_at);
CREATE INDEX idx_sessions_expires_at ON sessions (expires_at);

-- A token is used once; using it again revokes its session, the whole family (RFC 9700, 4.14).
CREATE TABLE refresh_tokens (
  token_hash TEXT PRIMARY KEY,  -- SHA-256 of the token, hexadecimal
  session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT
);
CREATE INDEX idx_refresh_tokens_session_id ON refresh_tokens (session_id);

CREATE TABLE password_resets (
  token_hash TEXT PRIMARY KEY,  -- SHA-256 of the token, hexadecimal
  user_id    BIGINT NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT
);
CREATE INDEX idx_password_resets_user_id ON password_resets (user_id, created_at);

CREATE TABLE api_keys (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id      BIGINT NOT NULL REFERENCES users (id),
  name         TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  prefix       TEXT NOT NULL UNIQUE,  -- what finds the row; not secret
  key_hash     TEXT NOT NULL,         -- SHA-256 of the whole key, hexadecimal
  scopes       TEXT,                  -- JSON array; null: whatever the person may do
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT,
  last_used_at BIGINT
);
CREATE INDEX idx_api_keys_user_id ON api_keys (user_id);
