-- What tells this database from another: data directories know it, so that none is served
-- with another's truth.

-- +goose Up

CREATE TABLE database_ids (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id  TEXT    NOT NULL
);
