-- What validations saw of samples, and what operators made of it.

-- +goose Up

-- One row a judgement; rows are never changed. Of several with the same campaign,
-- sample, version, tree and number the newest counts.
CREATE TABLE validation_runs (
    id             TEXT    NOT NULL PRIMARY KEY,
    campaign       TEXT    NOT NULL,
    dataset        TEXT    NOT NULL,
    sample_id      TEXT    NOT NULL,
    sample_version INTEGER NOT NULL,
    grader         TEXT    NOT NULL,
    image_digest   TEXT    NOT NULL, -- "" when it is not known
    tree           TEXT    NOT NULL, -- empty or reference
    number         INTEGER NOT NULL, -- 1, 2, 3, ...
    outcome        TEXT    NOT NULL, -- solved, unsolved, or an error's code
    duration       BIGINT  NOT NULL,
    finished_at    BIGINT  NOT NULL,
    reason         TEXT    NOT NULL,
    tests          TEXT    NOT NULL, -- a letter for each expected test of the sample, in its order
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
CREATE INDEX validation_runs_of_dataset ON validation_runs (dataset, id);
CREATE INDEX validation_runs_of_sample ON validation_runs (dataset, sample_id, sample_version, campaign, id);

-- What the last runs of a version of a sample came to.
CREATE TABLE validations (
    dataset          TEXT    NOT NULL,
    sample_id        TEXT    NOT NULL,
    sample_version   INTEGER NOT NULL,
    grader           TEXT    NOT NULL,
    campaign         TEXT    NOT NULL,
    reference_runs   INTEGER NOT NULL,
    reference_solved INTEGER NOT NULL,
    flaky            INTEGER NOT NULL,
    finished_at      BIGINT  NOT NULL, -- the last of the runs
    PRIMARY KEY (dataset, sample_id, sample_version, grader),
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);

-- Tests that an operator does not want graded. Imports lay them over the rows.
CREATE TABLE quarantines (
    dataset    TEXT   NOT NULL REFERENCES datasets (name),
    sample_id  TEXT   NOT NULL,
    tests      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (dataset, sample_id)
);
