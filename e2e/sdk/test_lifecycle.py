"""The whole life of a session on a real task, as a user of the SDK sees it."""

import asyncio
import base64
import io
import json
import tarfile
import time

import codeset
import pytest


def apply(client, session, patch):
    encoded = base64.b64encode(patch.encode()).decode()
    done = client.sessions.execute_command(session.session_id, command=f"echo {encoded} | base64 -d | git apply")
    assert done.exit_code == 0, done.stderr


def test_health_needs_no_key(base_url):
    with codeset.Codeset(base_url=base_url, api_key="none") as c:
        assert c.health.check().status == "healthy"


def test_datasets_and_samples(client):
    [starter] = [d for d in client.datasets.list() if d.name == "starter"]
    assert starter.sample_count >= 12
    everything = client.samples.list(dataset="starter")
    assert everything.total_count == len(everything.samples) == starter.sample_count
    page = client.samples.list(dataset="starter", page=1, page_size=5)
    assert len(page.samples) == 5 and page.has_more
    assert {s.language for s in everything.samples} >= {"go", "python", "javascript"}


def test_whole_life(client, sample):
    session = client.sessions.create(dataset="starter", sample_id=sample.sample_id, ttl_minutes=20)
    assert session.status == "ready"
    assert session.container_info.sample_id == sample.sample_id

    look = client.sessions.execute_command(session.session_id, command="git log --oneline | wc -l; echo hint >&2; exit 3")
    assert (look.exit_code, look.stdout.strip(), look.stderr) == (3, "1", "hint\n")

    before = client.sessions.verify.start(session.session_id)
    assert before.status == "completed", before.error
    assert before.result.is_success is False
    assert before.result.failed > 0
    failed = {f["name"] for f in before.result.failures}
    assert set(sample.fail_to_pass) & failed

    apply(client, session, sample.patch)
    after = client.sessions.verify.start(session.session_id)
    assert after.status == "completed", after.error
    assert after.result.is_success is True
    assert set(sample.fail_to_pass) <= {p["name"] for p in after.result.passes}
    assert after.result.total == after.result.passed + after.result.failed + after.result.skipped

    assert session.session_id in {s.session_id for s in client.sessions.list().sessions}
    closed = client.sessions.close(session.session_id)
    assert closed.duration_seconds > 0
    assert client.sessions.retrieve(session.session_id).status == "closed"
    assert client.sessions.close(session.session_id).duration_seconds == pytest.approx(closed.duration_seconds)


def test_async_client(new_async_client, sample):
    async def life():
        async with new_async_client() as client:
            session = await client.sessions.create(dataset="starter", sample_id=sample.sample_id)
            commands = [client.sessions.execute_command(session.session_id, command=f"echo {i}") for i in range(8)]
            done = await asyncio.gather(*commands)
            await client.sessions.close(session.session_id)
            return [d.stdout for d in done]

    assert asyncio.run(life()) == [f"{i}\n" for i in range(8)]


def test_nobody_waits_for_a_poll(client, session):
    began = time.monotonic()
    done = client.sessions.execute_command(session.session_id, command="sleep 0.3; echo done")
    assert done.stdout == "done\n"
    assert time.monotonic() - began < 3, "the SDK slept its poll interval of 3 s"


def test_str_replace(client, session):
    client.sessions.execute_command(session.session_id, command=r"printf 'one\ntwo\ntwo\n' > notes.txt")

    def replace(old):
        return client.sessions.str_replace(session.session_id, file_path="notes.txt", str_to_replace=old, str_to_insert="1")

    assert replace("one").success
    twice = replace("two")
    assert not twice.success and "2" in twice.message and "3" in twice.message
    assert not replace("three").success
    assert client.sessions.execute_command(session.session_id, command="cat notes.txt").stdout == "1\ntwo\ntwo\n"


def test_timeout_keeps_the_output_so_far(client, session):
    done = client.sessions.execute_command(session.session_id, command="echo before; sleep 60", command_timeout=1)
    assert done.exit_code == 124
    assert done.stdout == "before\n"
    assert "timeout" in done.message


def test_background_process_does_not_hold_the_answer(client, session):
    began = time.monotonic()
    client.sessions.execute_command(session.session_id, command="sleep 50 & echo $! > pid")
    assert time.monotonic() - began < 3
    assert client.sessions.execute_command(session.session_id, command="kill -0 $(cat pid)").exit_code == 0


def test_errors_are_typed(base_url, client, other, session, sample):
    with codeset.Codeset(base_url=base_url, api_key="wrong") as stranger:
        with pytest.raises(codeset.AuthenticationError):
            stranger.sessions.list()
    with pytest.raises(codeset.NotFoundError):
        client.sessions.create(dataset="starter", sample_id="absent")
    with pytest.raises(codeset.UnprocessableEntityError):
        client.sessions.create(dataset="starter", sample_id=sample.sample_id, ttl_minutes=-1)
    for somebody_elses in (other.sessions.retrieve, other.sessions.close):
        with pytest.raises(codeset.NotFoundError):
            somebody_elses(session.session_id)
    assert session.session_id not in {s.session_id for s in other.sessions.list().sessions}
    closed = client.sessions.create(dataset="starter", sample_id=sample.sample_id)
    client.sessions.close(closed.session_id)
    with pytest.raises(codeset.ConflictError):
        client.sessions.execute_command(closed.session_id, command="true")


def test_download(client, sample):
    link = client.samples.with_raw_response.download(sample.sample_id, dataset="starter").json()
    assert link["sample_id"] == sample.sample_id and link["download_url"]
    raw = client.samples.with_raw_response.download(
        sample.sample_id, dataset="starter", extra_headers={"Accept": "application/gzip"})
    with tarfile.open(fileobj=io.BytesIO(raw.read())) as bundle:
        names = bundle.getnames()
        [row] = [n for n in names if n.endswith("sample.json")]
        assert json.load(bundle.extractfile(row))["instance_id"] == sample.instance_id
    assert any(n.endswith("go.mod") for n in names)
