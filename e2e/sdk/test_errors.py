"""Refusals arrive as the SDK's exceptions, with the code that docs/errors.md explains."""

import asyncio
import time

import codeset
import harness
import pytest


def refused(kind, code):
    """A context in which the SDK must raise kind, of an answer with code."""
    return pytest.raises(kind, check=lambda e: type(e) is kind and e.body["detail"]["code"] == code)


def test_errors_are_typed(base_url, client, other, session, sample):
    with codeset.Codeset(base_url=base_url, api_key="wrong") as stranger:
        with refused(codeset.AuthenticationError, "unauthenticated"):
            stranger.sessions.list()
    with refused(codeset.NotFoundError, "sample_not_found"):
        client.sessions.create(dataset="starter", sample_id="absent")
    with refused(codeset.NotFoundError, "dataset_not_found"):
        client.sessions.create(dataset="absent", sample_id=sample.sample_id)
    with refused(codeset.NotFoundError, "interaction_not_found"):
        client.sessions.get_interaction(session.session_id, "int_absent")
    with refused(codeset.NotFoundError, "job_not_found"):
        client.sessions.verify.status("ver_absent", session_id=session.session_id)
    with pytest.raises(codeset.UnprocessableEntityError) as unfit:
        client.sessions.create(dataset="starter", sample_id=sample.sample_id, ttl_minutes=-1)
    assert unfit.value.body["detail"][0]["loc"] == ["body", "ttl_minutes"]


def test_somebody_elses_session_does_not_exist(other, session):
    sid = session.session_id
    for attempt in (
        lambda: other.sessions.retrieve(sid),
        lambda: other.sessions.close(sid),
        lambda: other.sessions.execute_command(sid, command="true"),
        lambda: other.sessions.str_replace(sid, file_path="a", str_to_replace="b", str_to_insert="c"),
        lambda: other.sessions.verify.start(sid),
    ):
        with refused(codeset.NotFoundError, "session_not_found"):
            attempt()
    assert sid not in {s.session_id for s in other.sessions.list().sessions}


def test_conflicts_are_not_tried_again(client, sample):
    closed = client.sessions.create(dataset="starter", sample_id=sample.sample_id)
    client.sessions.close(closed.session_id)
    began = time.monotonic()
    with refused(codeset.ConflictError, "session_ended") as conflict:
        client.with_options(max_retries=5).sessions.execute_command(closed.session_id, command="true")
    assert conflict.value.response.headers["x-should-retry"] == "false"
    assert conflict.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert time.monotonic() - began < 3


def test_errors_are_typed_for_the_async_client(base_url, new_async_client, sample):
    async def fail():
        async with codeset.AsyncCodeset(base_url=base_url, api_key="wrong") as stranger:
            with refused(codeset.AuthenticationError, "unauthenticated"):
                await stranger.sessions.list()
        async with new_async_client() as client:
            with refused(codeset.NotFoundError, "session_not_found"):
                await client.sessions.retrieve("ses_absent")
            with pytest.raises(codeset.UnprocessableEntityError):
                await client.sessions.create(dataset="starter", sample_id=sample.sample_id, ttl_minutes=-1)
            closed = await client.sessions.create(dataset="starter", sample_id=sample.sample_id)
            await client.sessions.close(closed.session_id)
            with refused(codeset.ConflictError, "session_ended"):
                await client.sessions.execute_command(closed.session_id, command="true")

    asyncio.run(fail())


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A program whose server takes money, and one session of a user at a time."""
    return harness.Program.new(tmp_path_factory.mktemp("strict"))


@pytest.fixture(scope="module")
def strict_url(strict, tmp_path_factory):
    log = tmp_path_factory.mktemp("server") / "log"
    with strict.serving(log, "--billing=on", "--cost-per-minute-cents=5", "--max-sessions-per-user=1") as url:
        yield url


def test_who_has_no_money_is_told_so(strict, strict_url, sample):
    with codeset.Codeset(base_url=strict_url, api_key=strict.new_user("poor", cents=4)["key"]) as poor:
        with refused(codeset.APIStatusError, "insufficient_balance") as error:
            poor.sessions.create(dataset="starter", sample_id=sample.sample_id)
        assert error.value.status_code == 402
        assert poor.sessions.list().sessions == []


def test_who_has_too_many_sessions_is_told_when_to_try_again(strict, strict_url, sample):
    with codeset.Codeset(base_url=strict_url, api_key=strict.new_user("rich", cents=500)["key"], max_retries=0) as rich:
        first = rich.sessions.create(dataset="starter", sample_id=sample.sample_id)
        with refused(codeset.RateLimitError, "too_many_sessions") as error:
            rich.sessions.create(dataset="starter", sample_id=sample.sample_id)
        assert int(error.value.response.headers["retry-after"]) > 0
        assert error.value.response.headers["x-ratelimit-limit"] == "1"
        rich.sessions.close(first.session_id)
        second = rich.sessions.create(dataset="starter", sample_id=sample.sample_id)
        assert second.status == "ready"
        rich.sessions.close(second.session_id)


def test_the_sdk_rides_over_a_rate_limit(tmp_path):
    program = harness.Program.new(tmp_path)
    user = program.new_user("hasty")
    with program.serving(tmp_path / "log", "--rate-limit-per-key=3") as url:
        with codeset.Codeset(base_url=url, api_key=user["key"], max_retries=0) as hasty:
            with refused(codeset.RateLimitError, "rate_limited"):
                for _ in range(500):
                    hasty.sessions.list()
            assert hasty.with_options(max_retries=5).sessions.list().sessions == []
