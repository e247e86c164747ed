-- Money: what people owe and why, and every line of their accounts. Amounts are integers in minor units (cents).

CREATE TABLE fines (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id       BIGINT NOT NULL REFERENCES users (id),
  kind          TEXT NOT NULL CHECK (kind IN ('overdue', 'lost', 'damage', 'other')),
  borrow_id     BIGINT REFERENCES borrows (id),  -- null: of no loan, or the loan's history was cut
  book_id       BIGINT REFERENCES books (id),
  note          TEXT,
  charged_minor BIGINT NOT NULL DEFAULT 0,
  settled_minor BIGINT NOT NULL DEFAULT 0,       -- paid, waived and credited
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  CHECK (charged_minor >= 0),
  CHECK (settled_minor BETWEEN 0 AND charged_minor)  -- nobody pays more than is owed, whoever races
);
CREATE UNIQUE INDEX idx_fines_borrow_id ON fines (borrow_id, kind) WHERE kind IN ('overdue', 'lost');
CREATE INDEX idx_fines_user_id ON fines (user_id, id);
CREATE INDEX idx_fines_owed ON fines (user_id) WHERE settled_minor < charged_minor;

-- The account is the sum of its lines; lines are never changed.
CREATE TABLE ledger_lines (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id      BIGINT NOT NULL REFERENCES users (id),
  fine_id      BIGINT NOT NULL REFERENCES fines (id),
  kind         TEXT NOT NULL CHECK (kind IN ('charge', 'payment', 'waiver', 'credit')),
  amount_minor BIGINT NOT NULL,
  note         TEXT,
  created_at   BIGINT NOT NULL,
  created_by   BIGINT REFERENCES users (id),
  CHECK ((kind = 'charge' AND amount_minor > 0) OR (kind <> 'charge' AND amount_minor < 0))
);
CREATE INDEX idx_ledger_lines_user_id ON ledger_lines (user_id, id);
CREATE INDEX idx_ledger_lines_fine_id ON ledger_lines (fine_id, id);
CREATE TRIGGER ledger_lines_append_only_update BEFORE UPDATE ON ledger_lines
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_lines_append_only_delete BEFORE DELETE ON ledger_lines
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- Who borrowed what, as a keyed one-way mark: proves a loan whose history was cut without telling of it.
CREATE TABLE loan_marks (
  mark       TEXT PRIMARY KEY,  -- HMAC-SHA-256 of person and book, hexadecimal
  created_at BIGINT NOT NULL
);
