"""What Schemathesis cannot guess, put into requests that fit the document: the code of a
login at GitHub, a token that a login gave, a signed link. And what it must not do: revoke
the key with which it works."""

import functools
import os
import urllib.parse

import requests
import schemathesis

API = os.environ["ASSAY_API"]
WITH_GITHUB = "ASSAY_GITHUB_BASE_URL" in os.environ


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if isinstance(body, dict) and body.get("key_id") == os.environ["ASSAY_KEY_ID"]:
        case.body = {**body, "key_id": "key_of_nobody"}
    if case.meta is None or any(c.mode.is_negative for c in case.meta.components.values()):
        return
    match context.operation.definition.raw["operationId"]:
        case "github-login" if WITH_GITHUB:
            case.body, case.cookies = begin_login()
        case "refresh-token" if WITH_GITHUB:
            case.body = {"refresh_token": refresh_token()}
        case "fetch-download":
            case.path_parameters, case.query = link()


def begin_login():
    """Goes to GitHub and back: the body of a login, and the cookie of its browser."""
    browser = requests.Session()
    there = browser.get(API + "/auth/github/login", allow_redirects=False).headers["Location"]
    back = browser.get(there + "&login=octocat", allow_redirects=False).headers["Location"]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
    return {"code": query["code"], "state": query["state"]}, browser.cookies.get_dict()


@functools.cache
def refresh_token():
    body, cookies = begin_login()
    answer = requests.post(API + "/auth/github", json=body, cookies=cookies)
    answer.raise_for_status()
    return answer.json()["refresh_token"]


@functools.cache
def link():
    """The path parameters and the query of a link to a sample."""
    headers = {"Authorization": "Bearer " + os.environ["ASSAY_KEY"], "Accept": "application/json"}
    samples = requests.get(API + "/samples?page_size=1").json()["samples"]
    path = f"/samples/{samples[0]['dataset']}/{samples[0]['sample_id']}/download"
    answer = requests.get(API + path, headers=headers)
    answer.raise_for_status()
    url = urllib.parse.urlsplit(answer.json()["download_url"])
    dataset, sample, version = url.path.split("/")[-3:]
    return {"dataset": dataset, "sample_id": sample, "version": int(version)}, dict(urllib.parse.parse_qsl(url.query))
