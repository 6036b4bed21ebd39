"""The served OpenAPI document against the SDK's types: what the SDK reads, the document
promises, with the same types; what the document asks for, the SDK sends."""

import datetime
import importlib
import inspect
import pkgutil
import types
import typing

import codeset.types
import httpx
import pytest
import typing_extensions
from codeset._models import BaseModel
from codeset.types import (
    Interaction, Session, dataset_list_response, health_check_response, sample_list_response, session_close_response,
    session_create_response, session_execute_command_response, session_list_response, session_str_replace_response,
)
from codeset.types import (
    sample_download_params, sample_list_params, session_create_params, session_execute_command_params,
    session_str_replace_params,
)
from codeset.types.sessions import verify_start_response, verify_status_response

SESSION = "/sessions/{session_id}"

# ANSWERS are what the SDK reads: every model of it stands here, or within one that does.
ANSWERS = {
    ("get", "/health", "200"): health_check_response.HealthCheckResponse,
    ("get", "/datasets", "200"): dataset_list_response.DatasetListResponse,
    ("get", "/samples", "200"): sample_list_response.SampleListResponse,
    ("post", "/sessions", "201"): session_create_response.SessionCreateResponse,
    ("get", "/sessions", "200"): session_list_response.SessionListResponse,
    ("get", SESSION, "200"): Session,
    ("delete", SESSION, "200"): session_close_response.SessionCloseResponse,
    ("post", SESSION + "/exec", "202"): session_execute_command_response.SessionExecuteCommandResponse,
    ("get", SESSION + "/interactions/{interaction_id}", "200"): Interaction,
    ("post", SESSION + "/str_replace", "200"): session_str_replace_response.SessionStrReplaceResponse,
    ("post", SESSION + "/verify", "202"): verify_start_response.VerifyStartResponse,
    ("get", SESSION + "/verify/{job_id}", "200"): verify_status_response.VerifyStatusResponse,
}

# REQUESTS are what the SDK sends: every set of parameters of it stands here.
REQUESTS = {
    ("get", "/samples"): sample_list_params.SampleListParams,
    ("get", "/samples/{dataset}/{sample_id}/download"): sample_download_params.SampleDownloadParams,
    ("post", "/sessions"): session_create_params.SessionCreateParams,
    ("post", SESSION + "/exec"): session_execute_command_params.SessionExecuteCommandParams,
    ("post", SESSION + "/str_replace"): session_str_replace_params.SessionStrReplaceParams,
}

# PRIMITIVES are the types of OpenAPI that the SDK reads as a type of Python.
PRIMITIVES = {str: {"string"}, bool: {"boolean"}, int: {"integer"}, float: {"number", "integer"}}


class Document:
    def __init__(self, content):
        self.content = content
        self.met = set()  # models of the SDK

    def operation(self, method, path):
        return self.content["paths"][path][method]

    def resolve(self, schema):
        while "$ref" in schema:
            node = self.content
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def alternatives(self, schema):
        """The non-null schemas that a value may have, and whether it may be null."""
        schema = self.resolve(schema)
        if options := schema.get("anyOf") or schema.get("oneOf"):
            found = [self.alternatives(option) for option in options]
            return [s for some, _ in found for s in some], any(null for _, null in found)
        kinds = schema.get("type", [])
        kinds = set(kinds if isinstance(kinds, list) else [kinds])
        return ([schema] if kinds != {"null"} else []), "null" in kinds

    def misfits(self, at, annotation, schema):
        """How what the schema allows is not what the SDK's annotation says."""
        optional, annotation = unwrap(annotation)
        schemas, null = self.alternatives(schema)
        if null and not optional and annotation is not object:
            yield f"{at}: may be null"
        for s in schemas:
            yield from self.type_misfits(at, annotation, s)

    def type_misfits(self, at, annotation, schema):
        kinds = schema.get("type")
        kinds = set(kinds if isinstance(kinds, list) else [kinds]) - {"null"}
        if annotation is object:
            return
        if typing.get_origin(annotation) is typing.Literal:
            if not set(schema.get("enum", ["anything"])) - {None} <= set(typing.get_args(annotation)):
                yield f"{at}: {schema.get('enum')} is not within {typing.get_args(annotation)}"
        elif typing.get_origin(annotation) is list:
            if kinds != {"array"}:
                yield f"{at}: {kinds} is no array"
            else:
                yield from self.misfits(at + "[]", typing.get_args(annotation)[0], schema["items"])
        elif annotation is datetime.datetime:
            if (kinds, schema.get("format")) != ({"string"}, "date-time"):
                yield f"{at}: {kinds} {schema.get('format')} is no date-time"
        elif annotation in PRIMITIVES:
            if not kinds <= PRIMITIVES[annotation]:
                yield f"{at}: {kinds} is not {annotation.__name__}"
        elif issubclass(annotation, BaseModel):
            yield from self.model_misfits(at, annotation, schema, kinds)
        else:
            yield f"{at}: this test does not know {annotation}"

    def model_misfits(self, at, model, schema, kinds):
        self.met.add(model)
        if kinds != {"object"}:
            yield f"{at}: {kinds} is no object"
            return
        for name, field in model.model_fields.items():
            here = f"{at}.{name}"
            if name not in schema["properties"]:
                yield f"{here}: is not in the document"
                continue
            if field.is_required() and name not in schema.get("required", []):
                yield f"{here}: is not required"
            yield from self.misfits(here, field.annotation, schema["properties"][name])

    def parameters(self, method, path):
        """What an operation takes, with the names of what it insists on."""
        operation, found, required = self.operation(method, path), {}, set()
        for parameter in operation.get("parameters", []):
            if parameter["in"] in ("query", "path"):
                found[parameter["name"]] = parameter["schema"]
                required |= {parameter["name"]} if parameter.get("required") else set()
        if "requestBody" in operation:
            body = self.resolve(operation["requestBody"]["content"]["application/json"]["schema"])
            found |= body["properties"]
            required |= set(body.get("required", []))
        return found, required


def unwrap(annotation):
    """Whether an annotation allows None, and what else it says."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        assert len(rest) == 1, annotation
        return True, rest[0]
    return False, annotation


def declared(is_one):
    """The classes of codeset.types that are of a kind."""
    found = set()
    for module in pkgutil.walk_packages(codeset.types.__path__, "codeset.types."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and value.__module__.startswith("codeset.types.") and is_one(value):
                found.add(value)
    return found


@pytest.fixture(scope="module")
def document(base_url):
    return Document(httpx.get(base_url + "/openapi.json").raise_for_status().json())


def test_the_document_promises_what_the_sdk_reads(document):
    misfits = []
    for (method, path, status), annotation in ANSWERS.items():
        answer = document.operation(method, path)["responses"][status]["content"]["application/json"]["schema"]
        misfits += document.misfits(f"{method} {path}", annotation, answer)
    assert misfits == []
    assert declared(lambda c: issubclass(c, BaseModel)) - document.met == set()


def test_the_document_takes_what_the_sdk_sends(document):
    misfits = []
    for (method, path), params in REQUESTS.items():
        schemas, required = document.parameters(method, path)
        in_path = {name for name in schemas if f"{{{name}}}" in path}
        for name, annotation in typing.get_type_hints(params).items():
            _, annotation = unwrap(annotation)  # null is how the document says that nothing need be sent
            if name not in schemas:
                misfits.append(f"{method} {path}: takes no {name}")
            else:
                misfits += document.misfits(f"{method} {path} {name}", typing.Optional[annotation], schemas[name])
        hints = typing.get_type_hints(params, include_extras=True)
        always = {name for name, hint in hints.items() if typing.get_origin(hint) in (typing.Required, typing_extensions.Required)}
        if asked := required - always - in_path:
            misfits.append(f"{method} {path}: asks for {asked}")
    assert misfits == []
    assert declared(typing.is_typeddict) - set(REQUESTS.values()) == set()


@pytest.mark.parametrize("annotation, schema", [
    (str, {"type": ["string", "null"]}),
    (str, {"type": "integer"}),
    (int, {"type": "number"}),
    (float, {"type": "string"}),
    (bool, {"type": ["boolean", "null"]}),
    (datetime.datetime, {"type": "string"}),
    (typing.List[str], {"type": "array", "items": {"type": "integer"}}),
    (typing.List[str], {"type": ["array", "null"], "items": {"type": "string"}}),
    (typing.Literal["a", "b"], {"type": "string", "enum": ["a", "c"]}),
    (typing.Literal["a", "b"], {"type": "string"}),
    (Session, {"type": "array"}),
    (session_close_response.SessionCloseResponse, {
        "type": "object", "required": ["message"],
        "properties": {"message": {"type": "string"}, "duration_seconds": {"type": "number"}},
    }),
    (session_close_response.SessionCloseResponse, {
        "type": "object", "required": ["message", "duration_seconds"], "properties": {"message": {"type": "string"}},
    }),
])
def test_this_test_sees_what_does_not_fit(annotation, schema):
    assert len(list(Document({}).misfits("it", annotation, schema))) == 1
