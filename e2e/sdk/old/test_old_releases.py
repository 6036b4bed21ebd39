"""The life of a session as older releases of the SDK see it: up to 0.3.0 an exec is one
synchronous call, and 0.1.x does not wait for a session or a verification by itself."""

import time

import codeset

DATASET, SAMPLE = "starter", "mattn__go-shellwords-1.0.15"


def test_life(base_url, key):
    with codeset.Codeset(base_url=base_url, api_key=key) as client:
        session = client.sessions.create(dataset=DATASET, sample_id=SAMPLE)
        if session.status == "creating":
            session = client.sessions.retrieve(session.session_id)  # is held
        assert session.status == "ready"
        sid = session.session_id

        began = time.monotonic()
        done = client.sessions.execute_command(sid, command="echo out; echo err >&2; exit 4")
        assert (done.exit_code, done.stdout, done.stderr) == (4, "out\n", "err\n")
        assert done.execution_time_seconds >= 0
        assert time.monotonic() - began < 3, "the SDK slept its poll interval"

        edit = client.sessions.str_replace(sid, file_path="README.md", str_to_replace="absent text", str_to_insert="x")
        assert edit.success is False and edit.message

        job = client.sessions.verify.start(sid)
        while job.status not in ("completed", "error", "cancelled"):
            job = client.sessions.verify.status(job.job_id, session_id=sid)  # is held
        assert job.status == "completed" and job.result.is_success is False

        assert sid in {s.session_id for s in client.sessions.list().sessions}
        assert client.sessions.close(sid).duration_seconds > 0
