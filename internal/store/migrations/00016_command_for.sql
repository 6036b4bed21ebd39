-- Whether a validation saw the command for some tests (verifier.command_for) run them.

-- +goose Up

ALTER TABLE validations ADD COLUMN narrow INTEGER NOT NULL DEFAULT 0;
