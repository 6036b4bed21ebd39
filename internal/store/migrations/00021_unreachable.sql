-- Sessions whose sandbox does not answer, though nothing proves that it is dead: the time is not billed.

-- +goose Up

ALTER TABLE sessions ADD COLUMN unreachable_at BIGINT; -- since when; NULL while it answers
ALTER TABLE sessions ADD COLUMN unbilled BIGINT NOT NULL DEFAULT 0; -- microseconds in which it did not, before it did again
