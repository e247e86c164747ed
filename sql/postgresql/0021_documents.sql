-- Files of the library by what they hold, documents with their versions, text and passages, and what was asked of them.

-- The file's name is its digest. refs counts the rows that name it; without any it goes an hour after touched_at.
CREATE TABLE blobs (
  sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  size       BIGINT NOT NULL CHECK (size >= 0),
  refs       BIGINT NOT NULL DEFAULT 0 CHECK (refs >= 0),
  touched_at BIGINT NOT NULL
);
CREATE INDEX idx_blobs_unused ON blobs (touched_at) WHERE refs = 0;

-- What a person uploaded. user_id is empty when the person is gone: the document stays.
CREATE TABLE documents (
  id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id     BIGINT REFERENCES users (id),
  book_id     BIGINT REFERENCES books (id),
  title       TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
  visibility  TEXT NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public', 'borrowers')),
  sha256      TEXT NOT NULL REFERENCES blobs (sha256),  -- of the current version
  current     BIGINT NOT NULL DEFAULT 1 CHECK (current >= 1),
  version     BIGINT NOT NULL DEFAULT 1,  -- of the row, for ETags
  views       BIGINT NOT NULL DEFAULT 0 CHECK (views >= 0),
  downloads   BIGINT NOT NULL DEFAULT 0 CHECK (downloads >= 0),
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  CHECK (visibility <> 'borrowers' OR book_id IS NOT NULL)
);
-- The same bytes are one document of a person.
CREATE UNIQUE INDEX idx_documents_same ON documents (user_id, sha256) WHERE user_id IS NOT NULL;
CREATE INDEX idx_documents_book_id ON documents (book_id) WHERE book_id IS NOT NULL;
CREATE INDEX idx_documents_visibility ON documents (visibility, id);
CREATE INDEX idx_documents_sha256 ON documents (sha256);

CREATE TABLE document_versions (
  id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document_id BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  number      BIGINT NOT NULL CHECK (number >= 1),
  sha256      TEXT NOT NULL REFERENCES blobs (sha256),
  filename    TEXT NOT NULL CHECK (length(filename) BETWEEN 1 AND 255),
  kind        TEXT NOT NULL CHECK (kind IN ('pdf', 'docx', 'epub', 'html', 'md', 'txt')),
  size        BIGINT NOT NULL CHECK (size >= 0),
  status      TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'ready', 'failed')),
  error_code  TEXT,
  error       TEXT,
  task_id     TEXT NOT NULL DEFAULT '',
  page_count  BIGINT,
  author      TEXT,
  language    TEXT,
  produced    TEXT,  -- the date that the file itself gives
  chunks      BIGINT NOT NULL DEFAULT 0 CHECK (chunks >= 0),
  thumbnail   TEXT REFERENCES blobs (sha256),
  thumbnail_type TEXT,
  created_at  BIGINT NOT NULL,
  ended_at    BIGINT,
  UNIQUE (document_id, number),
  CHECK ((status = 'failed') = (error_code IS NOT NULL)),
  CHECK ((thumbnail IS NULL) = (thumbnail_type IS NULL))
);
CREATE INDEX idx_document_versions_sha256 ON document_versions (sha256);
CREATE INDEX idx_document_versions_thumbnail ON document_versions (thumbnail) WHERE thumbnail IS NOT NULL;

-- The text as it was extracted; quotes are verified against it.
CREATE TABLE document_pages (
  version_id BIGINT NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
  page       BIGINT NOT NULL CHECK (page >= 1),
  text       TEXT NOT NULL,
  PRIMARY KEY (version_id, page)
);

-- Passages: begin and finish are code points in the text of the page.
CREATE TABLE document_chunks (
  id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version_id BIGINT NOT NULL REFERENCES document_versions (id) ON DELETE CASCADE,
  ordinal    BIGINT NOT NULL CHECK (ordinal >= 0),
  page       BIGINT NOT NULL CHECK (page >= 1),
  begin_at   BIGINT NOT NULL CHECK (begin_at >= 0),
  end_at     BIGINT NOT NULL CHECK (end_at > begin_at),
  text       TEXT NOT NULL,
  UNIQUE (version_id, ordinal)
);

CREATE TABLE document_grants (
  document_id BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  user_id     BIGINT NOT NULL REFERENCES users (id),
  access      TEXT NOT NULL CHECK (access IN ('view', 'edit')),
  granted_at  BIGINT NOT NULL,
  PRIMARY KEY (document_id, user_id)
);
CREATE INDEX idx_document_grants_user_id ON document_grants (user_id);

-- Conversations: what was asked before gives the next question its context.
CREATE TABLE qa_sessions (
  id         TEXT PRIMARY KEY,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  asked_at   BIGINT NOT NULL
);
CREATE INDEX idx_qa_sessions_user_id ON qa_sessions (user_id, asked_at);
CREATE TABLE qa_turns (
  id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES qa_sessions (id) ON DELETE CASCADE,
  question   TEXT NOT NULL,
  answer     TEXT NOT NULL,  -- JSON as it was answered
  created_at BIGINT NOT NULL
);
CREATE INDEX idx_qa_turns_session_id ON qa_turns (session_id, id);
