"""A server with the starter dataset, for all tests of this folder."""

import json

import harness
import pytest
from codeset import AsyncCodeset, Codeset


@pytest.fixture(scope="session")
def program():
    return harness.Program.kept()


@pytest.fixture(scope="session")
def base_url(program, tmp_path_factory):
    with program.serving(tmp_path_factory.mktemp("server") / "log") as url:
        yield url


@pytest.fixture(scope="session")
def key(program, base_url):
    return program.new_user("sdk")["key"]


@pytest.fixture
def client(base_url, key):
    with Codeset(base_url=base_url, api_key=key, _strict_response_validation=True) as c:
        yield c


@pytest.fixture
def other(program, base_url):
    """Somebody else."""
    with Codeset(base_url=base_url, api_key=program.new_user("other")["key"]) as c:
        yield c


@pytest.fixture
def new_async_client(base_url, key):
    return lambda **options: AsyncCodeset(base_url=base_url, api_key=key, _strict_response_validation=True, **options)


# SAMPLES are one of each language, whose suites take seconds.
SAMPLES = {
    "go": "Masterminds__semver-3.3.1",
    "python": "pallets__itsdangerous-2.1.1",
    "javascript": "hughsk__flat-5.0.1",
}


@pytest.fixture(scope="session")
def rows():
    """The samples of the starter dataset as they were built, by language."""
    found = {}
    with open(harness.STARTER / "dataset" / "samples.jsonl") as lines:
        for row in map(json.loads, lines):
            if SAMPLES[row["language"]] == row["instance_id"]:
                found[row["language"]] = row
    return found


@pytest.fixture(scope="session")
def sample(base_url, key):
    """A Go sample as the API tells it."""
    with Codeset(base_url=base_url, api_key=key) as c:
        found = c.samples.list(dataset="starter", search="Masterminds__semver").samples
    assert len(found) == 1
    return found[0]


@pytest.fixture
def session(client, sample):
    s = client.sessions.create(dataset="starter", sample_id=sample.sample_id)
    yield s
    client.sessions.close(s.session_id)
