-- What a library decides about lending: versions of its rules, categories of patrons, cards, staff's blocks, calendars.

CREATE TABLE patron_categories (
  code        TEXT PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 40),
  name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  description TEXT,
  version     BIGINT NOT NULL DEFAULT 1,
  created_at  BIGINT NOT NULL
);

-- What circulation knows of a person beyond the account; no row: no category.
CREATE TABLE patrons (
  user_id    BIGINT PRIMARY KEY REFERENCES users (id),
  category   TEXT REFERENCES patron_categories (code),
  updated_at BIGINT NOT NULL
);
CREATE INDEX idx_patrons_category ON patrons (category);
CREATE TABLE library_cards (
  card_number TEXT PRIMARY KEY CHECK (length(card_number) BETWEEN 1 AND 40),
  user_id     BIGINT NOT NULL UNIQUE REFERENCES users (id)
);

-- A set of rules is never changed; the next one replaces it whole. Loans name the version they were made under.
CREATE TABLE rule_sets (
  version    BIGINT PRIMARY KEY CHECK (version > 0),
  note       TEXT,
  created_at BIGINT NOT NULL,
  created_by BIGINT REFERENCES users (id)
);
CREATE TABLE circulation_rules (
  id                     INTEGER PRIMARY KEY AUTOINCREMENT,
  version                BIGINT NOT NULL REFERENCES rule_sets (version),
  category               TEXT,    -- these three: null stands for any
  item_type              TEXT,
  branch_id              BIGINT,
  loan_period_days       INTEGER, -- from here on: null inherits from the next less specific row
  max_loans              INTEGER,
  max_holds              INTEGER,
  max_renewals           INTEGER,
  renewal_period_days    INTEGER,
  fine_per_day_minor     BIGINT CHECK (fine_per_day_minor >= 0),
  fine_grace_days        INTEGER,
  fine_cap_minor         BIGINT,
  max_fine_balance_minor BIGINT,
  overdue_block          INTEGER,
  pickup_days            INTEGER,
  holds_allowed          SMALLINT CHECK (holds_allowed IN (0, 1)),
  replacement_cost_minor BIGINT CHECK (replacement_cost_minor >= 0)
);
-- One row a scope: two rows can never be equally specific.
CREATE UNIQUE INDEX idx_circulation_rules_scope
  ON circulation_rules (version, coalesce(category, ''), coalesce(item_type, ''), coalesce(branch_id, 0));

ALTER TABLE borrows ADD COLUMN rule_version BIGINT NOT NULL DEFAULT 0;  -- 0: the library had no rules
ALTER TABLE borrows ADD COLUMN rule_id BIGINT;                          -- the most specific row that applied

-- Staff's own blocks; those for fines and overdue books are computed.
CREATE TABLE patron_blocks (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  reason     TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  created_at BIGINT NOT NULL,
  created_by BIGINT REFERENCES users (id),
  lifted_at  BIGINT,
  lifted_by  BIGINT REFERENCES users (id)
);
CREATE INDEX idx_patron_blocks_user_id ON patron_blocks (user_id) WHERE lifted_at IS NULL;

-- When a branch is open; branch 0 is the library, whose calendar counts where a branch has none.
CREATE TABLE calendars (
  branch_id  BIGINT PRIMARY KEY,
  document   TEXT NOT NULL,  -- JSON: time zone, weekly hours, closed days
  version    BIGINT NOT NULL DEFAULT 1,
  updated_at BIGINT NOT NULL
);

-- The private address of a feed of due dates, one a person.
CREATE TABLE calendar_tokens (
  user_id    BIGINT PRIMARY KEY REFERENCES users (id),
  token_hash TEXT NOT NULL UNIQUE,  -- SHA-256 of the token, hexadecimal
  created_at BIGINT NOT NULL
);
