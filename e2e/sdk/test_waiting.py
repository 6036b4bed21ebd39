"""The SDK polls: it POSTs, GETs at once, and sleeps 3 s between later GETs. The server
holds the GETs, so that nobody waits longer than the thing takes, and nobody who asked not
to wait is made to for long."""

import time

import codeset
import pytest
from conftest import SAMPLES

# FIRST_HOLD is for how long the server holds the first GET of what is not final, in
# seconds; a caller who asked the SDK not to wait makes that one too.
FIRST_HOLD = 5


@pytest.fixture
def impatient(base_url, key):
    """A client that gives up an answer after 2 s. It may say again what it POSTs, for a busy
    machine; a GET that it gave up was held for too long."""
    given_up = []

    def note(request):
        if request.method == "GET" and request.headers["x-stainless-retry-count"] != "0":
            given_up.append(str(request.url))

    http = codeset.DefaultHttpxClient(event_hooks={"request": [note]})
    with codeset.Codeset(base_url=base_url, api_key=key, timeout=2, http_client=http, _strict_response_validation=True) as c:
        yield c
    assert given_up == []


def test_nobody_waits_for_a_poll(client, session):
    """The best of five: this measures the server, not how busy its machine is."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        done = client.sessions.execute_command(session.session_id, command="sleep 0.3; echo done")
        took.append(time.monotonic() - began)
        assert done.stdout == "done\n"
    assert 0.3 <= min(took) < 0.6, took


def test_a_session_may_be_fetched_before_it_is_ready(client, sample):
    session = client.sessions.create(dataset="starter", sample_id=sample.sample_id, wait_for_ready=False)
    assert session.status in ("creating", "ready")
    while session.status == "creating":
        session = client.sessions.retrieve(session.session_id)  # is held
    assert session.status == "ready" and session.container_info is not None
    client.sessions.close(session.session_id)


def test_a_command_may_be_fetched_before_it_ends(client, session):
    began = time.monotonic()
    running = client.sessions.execute_command(
        session.session_id, command="until [ -e go ]; do sleep 0.1; done; echo went", wait_for_completion=False)
    assert running.exit_code is None and running.success is None
    assert time.monotonic() - began < FIRST_HOLD + 3
    client.sessions.execute_command(session.session_id, command="touch go")
    done = client.sessions.get_interaction(session.session_id, running.interaction_id)  # is held
    assert (done.exit_code, done.stdout, done.success) == (0, "went\n", True)


def test_a_verification_may_be_fetched_before_its_verdict(client, session):
    began = time.monotonic()
    job = client.sessions.verify.start(session.session_id, wait_for_completion=False)
    assert time.monotonic() - began < FIRST_HOLD + 3
    assert job.status in ("pending", "starting", "running", "completed")
    while job.status != "completed":
        assert job.status in ("pending", "starting", "running"), job.error
        job = client.sessions.verify.status(job.job_id, session_id=session.session_id)  # is held
    assert job.result.is_success is False


def test_a_hold_outlasts_no_client(impatient):
    """A command and a verification that take longer than the client waits for an answer."""
    session = impatient.sessions.create(dataset="starter", sample_id=SAMPLES["javascript"])
    assert session.status == "ready"
    slow = impatient.sessions.execute_command(session.session_id, command="sleep 4; echo done")
    assert (slow.exit_code, slow.stdout) == (0, "done\n")
    slow = impatient.sessions.execute_command(
        session.session_id, command="sleep 4; echo done", wait_for_completion=False)
    assert slow.exit_code is None
    job = impatient.sessions.verify.start(session.session_id)
    assert job.status == "completed" and job.result.is_success is False, job.error
    impatient.sessions.close(session.session_id)
