-- Who did what: logins, keys made and revoked, deposits, acts of operators. Rows are
-- written in the transaction of what they tell, and never changed.

-- +goose Up

CREATE TABLE audit_log (
    id       TEXT   NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL,
    actor    TEXT   NOT NULL, -- a user's id, "operator" or "stripe"
    action   TEXT   NOT NULL, -- such as "key.create"
    user_id  TEXT   NOT NULL, -- whom it is about; "" for nobody
    subject  TEXT   NOT NULL, -- id of what it is about, such as a key
    address  TEXT   NOT NULL, -- network address of the actor; "" for the command line
    detail   TEXT   NOT NULL  -- in words; never a secret
);
CREATE INDEX audit_log_of_user ON audit_log (user_id, id);
