-- What agents ran to look into a repository's history, for the verdicts on their work.

-- +goose Up

CREATE TABLE lookups (
    session_id TEXT   NOT NULL REFERENCES sessions (id),
    created_at BIGINT NOT NULL,
    what       TEXT   NOT NULL,
    PRIMARY KEY (session_id, what)
);
