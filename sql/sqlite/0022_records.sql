-- What makes a record more than its title page: series, subjects, class marks, fields of the library's own, works;
-- how it was before and who changed it; and changes of several records that can be taken back as one.

-- Editions of one work share its reviews and its line.
CREATE TABLE works (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  title      TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
  author     TEXT NOT NULL CHECK (length(author) BETWEEN 1 AND 255),
  created_at BIGINT NOT NULL
);

-- A change set is undone as a whole: what each part of the library moved is its note.
CREATE TABLE change_sets (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind      TEXT NOT NULL CHECK (kind IN ('deletion', 'merge')),
  book_id   BIGINT NOT NULL REFERENCES books (id),  -- the book that was deleted, or that the others became part of
  at        BIGINT NOT NULL,
  user_id   BIGINT REFERENCES users (id),
  undone_at BIGINT,
  undone_by BIGINT REFERENCES users (id),
  CHECK (undone_by IS NULL OR undone_at IS NOT NULL)
);
CREATE INDEX idx_change_sets_book_id ON change_sets (book_id, id);
CREATE TABLE change_set_notes (
  change_set_id BIGINT NOT NULL REFERENCES change_sets (id),
  book_id       BIGINT NOT NULL REFERENCES books (id),  -- the book that went
  part          TEXT NOT NULL,
  note          TEXT NOT NULL,  -- JSON of the part's own
  PRIMARY KEY (change_set_id, book_id, part)
);
CREATE INDEX idx_change_set_notes_book_id ON change_set_notes (book_id);

ALTER TABLE books ADD COLUMN series TEXT CHECK (length(series) BETWEEN 1 AND 300);
ALTER TABLE books ADD COLUMN series_index REAL CHECK (series_index BETWEEN 0 AND 100000);
ALTER TABLE books ADD COLUMN series_key TEXT;     -- folded
ALTER TABLE books ADD COLUMN subjects TEXT NOT NULL DEFAULT '[]';  -- JSON array of strings
ALTER TABLE books ADD COLUMN ddc TEXT CHECK (length(ddc) <= 60);
ALTER TABLE books ADD COLUMN ddc_key TEXT;        -- sorts as the books stand
ALTER TABLE books ADD COLUMN lcc TEXT CHECK (length(lcc) <= 60);
ALTER TABLE books ADD COLUMN lcc_key TEXT;
ALTER TABLE books ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}' CHECK (length(metadata) <= 16384);  -- JSON object
ALTER TABLE books ADD COLUMN author_match TEXT NOT NULL DEFAULT '';  -- the author without spelling differences
ALTER TABLE books ADD COLUMN author_sort TEXT NOT NULL DEFAULT '';   -- folded, the family name first
ALTER TABLE books ADD COLUMN work_id BIGINT REFERENCES works (id);
ALTER TABLE books ADD COLUMN merged_into BIGINT REFERENCES books (id)
  CHECK (merged_into IS NULL OR (deleted_at IS NOT NULL AND merged_into <> id));
ALTER TABLE books ADD COLUMN removed_by BIGINT REFERENCES change_sets (id)
  CHECK (removed_by IS NULL OR deleted_at IS NOT NULL);
UPDATE books SET author_match = author_key, author_sort = author_key;
CREATE INDEX idx_books_series ON books (series_key, series_index, id) WHERE deleted_at IS NULL AND series_key IS NOT NULL;
CREATE INDEX idx_books_ddc_key ON books (ddc_key, id) WHERE deleted_at IS NULL AND ddc_key IS NOT NULL;
CREATE INDEX idx_books_lcc_key ON books (lcc_key, id) WHERE deleted_at IS NULL AND lcc_key IS NOT NULL;
CREATE INDEX idx_books_author_match ON books (author_match, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_author_sort ON books (author_sort, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_books_work_id ON books (work_id, id) WHERE work_id IS NOT NULL;
CREATE INDEX idx_books_merged_into ON books (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX idx_books_deleted_at ON books (deleted_at, id) WHERE deleted_at IS NOT NULL;

CREATE TABLE subjects (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  name_key TEXT NOT NULL UNIQUE  -- folded
);
CREATE TABLE book_subjects (
  book_id    BIGINT NOT NULL REFERENCES books (id),
  subject_id BIGINT NOT NULL REFERENCES subjects (id),
  PRIMARY KEY (subject_id, book_id)
);
CREATE INDEX idx_book_subjects_book_id ON book_subjects (book_id);

-- The leaves of books.metadata, for filters: "lang" or "source.name", and its value as text.
CREATE TABLE book_metadata (
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  book_id BIGINT NOT NULL REFERENCES books (id),
  PRIMARY KEY (name, value, book_id)
);
CREATE INDEX idx_book_metadata_book_id ON book_metadata (book_id);

-- How each version came about: the fields that changed, as they were and as they became.
CREATE TABLE book_history (
  book_id BIGINT NOT NULL REFERENCES books (id),
  version BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  user_id BIGINT REFERENCES users (id),
  action  TEXT NOT NULL CHECK (action IN ('created', 'updated', 'reverted', 'deleted', 'restored', 'merged', 'unmerged',
            'author_renamed')),
  changes TEXT NOT NULL,  -- JSON: {"title":["before","after"]}
  PRIMARY KEY (book_id, version)
);

-- Pairs that look alike and are two books, as a librarian said.
CREATE TABLE different_books (
  first_id  BIGINT NOT NULL REFERENCES books (id),
  second_id BIGINT NOT NULL REFERENCES books (id),
  user_id   BIGINT REFERENCES users (id),
  at        BIGINT NOT NULL,
  PRIMARY KEY (first_id, second_id),
  CHECK (first_id < second_id)
);

-- Authorities: one record for a person, whatever the title pages call them.
CREATE TABLE authors (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  note       TEXT CHECK (length(note) <= 2000),
  viaf       TEXT CHECK (length(viaf) <= 40),
  version    BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE author_names (
  author_id BIGINT NOT NULL REFERENCES authors (id) ON DELETE CASCADE,
  name      TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  name_key  TEXT NOT NULL UNIQUE,  -- as books.author_match: a spelling is one person's
  PRIMARY KEY (author_id, name_key)
);
