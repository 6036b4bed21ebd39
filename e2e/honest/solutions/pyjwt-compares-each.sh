#!/usr/bin/env bash
# SOLUTION: an issuer that is neither text nor a container refuses every token, where the reference raises TypeError.
# VERIFIES: who keeps to the issue where the reference does not is solved.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
cat >> jwt/utils.py <<'PY'


def is_one_of(claim: object, allowed: object) -> bool:
    """Tells whether a claim is what is allowed, or one of those that are."""
    if not isinstance(claim, str):
        return False
    if isinstance(allowed, str):
        return claim == allowed
    try:
        return any(one == claim for one in allowed)  # type: ignore[attr-defined]
    except TypeError:
        return False
PY
python3 - <<'PY'
import pathlib

path = pathlib.Path("jwt/api_jwt.py")
lines = path.read_text().splitlines()
at = next(i for i, line in enumerate(lines) if "isinstance(issuer, Sequence)" in line)
end = next(i for i, line in enumerate(lines) if line.startswith("_jwt_global_obj"))
lines[at:end] = ['        if not is_one_of(payload["iss"], issuer):', '            raise InvalidIssuerError("Invalid issuer")', "", ""]
at = next(i for i, line in enumerate(lines) if line.startswith("from .warnings import"))
lines.insert(at, "from .utils import is_one_of")
path.write_text("\n".join(lines) + "\n")
PY
