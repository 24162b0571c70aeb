-- Version 2 of the log: what an entry is about, and words that can be searched for.
ALTER TABLE entries ADD COLUMN target INTEGER;

-- The edits of a line, which go when it goes.
CREATE INDEX about ON entries (room, target) WHERE target IS NOT NULL;

-- The row of an entry is named by room and number: see `row`.
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');

-- What was deleted is not left behind in the index.
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
