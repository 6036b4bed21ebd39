-- The image that a session began with, by its digest: the name in its sample may be another's
-- later. It is empty for sessions from before, and before the sandbox is made.

-- +goose Up

ALTER TABLE sessions ADD COLUMN image_digest TEXT NOT NULL DEFAULT '';
