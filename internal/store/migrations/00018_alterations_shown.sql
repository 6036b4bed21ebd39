-- How often alterations were shown in rounds: those that were shown often are replaced.

-- +goose Up

CREATE TABLE alterations_shown (
    dataset        TEXT    NOT NULL,
    sample_id      TEXT    NOT NULL,
    sample_version INTEGER NOT NULL,
    name           TEXT    NOT NULL, -- of the alteration, to who has the key
    times          BIGINT  NOT NULL,
    PRIMARY KEY (dataset, sample_id, sample_version, name),
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
