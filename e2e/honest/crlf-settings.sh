#!/usr/bin/env bash
# ODDITY: settings of tools were saved with the line endings of Windows.
# VERIFIES: line endings are the agent's business.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
for file in setup.cfg tox.ini pyproject.toml setup.py MANIFEST.in tests/conftest.py conftest.py; do
  [ ! -e "$file" ] || sed -i 's/$/\r/' "$file"
done
