-- A wish for any edition of a work: a hold in the line of each, of which one is fulfilled and the others end.

CREATE TABLE hold_groups (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  work_id    BIGINT NOT NULL REFERENCES works (id),
  created_at BIGINT NOT NULL
);
CREATE INDEX idx_hold_groups_user_id ON hold_groups (user_id);

ALTER TABLE holds ADD COLUMN group_id BIGINT REFERENCES hold_groups (id);
CREATE INDEX idx_holds_group_id ON holds (group_id) WHERE group_id IS NOT NULL;
-- One copy is kept for the wish, whichever edition it is of.
CREATE UNIQUE INDEX idx_holds_group_ready ON holds (group_id) WHERE status = 'ready';
