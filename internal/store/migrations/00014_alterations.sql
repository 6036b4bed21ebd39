-- What searches found of samples' tests. What is sealed is encrypted with a key that is not
-- in the database.

-- +goose Up

-- The outcome of a search of a version of a sample, on an image, by rules.
CREATE TABLE alterations (
    dataset        TEXT    NOT NULL,
    sample_id      TEXT    NOT NULL,
    sample_version INTEGER NOT NULL,
    image_digest   TEXT    NOT NULL, -- "" when it is not known
    rules          TEXT    NOT NULL,
    tests          INTEGER NOT NULL,
    altered        INTEGER NOT NULL,
    blind          INTEGER NOT NULL,
    fresh          INTEGER NOT NULL,
    draws          INTEGER NOT NULL,
    runs           INTEGER NOT NULL,
    took           BIGINT  NOT NULL,
    finished_at    BIGINT  NOT NULL,
    sealed         BYTEA   NOT NULL,
    PRIMARY KEY (dataset, sample_id, sample_version, image_digest, rules),
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);

-- The trials of searches that are under way, and the seed that a search began with.
CREATE TABLE alteration_trials (
    dataset        TEXT    NOT NULL,
    sample_id      TEXT    NOT NULL,
    sample_version INTEGER NOT NULL,
    image_digest   TEXT    NOT NULL,
    rules          TEXT    NOT NULL,
    trial          TEXT    NOT NULL, -- "seed", or what names the trial
    sealed         BYTEA   NOT NULL,
    PRIMARY KEY (dataset, sample_id, sample_version, image_digest, rules, trial),
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
