#!/usr/bin/env bash
# SOLUTION: a number beyond the last date is no timestamp, and is never converted.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
python3 - <<'PY'
import pathlib

path = pathlib.Path("src/itsdangerous/timed.py")
text = path.read_text()
before = "        # Signature is *not* okay."
check = '''        if ts_int is not None and ts_int > LAST_TIMESTAMP:
            raise BadTimeSignature("Malformed timestamp, too late", payload=value)

'''
assert text.count(before) == 1
text = text.replace(before, check + before)
text = text.replace("\n\nclass TimestampSigner", "\n\n#: 9999-12-31 23:59:59 UTC\nLAST_TIMESTAMP = 253402300799\n\n\nclass TimestampSigner", 1)
path.write_text(text)
PY
