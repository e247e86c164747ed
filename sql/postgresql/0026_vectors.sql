-- Vectors of passages and books. Each was made by one model; those of different models, or lengths, are never compared.

CREATE TABLE embedding_models (
  id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       TEXT NOT NULL,
  dimensions BIGINT NOT NULL CHECK (dimensions BETWEEN 1 AND 8192),
  chosen     BIGINT NOT NULL CHECK (chosen >= 1),  -- rises with every choice: of one name the highest counts
  UNIQUE (name, dimensions)
);

CREATE TABLE passage_vectors (
  chunk_id BIGINT PRIMARY KEY REFERENCES document_chunks (id) ON DELETE CASCADE,
  model_id BIGINT NOT NULL REFERENCES embedding_models (id),
  digest   BIGINT NOT NULL,  -- of the text that it was made from
  vector   TEXT NOT NULL     -- base64 of 32-bit floats, little endian; empty: the model refuses the text
);
CREATE INDEX idx_passage_vectors_model_id ON passage_vectors (model_id, chunk_id);

CREATE TABLE book_vectors (
  book_id  BIGINT PRIMARY KEY REFERENCES books (id) ON DELETE CASCADE,
  model_id BIGINT NOT NULL REFERENCES embedding_models (id),
  digest   BIGINT NOT NULL,
  vector   TEXT NOT NULL
);
CREATE INDEX idx_book_vectors_model_id ON book_vectors (model_id, book_id);
