-- Times are microseconds since 1970 in UTC, durations are microseconds, truth is 0
-- or 1, lists and records are JSON, hashes are lower-case hex. Ids sort by creation.

-- +goose Up

CREATE TABLE users (
    id                TEXT    NOT NULL PRIMARY KEY,
    name              TEXT    NOT NULL,
    email             TEXT    NOT NULL,
    github_id         TEXT    UNIQUE, -- NULL until a GitHub login
    created_at        BIGINT  NOT NULL,
    last_login_at     BIGINT,
    terms_accepted_at BIGINT,
    active            INTEGER NOT NULL
);

CREATE TABLE api_keys (
    id           TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id),
    name         TEXT   NOT NULL,
    hash         TEXT   NOT NULL UNIQUE,
    hint         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX api_keys_of_user ON api_keys (user_id, id);

CREATE TABLE datasets (
    name        TEXT   NOT NULL PRIMARY KEY,
    description TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);

-- One row a version. Rows are never changed but for latest.
CREATE TABLE samples (
    dataset                  TEXT    NOT NULL REFERENCES datasets (name),
    id                       TEXT    NOT NULL,
    version                  INTEGER NOT NULL,
    latest                   INTEGER NOT NULL,
    content_hash             TEXT    NOT NULL,
    created_at               BIGINT  NOT NULL,
    version_description      TEXT    NOT NULL,
    description              TEXT    NOT NULL,
    repo                     TEXT    NOT NULL,
    base_commit              TEXT    NOT NULL,
    environment_setup_commit TEXT    NOT NULL,
    problem_statement        TEXT    NOT NULL,
    hints_text               TEXT    NOT NULL,
    patch                    TEXT    NOT NULL,
    non_code_patch           TEXT    NOT NULL,
    test_patch               TEXT    NOT NULL,
    fail_to_pass             TEXT    NOT NULL,
    pass_to_pass             TEXT    NOT NULL,
    fail_to_fail             TEXT    NOT NULL,
    task                     TEXT    NOT NULL,
    PRIMARY KEY (dataset, id, version)
);
CREATE UNIQUE INDEX samples_latest ON samples (dataset, id) WHERE latest = 1;

CREATE TABLE sessions (
    id             TEXT    NOT NULL PRIMARY KEY,
    user_id        TEXT    NOT NULL REFERENCES users (id),
    dataset        TEXT    NOT NULL,
    sample_id      TEXT    NOT NULL,
    sample_version INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    requested_at   BIGINT  NOT NULL,
    ready_at       BIGINT,
    ended_at       BIGINT,
    expires_at     BIGINT  NOT NULL,
    error_code     TEXT, -- NULL when the session did not end early
    error_message  TEXT,
    location       TEXT    NOT NULL,
    handle         TEXT    NOT NULL,
    idem_key       TEXT, -- NULL when the request had none
    idem_hash      TEXT,
    UNIQUE (user_id, idem_key),
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
CREATE INDEX sessions_of_user ON sessions (user_id, id);
CREATE INDEX sessions_live ON sessions (user_id, id) WHERE status IN ('creating', 'ready');

-- The outputs, up to 1 MiB each, come last: reading the columns before them does
-- not touch the pages they are on. BYTEA takes the bytes as they are, also zeros, which
-- PostgreSQL refuses in TEXT; SQLite takes any name for a type.
CREATE TABLE interactions (
    id               TEXT    NOT NULL PRIMARY KEY,
    session_id       TEXT    NOT NULL REFERENCES sessions (id),
    created_at       BIGINT  NOT NULL,
    timeout          BIGINT  NOT NULL,
    status           TEXT    NOT NULL,
    exit_code        INTEGER NOT NULL,
    duration         BIGINT  NOT NULL,
    idem_key         TEXT,
    idem_hash        TEXT,
    stdout_bytes     BIGINT  NOT NULL,
    stdout_truncated INTEGER NOT NULL,
    stderr_bytes     BIGINT  NOT NULL,
    stderr_truncated INTEGER NOT NULL,
    message          TEXT    NOT NULL,
    command          BYTEA   NOT NULL,
    stdout           BYTEA   NOT NULL,
    stderr           BYTEA   NOT NULL
);
CREATE UNIQUE INDEX interactions_idem ON interactions (session_id, idem_key) WHERE idem_key IS NOT NULL;
CREATE INDEX interactions_running ON interactions (session_id, id) WHERE status IN ('pending', 'processing');

CREATE TABLE verifications (
    id              TEXT    NOT NULL PRIMARY KEY,
    session_id      TEXT    NOT NULL REFERENCES sessions (id),
    user_id         TEXT    NOT NULL REFERENCES users (id),
    dataset         TEXT    NOT NULL,
    sample_id       TEXT    NOT NULL,
    sample_version  INTEGER NOT NULL,
    status          TEXT    NOT NULL,
    attempt         INTEGER NOT NULL,
    created_at      BIGINT  NOT NULL,
    started_at      BIGINT,
    completed_at    BIGINT,
    failure_code    TEXT, -- NULL when we could judge
    failure_message TEXT,
    location        TEXT    NOT NULL,
    handle          TEXT    NOT NULL,
    idem_key        TEXT,
    idem_hash       TEXT,
    verdict         TEXT, -- NULL until the suite ran
    FOREIGN KEY (dataset, sample_id, sample_version) REFERENCES samples (dataset, id, version)
);
CREATE UNIQUE INDEX verifications_idem ON verifications (session_id, idem_key) WHERE idem_key IS NOT NULL;
CREATE INDEX verifications_open ON verifications (session_id, id) WHERE status IN ('pending', 'starting', 'running');
