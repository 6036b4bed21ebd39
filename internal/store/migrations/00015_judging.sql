-- How works that look solved are judged further, and what is told of it. Settings are JSON
-- objects of what is said; a name that is not there says nothing.

-- +goose Up

ALTER TABLE datasets ADD COLUMN judging TEXT NOT NULL DEFAULT '{}'; -- what the last import said
ALTER TABLE datasets ADD COLUMN judging_set TEXT NOT NULL DEFAULT '{}'; -- what an operator set, which stands over it

-- What is told of verdicts to who has the key: full or verdict.
ALTER TABLE api_keys ADD COLUMN feedback TEXT NOT NULL DEFAULT 'full';

-- What became of the works that users had judged by rounds.
CREATE TABLE plays (
    verification_id TEXT    NOT NULL PRIMARY KEY REFERENCES verifications (id),
    user_id         TEXT    NOT NULL REFERENCES users (id),
    dataset         TEXT    NOT NULL,
    sample_id       TEXT    NOT NULL,
    sample_version  INTEGER NOT NULL,
    state           TEXT    NOT NULL, -- begun, reached, solved, refused or void
    at              BIGINT  NOT NULL, -- of the last change
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
CREATE INDEX plays_of_user ON plays (user_id, dataset, sample_id, sample_version);

-- Verdicts that an operator took back. What was signed stays.
CREATE TABLE withdrawals (
    verification_id TEXT   NOT NULL PRIMARY KEY REFERENCES verifications (id),
    at              BIGINT NOT NULL,
    reason          TEXT   NOT NULL
);
