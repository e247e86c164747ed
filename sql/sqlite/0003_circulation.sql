-- Loans, never deleted. The two partial unique indexes are what makes a race end with one winner.

CREATE TABLE borrows (
  id          INTEGER PRIMARY KEY,
  user_id     BIGINT REFERENCES users (id),  -- null: the history of a closed loan was cut
  book_id     BIGINT NOT NULL REFERENCES books (id),
  copy_id     BIGINT NOT NULL REFERENCES copies (id),
  borrow_date BIGINT NOT NULL,
  due_date    BIGINT NOT NULL,
  return_date BIGINT,  -- null while the copy is out
  status      TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'overdue', 'returned')),
  renewals    INTEGER NOT NULL DEFAULT 0 CHECK (renewals >= 0),
  CHECK (user_id IS NOT NULL OR status = 'returned'),
  CHECK (due_date > borrow_date),
  CHECK ((status = 'returned') = (return_date IS NOT NULL))
);
-- Three ways to say that a loan is open, each the condition of one index: a planner that believes that nothing is open
-- would otherwise walk any of them from end to end to find one copy.
CREATE UNIQUE INDEX idx_borrows_open_copy ON borrows (copy_id) WHERE return_date IS NULL;
CREATE UNIQUE INDEX idx_borrows_open_user_book ON borrows (user_id, book_id) WHERE status <> 'returned';
CREATE INDEX idx_borrows_open_due_date ON borrows (due_date) WHERE status IN ('active', 'overdue');
-- Loans are listed by id, the order in which they were made; SQLite's indexes end with it.
CREATE INDEX idx_borrows_user_id ON borrows (user_id);
CREATE INDEX idx_borrows_book_id ON borrows (book_id);
