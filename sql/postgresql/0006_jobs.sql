-- Work that outlives the request that asked for it, and the ticks of the scheduler. The API calls jobs tasks.

CREATE TABLE jobs (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  kind         TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
  payload      TEXT NOT NULL,  -- JSON
  priority     BIGINT NOT NULL CHECK (priority IN (0, 1)),  -- 0: somebody waits for it, 1: bulk
  fair_key     BIGINT NOT NULL,  -- whose share it takes: the person, 0 for the system
  turn         BIGINT NOT NULL,  -- order among the queued: start-time fair queueing over fair_key
  unique_key   TEXT,
  status       TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  run_at       BIGINT NOT NULL,  -- not before
  attempts     BIGINT NOT NULL DEFAULT 0,
  max_attempts BIGINT NOT NULL CHECK (max_attempts BETWEEN 1 AND 1000),
  lease        BIGINT NOT NULL DEFAULT 0,  -- grows with every claim: who holds an older one may not write
  lease_owner  TEXT,
  lease_until  BIGINT,  -- the heart of the owner moves it on; past it the job is free again
  progress     DOUBLE PRECISION NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
  result       TEXT,  -- JSON
  error        TEXT,
  user_id      BIGINT REFERENCES users (id),
  created_at   BIGINT NOT NULL,
  started_at   BIGINT,
  finished_at  BIGINT,
  CHECK ((status = 'running') = (lease_owner IS NOT NULL)),
  CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
  CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL))
);
CREATE UNIQUE INDEX jobs_unfinished_once ON jobs (kind, unique_key)
  WHERE status IN ('queued', 'running') AND unique_key IS NOT NULL;
CREATE INDEX idx_jobs_next ON jobs (kind, priority, turn, seq, run_at) WHERE status = 'queued';
CREATE INDEX idx_jobs_turn ON jobs (priority, turn, run_at) WHERE status = 'queued';
CREATE INDEX idx_jobs_share ON jobs (fair_key, priority, turn) WHERE status = 'queued';
CREATE INDEX idx_jobs_due ON jobs (run_at) WHERE status = 'queued';
CREATE INDEX idx_jobs_lease ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX idx_jobs_failed ON jobs (kind) WHERE status = 'failed';
CREATE INDEX idx_jobs_user_id ON jobs (user_id, seq);
CREATE INDEX idx_jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE schedules (
  name         TEXT PRIMARY KEY,
  cadence      TEXT NOT NULL,   -- "every 3600 s", "daily at 02:30 Europe/Berlin"
  next_at      BIGINT NOT NULL, -- who moves it on has fired the tick
  last_at      BIGINT,
  last_task_id TEXT
);

-- Rows change often and soon: the planner and vacuum must not wait for a fifth of the table.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05, fillfactor = 80);

-- What requests brought for jobs, where several instances share the database: whichever runs the job reads it here.
CREATE TABLE spool_files (
  name       TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
  pieces     BIGINT CHECK (pieces >= 0),  -- null until all of them are here
  created_at BIGINT NOT NULL
);
CREATE TABLE spool_pieces (
  name  TEXT NOT NULL,
  piece BIGINT NOT NULL CHECK (piece >= 0),
  bytes TEXT NOT NULL,  -- base64
  PRIMARY KEY (name, piece)
);
