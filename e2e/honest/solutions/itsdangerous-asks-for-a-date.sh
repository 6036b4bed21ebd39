#!/usr/bin/env bash
# SOLUTION: a timestamp that is no date is none, whatever the signature is.
# VERIFIES: a solution in other words, that lets no OverflowError out, is one.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
python3 - <<'PY'
import pathlib

path = pathlib.Path("src/itsdangerous/timed.py")
text = path.read_text()
old = "                ts_dt = self.timestamp_to_datetime(ts_int)\n\n            raise BadTimeSignature("
new = '''                try:
                    ts_dt = self.timestamp_to_datetime(ts_int)
                except (ArithmeticError, OSError, ValueError):
                    sig_error = "Malformed timestamp: no date"  # type: ignore

            raise BadTimeSignature('''
assert text.count(old) == 1
path.write_text(text.replace(old, new))
PY
