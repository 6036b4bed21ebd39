#!/usr/bin/env bash
# SOLUTION: one issuer is a list of one.
# VERIFIES: a solution in other words is one.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
python3 - <<'PY'
import pathlib
import re

path = pathlib.Path("jwt/api_jwt.py")
text = path.read_text()
head, tail = text.split('raise MissingRequiredClaimError("iss")\n')
body = '''
        issuers = [issuer] if isinstance(issuer, (str, bytes)) else issuer
        if payload["iss"] not in issuers:
            raise InvalidIssuerError(f"Invalid issuer: {payload['iss']!r}")
'''
tail = re.sub(r".*?(?=\n\n\n_jwt_global_obj)", lambda _: body.rstrip(), tail, count=1, flags=re.S)
path.write_text(head + 'raise MissingRequiredClaimError("iss")\n' + tail)
PY
