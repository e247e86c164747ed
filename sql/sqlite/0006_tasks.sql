-- Long work that a request started: what it is, how far it is, how it ended.

CREATE TABLE tasks (
  id           TEXT PRIMARY KEY,
  kind         TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  progress     REAL NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
  result       TEXT,  -- JSON
  error        TEXT,
  user_id      BIGINT REFERENCES users (id),
  created_at   BIGINT NOT NULL,
  started_at   BIGINT,
  finished_at  BIGINT,
  heartbeat_at BIGINT NOT NULL  -- a running task whose heart stopped was interrupted
);
CREATE INDEX idx_tasks_user_id ON tasks (user_id, created_at DESC);
CREATE INDEX idx_tasks_unfinished ON tasks (heartbeat_at) WHERE status IN ('queued', 'running');
