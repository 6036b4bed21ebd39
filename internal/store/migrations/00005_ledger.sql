-- Money is in millionths of a US dollar.

-- +goose Up

ALTER TABLE sessions ADD COLUMN price BIGINT; -- of a minute; NULL of sessions from before there was a ledger
ALTER TABLE sessions ADD COLUMN seen_at BIGINT;

CREATE TABLE accounts (
    id      TEXT   NOT NULL PRIMARY KEY, -- user:ID, or one of the house's
    user_id TEXT   UNIQUE REFERENCES users (id), -- NULL of the house's
    balance BIGINT -- the sum of its entries, cached; NULL of the house's, whose row nobody shall wait for
);
INSERT INTO accounts (id) VALUES ('revenue'), ('payments'), ('promotions');

-- One row a movement of a user's money. The last columns are the user's totals with
-- this row in: a page of a statement, and its sums, are differences of two rows.
CREATE TABLE ledger_transactions (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL REFERENCES users (id),
    seq           BIGINT NOT NULL, -- 1, 2, 3, ... a user
    type          TEXT   NOT NULL,
    amount        BIGINT NOT NULL, -- on the user's account
    against       TEXT   NOT NULL REFERENCES accounts (id),
    idem_key      TEXT   NOT NULL UNIQUE,
    created_at    BIGINT NOT NULL, -- never before that of the row with the seq before
    description   TEXT   NOT NULL,
    session_id    TEXT   REFERENCES sessions (id),
    deposit_id    TEXT,
    seconds       BIGINT NOT NULL,
    deposits      BIGINT NOT NULL,
    deposit_sum   BIGINT NOT NULL,
    usages        BIGINT NOT NULL,
    usage_sum     BIGINT NOT NULL,
    refunds       BIGINT NOT NULL,
    refund_sum    BIGINT NOT NULL,
    charges       BIGINT NOT NULL,
    charge_sum    BIGINT NOT NULL,
    usage_seconds BIGINT NOT NULL,
    UNIQUE (user_id, seq)
);
CREATE INDEX ledger_transactions_by_type ON ledger_transactions (user_id, type, seq);
CREATE INDEX ledger_transactions_by_time ON ledger_transactions (user_id, created_at, seq);
CREATE INDEX ledger_transactions_of_session ON ledger_transactions (session_id);
CREATE INDEX ledger_transactions_of_deposit ON ledger_transactions (deposit_id);

CREATE TABLE ledger_entries (
    transaction_id TEXT   NOT NULL REFERENCES ledger_transactions (id),
    account_id     TEXT   NOT NULL REFERENCES accounts (id),
    amount         BIGINT NOT NULL,
    PRIMARY KEY (transaction_id, account_id)
);

-- What users were asked to pay through the payment provider, and what came of it.
CREATE TABLE deposits (
    id             TEXT   NOT NULL PRIMARY KEY,
    user_id        TEXT   NOT NULL REFERENCES users (id),
    amount_cents   BIGINT NOT NULL,
    status         TEXT   NOT NULL, -- open, paid, failed, expired
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL, -- of the page
    settled_at     BIGINT,          -- when status became final
    asked_at       BIGINT NOT NULL, -- when the provider was last asked
    checkout_id    TEXT   UNIQUE,
    checkout_url   TEXT,
    payment_id     TEXT   UNIQUE,
    success_url    TEXT   NOT NULL,
    cancel_url     TEXT   NOT NULL,
    idem_key       TEXT,
    idem_hash      TEXT,
    UNIQUE (user_id, idem_key)
);
CREATE INDEX deposits_open ON deposits (asked_at, id) WHERE status = 'open';

-- What the provider said of payments, also before it said which deposit they are of.
CREATE TABLE payments (
    id             TEXT   NOT NULL PRIMARY KEY, -- the provider's
    refunded_cents BIGINT NOT NULL              -- in all
);
CREATE TABLE disputes (
    id           TEXT    NOT NULL PRIMARY KEY, -- the provider's
    payment_id   TEXT    NOT NULL REFERENCES payments (id),
    amount_cents BIGINT  NOT NULL,
    won          INTEGER NOT NULL -- the money came back
);
CREATE INDEX disputes_of_payment ON disputes (payment_id, id);

-- The provider's record of a user.
CREATE TABLE payment_customers (
    user_id     TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    customer_id TEXT NOT NULL UNIQUE
);

-- Notifications that were dealt with; the same one may come again.
CREATE TABLE payment_events (
    id          TEXT   NOT NULL PRIMARY KEY, -- the provider's
    type        TEXT   NOT NULL,
    received_at BIGINT NOT NULL
);
