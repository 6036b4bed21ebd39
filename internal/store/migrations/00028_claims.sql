-- Who serves from the database, or did last: who lost the connection of its claim learns from it
-- whether another server has had the database since. A SQLite file has no connection to lose.

-- +goose Up

CREATE TABLE claims (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    server TEXT    NOT NULL
);
