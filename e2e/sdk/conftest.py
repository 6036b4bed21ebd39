"""A server with the starter dataset, for all tests of this folder."""

import json
import os
import signal
import subprocess

import pytest
from codeset import AsyncCodeset, Codeset

ASSAY = os.environ["ASSAY_BIN"]
STARTER = os.environ["ASSAY_STARTER"]
LISTENING = "assay is listening on "


def assay(*args):
    """Runs a verb of the command line and returns its standard output."""
    return subprocess.run([ASSAY, *args], check=True, stdout=subprocess.PIPE, text=True).stdout


def new_user(name):
    out = assay("user", "create", "--name", name, "--email", f"{name}@assay.invalid", "--json")
    return json.loads(out)["key"]


@pytest.fixture(scope="session")
def base_url(tmp_path_factory):
    assay("image", "load", os.path.join(STARTER, "images"))
    assay("dataset", "import", os.path.join(STARTER, "dataset"))
    log = tmp_path_factory.mktemp("server") / "log"
    with open(log, "w") as stderr:
        server = subprocess.Popen(
            [ASSAY, "serve", "--listen", "127.0.0.1:0", "--destroy-on-exit"],
            stdout=subprocess.PIPE, stderr=stderr, text=True,
        )
    try:
        for line in server.stdout:
            if line.startswith(LISTENING):
                break
        else:
            pytest.fail("the server ended at once:\n" + log.read_text())
        yield line.removeprefix(LISTENING).strip() + "/api/v1"
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=90)
        server.stdout.close()
    assert code == 0, log.read_text()


@pytest.fixture(scope="session")
def key(base_url):
    return new_user("sdk")


@pytest.fixture
def client(base_url, key):
    with Codeset(base_url=base_url, api_key=key, _strict_response_validation=True) as c:
        yield c


@pytest.fixture
def other(base_url):
    """Somebody else."""
    with Codeset(base_url=base_url, api_key=new_user("other")) as c:
        yield c


@pytest.fixture
def new_async_client(base_url, key):
    return lambda: AsyncCodeset(base_url=base_url, api_key=key, _strict_response_validation=True)


@pytest.fixture(scope="session")
def sample(base_url, key):
    """A Go sample with its whole row."""
    with Codeset(base_url=base_url, api_key=key) as c:
        found = c.samples.list(dataset="starter", search="Masterminds__semver").samples
    assert len(found) == 1
    return found[0]


@pytest.fixture
def session(client, sample):
    s = client.sessions.create(dataset="starter", sample_id=sample.sample_id)
    yield s
    client.sessions.close(s.session_id)
