-- Who reads the answers of a dataset over the API.

-- +goose Up

ALTER TABLE datasets ADD COLUMN answers TEXT NOT NULL DEFAULT 'users'; -- public, users or operators
ALTER TABLE datasets ADD COLUMN answers_set INTEGER NOT NULL DEFAULT 0; -- an operator set it: imports keep it
