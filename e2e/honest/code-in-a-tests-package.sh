#!/usr/bin/env bash
# ODDITY: the code needs a package in it that is called tests, and a module called test_vectors.
# VERIFIES: a new file that only looks like a test travels.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
mkdir -p jwt/tests
touch jwt/tests/__init__.py
echo 'READY = True' > jwt/tests/ready.py
echo 'VECTORS = [1, 2, 3]' > jwt/test_vectors.py
cat >> jwt/__init__.py <<'PY'

from .test_vectors import VECTORS
from .tests.ready import READY

assert READY and len(VECTORS) == 3
PY
