"""The whole life of a session on real tasks, as a user of the SDK sees it."""

import asyncio
import base64
import io
import json
import tarfile
import time

import codeset
import httpx
import pytest
from codeset import Codeset
from conftest import SAMPLES


def fix(patch):
    """The command with which an agent would solve a task."""
    return f"echo {base64.b64encode(patch.encode()).decode()} | base64 -d | git apply"


def is_unsolved(job, row):
    assert job.status == "completed", job.error
    assert job.result.is_success is False
    assert job.result.failed > 0
    assert set(row["FAIL_TO_PASS"]) & {f["name"] for f in job.result.failures}


def is_solved(job, row):
    assert job.status == "completed", job.error
    assert job.result.is_success is True
    assert set(row["FAIL_TO_PASS"]) <= {p["name"] for p in job.result.passes}
    assert job.result.total == job.result.passed + job.result.failed + job.result.skipped


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


def test_answers_are_for_whom_the_dataset_opens_them(program, base_url, client):
    """Of the same sample, by the setting of its dataset: with a key, and without one."""
    query = {"dataset": "starter", "search": SAMPLES["go"]}

    def seen(answers):
        program.run("dataset", "set", "starter", "--answers", answers)
        [mine] = client.samples.list(**query).samples
        [theirs] = httpx.get(base_url + "/samples", params=query).raise_for_status().json()["samples"]
        return bool(mine.patch and mine.fail_to_pass), bool(theirs["patch"] or theirs["fail_to_pass"])

    try:
        assert seen("public") == (True, True)
        assert seen("users") == (True, False)
    finally:
        assert seen("operators") == (False, False)
    with Codeset(base_url=base_url, api_key="wrong") as stranger, pytest.raises(codeset.AuthenticationError):
        stranger.samples.list(**query)


@pytest.mark.parametrize("language", SAMPLES)
def test_whole_life(client, rows, language):
    row = rows[language]
    [sample] = client.samples.list(dataset="starter", search=SAMPLES[language]).samples
    assert sample.language == language
    assert (sample.patch, sample.test_patch, sample.fail_to_pass, sample.pass_to_pass) == ("", "", [], []), "for operators alone"
    session = client.sessions.create(dataset="starter", sample_id=sample.sample_id, ttl_minutes=20)
    assert session.status == "ready"
    assert session.container_info.sample_id == sample.sample_id

    look = client.sessions.execute_command(session.session_id, command="git log --oneline | wc -l; echo hint >&2; exit 3")
    assert (look.exit_code, look.stdout.strip(), look.stderr) == (3, "1", "hint\n")
    is_unsolved(client.sessions.verify.start(session.session_id), row)
    done = client.sessions.execute_command(session.session_id, command=fix(row["patch"]))
    assert done.exit_code == 0, done.stderr
    is_solved(client.sessions.verify.start(session.session_id), row)

    assert session.session_id in {s.session_id for s in client.sessions.list().sessions}
    closed = client.sessions.close(session.session_id)
    assert closed.duration_seconds > 0
    assert client.sessions.retrieve(session.session_id).status == "closed"
    assert client.sessions.close(session.session_id).duration_seconds == pytest.approx(closed.duration_seconds)


def test_whole_life_async(new_async_client, rows):
    async def life():
        async with new_async_client() as client:
            assert (await client.health.check()).status == "healthy"
            assert "starter" in {d.name for d in await client.datasets.list()}
            [sample] = (await client.samples.list(dataset="starter", search=SAMPLES["python"])).samples
            session = await client.sessions.create(dataset="starter", sample_id=sample.sample_id)
            assert session.status == "ready"
            sid = session.session_id

            commands = [client.sessions.execute_command(sid, command=f"echo {i}") for i in range(8)]
            assert [d.stdout for d in await asyncio.gather(*commands)] == [f"{i}\n" for i in range(8)]
            edit = await client.sessions.str_replace(sid, file_path="absent", str_to_replace="a", str_to_insert="b")
            assert edit.success is False and edit.message
            is_unsolved(await client.sessions.verify.start(sid), rows["python"])
            done = await client.sessions.execute_command(sid, command=fix(rows["python"]["patch"]))
            assert done.exit_code == 0, done.stderr
            is_solved(await client.sessions.verify.start(sid), rows["python"])

            assert sid in {s.session_id for s in (await client.sessions.list()).sessions}
            assert (await client.sessions.close(sid)).duration_seconds > 0
            assert (await client.sessions.retrieve(sid)).status == "closed"

    asyncio.run(life())


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
