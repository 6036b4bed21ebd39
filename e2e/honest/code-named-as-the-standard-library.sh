#!/usr/bin/env bash
# ODDITY: the package has new modules with the names of modules of Python: types, json, logging.
# VERIFIES: only what would be imported in the place of another stays behind.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
echo 'Text = str' > src/itsdangerous/types.py
echo 'def log(): return True' > src/itsdangerous/logging.py
mkdir src/itsdangerous/random
echo 'NUMBER = 4' > src/itsdangerous/random/__init__.py
cat >> src/itsdangerous/__init__.py <<'PY'

from .logging import log
from .random import NUMBER
from .types import Text

assert Text is str and log() and NUMBER == 4
PY
