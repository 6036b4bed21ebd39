"""The life of a session as older releases of the SDK see it: up to 0.3.0 an exec is one
synchronous call, and 0.1.x does not wait for a session or a verification by itself."""

import base64
import time

import codeset
import pytest


@pytest.fixture
def old(base_url, key):
    with codeset.Codeset(base_url=base_url, api_key=key) as client:
        yield client


def verify(client, sid):
    job = client.sessions.verify.start(sid)
    while job.status not in ("completed", "error", "cancelled"):
        job = client.sessions.verify.status(job.job_id, session_id=sid)  # is held
    assert job.status == "completed"
    return job.result


def test_life(old, rows):
    row = rows["go"]
    assert "starter" in {d.name for d in old.datasets.list()}
    [sample] = old.samples.list(dataset="starter", search=row["instance_id"]).samples
    assert (sample.patch, sample.fail_to_pass) == ("", []), "for operators alone"
    session = old.sessions.create(dataset="starter", sample_id=sample.sample_id)
    if session.status == "creating":
        session = old.sessions.retrieve(session.session_id)  # is held
    assert session.status == "ready"
    sid = session.session_id

    began = time.monotonic()
    done = old.sessions.execute_command(sid, command="echo out; echo err >&2; exit 4")
    assert (done.exit_code, done.stdout, done.stderr) == (4, "out\n", "err\n")
    assert done.execution_time_seconds >= 0
    assert time.monotonic() - began < 3, "the SDK slept its poll interval"

    edit = old.sessions.str_replace(sid, file_path="README.md", str_to_replace="absent text", str_to_insert="x")
    assert edit.success is False and edit.message

    assert verify(old, sid).is_success is False
    encoded = base64.b64encode(row["patch"].encode()).decode()
    assert old.sessions.execute_command(sid, command=f"echo {encoded} | base64 -d | git apply").exit_code == 0
    assert verify(old, sid).is_success is True

    assert sid in {s.session_id for s in old.sessions.list().sessions}
    assert old.sessions.close(sid).duration_seconds > 0


def test_errors_are_typed(base_url, old, rows):
    sample = rows["go"]["instance_id"]
    with codeset.Codeset(base_url=base_url, api_key="wrong") as stranger:
        with pytest.raises(codeset.AuthenticationError):
            stranger.sessions.list()
    with pytest.raises(codeset.NotFoundError):
        old.sessions.retrieve("ses_absent")
    with pytest.raises(codeset.UnprocessableEntityError):
        old.sessions.create(dataset="starter", sample_id=sample, extra_body={"ttl_minutes": -1})
    session = old.sessions.create(dataset="starter", sample_id=sample)
    old.sessions.close(session.session_id)
    with pytest.raises(codeset.ConflictError):
        old.sessions.execute_command(session.session_id, command="true")
