"""The served document is true: Schemathesis makes requests from it, good and bad ones,
and no answer may be one that it does not tell of."""

import os
import pathlib
import subprocess
import sys

import harness

HERE = pathlib.Path(__file__).parent
SEED = os.environ.get("SEED", "1")
SERVER = (
    "--rate-limit-per-key=-1", "--rate-limit-per-address=-1", "--rate-limit-auth-per-minute=-1",
    "--max-sessions=4", "--max-ttl-minutes=30",
)


def hold_against(base_url, user, folder, *args, env=None):
    """Runs Schemathesis in a folder, with the key of a user."""
    env = {
        **os.environ, **(env or {}), "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
        "ASSAY_API": base_url, "ASSAY_KEY": user["key"], "ASSAY_KEY_ID": user["key_id"],
    }
    done = subprocess.run(
        [
            pathlib.Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml",
            "run", base_url + "/openapi.json", "--seed", SEED, "--no-color", *args,
        ],
        env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900,
    )
    print(done.stdout)
    assert done.returncode == 0


def test_a_server_with_all_that_there_is(tmp_path):
    program = harness.Program.new(tmp_path)
    user = program.new_user("everything", cents=100_000)
    with harness.fakes() as env, program.serving(tmp_path / "log", *SERVER, "--billing=on", env=env) as url:
        hold_against(url, user, tmp_path, env=env)


def test_a_server_without_login_and_payments(tmp_path):
    """It answers 503, as documented. One of 500 would stand in its log."""
    program = harness.Program.new(tmp_path)
    user = program.new_user("nothing")
    with program.serving(tmp_path / "log", *SERVER) as url:
        hold_against(
            url, user, tmp_path, "--include-tag=Login", "--include-tag=Billing",
            "--phases=examples,coverage", "--exclude-checks=not_a_server_error",
        )
