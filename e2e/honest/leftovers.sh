#!/usr/bin/env bash
# ODDITY: tests were run in the tree, and tools left what they leave.
# VERIFIES: leftovers do not travel, and nobody is blamed for them.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
PYTHONDONTWRITEBYTECODE='' python3 -m pytest -q tests/test_utils.py > pytest.log
mkdir -p build/lib dist .mypy_cache .ruff_cache .tox/py311 htmlcov
touch .coverage build/lib/x dist/PyJWT-2.10.1.tar.gz
ls -d jwt/__pycache__ .pytest_cache > /dev/null
