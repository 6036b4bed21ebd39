-- What verdicts rest on, beside the verdicts.

-- +goose Up

-- The work that a verification judges. The patch, up to 32 MiB, comes last: see
-- interactions.
CREATE TABLE judged_works (
    verification_id TEXT    NOT NULL PRIMARY KEY REFERENCES verifications (id),
    cache_key       TEXT    NOT NULL, -- of works that are judged alike
    reusable        INTEGER NOT NULL, -- its verdict may stand for those of such works
    patch_sha256    TEXT    NOT NULL,
    patch_bytes     BIGINT  NOT NULL,
    patch           BYTEA -- compressed by gzip; NULL when it is too large
);
CREATE INDEX judged_works_reusable ON judged_works (cache_key, verification_id) WHERE reusable = 1;

-- Verdicts as they were signed, compressed by gzip.
CREATE TABLE signed_verdicts (
    verification_id TEXT  NOT NULL PRIMARY KEY REFERENCES verifications (id),
    envelope        BYTEA NOT NULL
);

CREATE INDEX verifications_of_session ON verifications (session_id, id);
