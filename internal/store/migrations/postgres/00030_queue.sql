-- The rows of verifications are the queue: whoever works on one has a lease on it. What waits
-- in the tables of the queue that was before is taken over. Its jobs were all verifications,
-- whose rows say what is open; it knew for which request.

-- +goose Up

-- A server of an earlier version needs these tables: this is the lock that it holds.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(7022083106479800322) THEN
        RAISE EXCEPTION 'a server of an earlier version works on this database; stop it first';
    END IF;
END
$$;
-- +goose StatementEnd

ALTER TABLE verifications ADD COLUMN lease TEXT NOT NULL DEFAULT ''; -- of who works on it; '' when nobody does
ALTER TABLE verifications ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE verifications ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0; -- the end of its pause after a failure
ALTER TABLE verifications ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0; -- attempts in which the server died
ALTER TABLE verifications ADD COLUMN origin TEXT NOT NULL DEFAULT '{}'; -- the request that it is done for

CREATE INDEX verifications_queue ON verifications (status, user_id, id) WHERE status IN ('pending', 'starting', 'running');
CREATE UNIQUE INDEX verifications_leased ON verifications (lease) WHERE lease <> '';
CREATE INDEX verifications_served ON verifications (user_id, started_at);

CREATE TABLE IF NOT EXISTS river_job (kind TEXT, state TEXT, args JSONB, metadata JSONB); -- new databases have none

UPDATE verifications SET origin = j.origin
    FROM (SELECT args ->> 'id' AS id,
            jsonb_strip_nulls(jsonb_build_object('request_id', metadata -> 'request_id', 'traceparent', metadata -> 'traceparent'))::text AS origin
        FROM river_job WHERE kind = 'verify' AND state::text IN ('available', 'running', 'retryable', 'scheduled', 'pending')) j
    WHERE verifications.id = j.id AND status IN ('pending', 'starting', 'running');

-- Nobody works on one now. What was counted of attempts mixed failures, stops and deaths.
UPDATE verifications SET status = 'pending', attempt = 0 WHERE status IN ('pending', 'starting', 'running');

DROP TABLE river_job;
DROP TABLE IF EXISTS river_client_queue, river_client, river_leader, river_notification, river_queue, river_migration;
DROP FUNCTION IF EXISTS river_job_state_in_bitmask;
DROP FUNCTION IF EXISTS river_job_notify;
DROP TYPE IF EXISTS river_job_state;
