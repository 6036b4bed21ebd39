"""The built program as its operator runs it, for tests in Python: a data directory, a
process, a URL. ASSAY_BIN names the directory of the built binaries, ASSAY_STARTER the
built starter dataset, and ASSAY_DATA_DIR a data directory that is kept: the images that
it holds are unpacked once, and all others share them."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

BIN = pathlib.Path(os.environ["ASSAY_BIN"])
STARTER = pathlib.Path(os.environ["ASSAY_STARTER"])
KEPT = pathlib.Path(os.environ["ASSAY_DATA_DIR"])
LISTENING = "assay is listening on "


class Program:
    """The program with a data directory, in which the starter dataset is."""

    def __init__(self, data: pathlib.Path):
        self.data = data

    @classmethod
    def kept(cls):
        program = cls(KEPT)
        program.run("image", "load", STARTER / "images")
        program.run("dataset", "import", STARTER / "dataset")
        return program

    @classmethod
    def new(cls, folder: pathlib.Path):
        """A program that knows nobody yet."""
        cls.kept()
        data = folder / "data"
        data.mkdir(mode=0o700)
        (data / "images").symlink_to(KEPT / "images")
        program = cls(data)
        program.run("dataset", "import", STARTER / "dataset")
        return program

    def env(self, **more):
        return {**os.environ, "ASSAY_DATA_DIR": str(self.data), **more}

    def run(self, *args):
        """Runs a verb of the command line and returns its standard output."""
        command = [BIN / "assay", *map(str, args)]
        return subprocess.run(command, env=self.env(), check=True, stdout=subprocess.PIPE, text=True).stdout

    def new_user(self, name, cents=0):
        """A user with a key and a balance: {"user_id", "key", ...}."""
        user = json.loads(self.run("user", "create", "--name", name, "--email", f"{name}@assay.invalid", "--json"))
        if cents:
            self.run("user", "credit", user["user_id"], cents, "--reason", "for the test")
        return user

    @contextlib.contextmanager
    def serving(self, log: pathlib.Path, *flags, env=None):
        """A server, from its first answer to its orderly end: yields the base URL of its API."""
        with open(log, "w") as stderr:
            server = subprocess.Popen(
                [BIN / "assay", "serve", "--listen", "127.0.0.1:0", "--destroy-on-exit", *flags],
                env=self.env(**(env or {})), stdout=subprocess.PIPE, stderr=stderr, text=True,
            )
        try:
            for line in server.stdout:
                if line.startswith(LISTENING):
                    break
            else:
                raise RuntimeError("the server ended at once:\n" + log.read_text())
            yield line.removeprefix(LISTENING).strip() + "/api/v1"
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=120)
            server.stdout.close()
        assert code == 0, log.read_text()
        assert not (faults := faults_of(log)), "\n".join(faults)


def faults_of(log: pathlib.Path):
    """What a server's log says about faults of the program itself."""
    return [line for line in log.read_text().splitlines() if re.search(r"msg=panic|status=500\b|DATA RACE", line)]


@contextlib.contextmanager
def fakes():
    """A GitHub and a Stripe: yields the environment of a server that is to use them."""
    process = subprocess.Popen([BIN / "assay-fakes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        code = process.wait(timeout=30)
        process.stdout.close()
    assert code == 0
