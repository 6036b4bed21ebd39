-- Logins through GitHub. A login is what its access tokens name, and its refresh token
-- belongs to; both end with it.

-- +goose Up

CREATE TABLE logins (
    id           TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id),
    refresh_hash TEXT   NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    address      TEXT   NOT NULL,
    user_agent   TEXT   NOT NULL
);
CREATE INDEX logins_of_user ON logins (user_id, id);
CREATE INDEX logins_expiring ON logins (expires_at);

-- Logins that a browser has begun. A row goes when its state comes back, or expires.
CREATE TABLE login_states (
    hash         TEXT   NOT NULL PRIMARY KEY,
    browser_hash TEXT   NOT NULL,
    redirect_uri TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX login_states_expiring ON login_states (expires_at);

-- Who did something, beside whom it was done to.
CREATE INDEX audit_log_of_actor ON audit_log (actor, id);
