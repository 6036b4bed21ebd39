-- The rows of verifications are the queue: whoever works on one has a lease on it. What waits
-- in the tables of the queue that was before is taken over. Its jobs were all verifications,
-- whose rows say what is open; it knew for which request.

-- +goose Up

ALTER TABLE verifications ADD COLUMN lease TEXT NOT NULL DEFAULT ''; -- of who works on it; '' when nobody does
ALTER TABLE verifications ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE verifications ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0; -- the end of its pause after a failure
ALTER TABLE verifications ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0; -- attempts in which the server died
ALTER TABLE verifications ADD COLUMN origin TEXT NOT NULL DEFAULT '{}'; -- the request that it is done for

CREATE INDEX verifications_queue ON verifications (status, user_id, id) WHERE status IN ('pending', 'starting', 'running');
CREATE UNIQUE INDEX verifications_leased ON verifications (lease) WHERE lease <> '';
CREATE INDEX verifications_served ON verifications (user_id, started_at);

CREATE TABLE IF NOT EXISTS river_job (id INTEGER, kind TEXT, state TEXT, args BLOB, metadata BLOB); -- new databases have none

UPDATE verifications SET origin = j.origin
    FROM (SELECT json_extract(args, '$.id') AS id,
            json_patch('{}', json_object('request_id', json_extract(metadata, '$.request_id'), 'traceparent', json_extract(metadata, '$.traceparent'))) AS origin
        FROM river_job WHERE kind = 'verify' AND state IN ('available', 'running', 'retryable', 'scheduled', 'pending') ORDER BY id) j
    WHERE verifications.id = j.id AND status IN ('pending', 'starting', 'running');

-- Nobody works on one now. What was counted of attempts mixed failures, stops and deaths.
UPDATE verifications SET status = 'pending', attempt = 0 WHERE status IN ('pending', 'starting', 'running');

DROP TABLE river_job;
DROP TABLE IF EXISTS river_client_queue;
DROP TABLE IF EXISTS river_client;
DROP TABLE IF EXISTS river_leader;
DROP TABLE IF EXISTS river_notification;
DROP TABLE IF EXISTS river_queue;
DROP TABLE IF EXISTS river_migration;
