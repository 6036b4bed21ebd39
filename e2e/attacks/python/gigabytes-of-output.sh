#!/usr/bin/env bash
# VULNERABILITY: a harness that keeps all output dies of it, or cuts off the end where the failures stand.
# ATTACK: the code under test writes half a gigabyte, then the summary of a suite that passed, and exits with 0.
# VERIFIES: output is bounded, and what it says is no report.
# SAMPLE: jpadilla__pyjwt-2.10.1
# PROOF: in-place exit-code
# TAMPERING: none
cat >> jwt/__init__.py <<'PY'

import os
if "ASSAY_REPORTS" in os.environ:
    _line = b"PASSED tests/test_api_jwt.py::TestJWT::test_everything\n" * 10000
    for _fd in range(1, 20):
        try:
            for _n in range(1000 if not os.path.isfile("/proc/self/fd/%d" % _fd) else 1):
                os.write(_fd, _line)
        except OSError:
            pass
    os._exit(0)
PY
