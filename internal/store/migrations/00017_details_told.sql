-- Who was told the details of verdicts: they may have the hidden tests in them.

-- +goose Up

-- How much the key that asked for a verification is told; '' for all.
ALTER TABLE verifications ADD COLUMN feedback TEXT NOT NULL DEFAULT '';

-- Users who were told, or could have asked for, all that a suite said of a version of a sample.
CREATE TABLE details_told (
    user_id         TEXT    NOT NULL REFERENCES users (id),
    dataset         TEXT    NOT NULL,
    sample_id       TEXT    NOT NULL,
    sample_version  INTEGER NOT NULL,
    PRIMARY KEY (user_id, dataset, sample_id, sample_version),
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
INSERT INTO details_told (user_id, dataset, sample_id, sample_version)
    SELECT DISTINCT user_id, dataset, sample_id, sample_version FROM verifications WHERE status = 'completed';
