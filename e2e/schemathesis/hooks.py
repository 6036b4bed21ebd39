"""What Schemathesis must not do: revoke the key with which it works."""

import os

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict) and case.body.get("key_id") == os.environ["ASSAY_KEY_ID"]:
        case.body = {**case.body, "key_id": "key_of_nobody"}
