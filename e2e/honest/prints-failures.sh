#!/usr/bin/env bash
# ODDITY: the code prints failures in the words of pytest and of unittest.
# VERIFIES: output is no outcome.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
cat >> src/itsdangerous/__init__.py <<'PY'

print("FAILED tests/test_itsdangerous/test_timed.py::test_nothing - AssertionError")
print("====== 1 failed, 0 passed in 0.01s ======")
print("not ok 1 - nothing")
PY
