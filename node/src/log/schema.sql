-- Version 1 of the log. Numbers are dense per room; an entry stands in its wire bytes.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    room   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    author INTEGER NOT NULL,
    id     BLOB    NOT NULL,
    kind   INTEGER NOT NULL,
    entry  BLOB    NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

-- What makes a repeated submission the same submission, for ever.
CREATE UNIQUE INDEX once ON entries (room, author, id);

-- Who came to the lobby (3) and who left (4): what a hub needs when it starts.
CREATE INDEX presence ON entries (seq, author, kind) WHERE room = 1 AND kind IN (3, 4);
