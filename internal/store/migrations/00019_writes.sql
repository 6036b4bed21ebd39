-- Which writes were stored, for those whose connection was lost before they were answered.
-- A SQLite file has no connection to lose, and its table is empty.

-- +goose Up

CREATE TABLE writes (
    id       TEXT    NOT NULL PRIMARY KEY, -- begins with the time
    affected INTEGER NOT NULL              -- rows, where that is all it says; -1: it was never stored, and never will be
);
