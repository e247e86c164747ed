-- What happened, counted by the days of the library, so that a year is read as fast as a day. Made from the audit log,
-- which stays the truth; without persons, but for the days that are still being counted.

CREATE TABLE rollup_marks (
  name    TEXT PRIMARY KEY,
  last_id BIGINT NOT NULL CHECK (last_id >= 0)  -- of the audit log: up to here everything is counted
);

CREATE TABLE usage_days (
  day     TEXT NOT NULL,  -- 2026-11-22
  action  TEXT NOT NULL,  -- borrow.created, ...
  done    BIGINT NOT NULL DEFAULT 0 CHECK (done >= 0),
  refused BIGINT NOT NULL DEFAULT 0 CHECK (refused >= 0),
  PRIMARY KEY (day, action)
);

CREATE TABLE usage_hours (
  day    TEXT NOT NULL,
  hour   SMALLINT NOT NULL CHECK (hour BETWEEN 0 AND 23),
  events BIGINT NOT NULL DEFAULT 0 CHECK (events >= 0),
  PRIMARY KEY (day, hour)
);

-- How many different people did something. Who they were is known until the day can grow no more.
CREATE TABLE usage_people_days (
  day    TEXT PRIMARY KEY,
  people BIGINT NOT NULL CHECK (people >= 0)
);
CREATE TABLE usage_people (
  day     TEXT NOT NULL,
  user_id BIGINT NOT NULL,
  PRIMARY KEY (day, user_id)
);

CREATE TABLE book_days (
  day     TEXT NOT NULL,
  book_id BIGINT NOT NULL REFERENCES books (id),
  loans   BIGINT NOT NULL DEFAULT 0 CHECK (loans >= 0),
  PRIMARY KEY (day, book_id)
);
