"""The page of the HTTP API, read off the routes, the rules and the registry of collections."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_texts
from starlette.routing import BaseRoute, Route

from beszel_hub.actions import Action, Verb
from beszel_hub.app import ROUTES
from beszel_hub.config import HubConfig
from beszel_hub.hub import Hub
from beszel_hub.permissions import ROLES, RULES, Rule
from beszel_hub.records.registry import Collection, Field, Kind, Registry, TableSource

EVERY_SCOPE = {"full", "write", "read"}


def write_api() -> str:
    routes = "\n".join(f"| {method} | `{path}` | {about} |" for method, path, about in _served())
    lines = "\n\n".join(f"```sh\n{line}\n```" for line in api_texts.ROUTE_LINES.strip().split("\n\n"))
    collections = "\n".join(_write_collection(collection) for collection in _registry().collections.values())
    return f"""# HTTP API

What there is, who may do it, and lines to try it with. How filters, sort keys, dates and errors look stands in
[the hub](../hub.md); how all of it compares with PocketBase [here](pocketbase.md). This page is generated from the
code, and a test runs every line on it. They expect

```sh
export HUB=http://127.0.0.1:8090
export TOKEN=…    # from `beszel-hub token create`, or the `token` of a login
export SYSTEM=…   # the id of a system
export USER_ID=…  # the id of a user
```

## Routes

| method | path | |
|---|---|---|
{routes}

{lines}

## Collections

All of them at `/api/collections/NAME/records`. *Private* fields can be filtered and sorted by through a relation by
administrators only.

{collections}"""


def _served() -> Iterator[tuple[str, str, str]]:
    """Method, path and a sentence of every route."""
    for route in sorted(ROUTES, key=_path):
        methods = route.methods if isinstance(route, Route) and route.methods else {"GET"}
        for method in sorted(methods - {"HEAD"}):
            path = _path(route)
            about = api_texts.ROUTES.get((method, path)) or api_texts.OF_LOGINS.get(path.rpartition("/")[2])
            yield method, path, about or _first_line(getattr(route, "endpoint", None))


def _first_line(endpoint: Any) -> str:
    return (endpoint.__doc__ or "").partition("\n")[0]


def _path(route: BaseRoute) -> str:
    return str(getattr(route, "path", ""))


def _registry() -> Registry:
    with tempfile.TemporaryDirectory() as directory:
        hub = Hub(HubConfig(data_dir=Path(directory)))
        hub.close()
        return hub.records.registry


def _write_collection(collection: Collection) -> str:
    rules = "\n".join(f"| {verb} | {_who(RULES[Action.of(collection.name, verb)])} |" for verb in Verb)
    fields = "\n".join(_field_row(field) for field in collection.fields if not field.is_hidden)
    lines = "\n".join(_lines(collection))
    return f"""### {collection.name}

{api_texts.COLLECTIONS.get(collection.name, "")}

| action | who |
|---|---|
{rules}

| field | kind | |
|---|---|---|
{fields}

```sh
{lines}
```
"""


def _who(rule: Rule) -> str:
    if rule.is_public:
        return "everybody"
    if not rule.roles:
        return "nobody"
    roles = "every user" if set(ROLES) <= rule.roles else ", ".join(role for role in ROLES if role in rule.roles)
    scopes = {"full": "a login", "write": "a token that may write", "read": "a token that may read"}
    by = "" if set(rule.scopes) >= EVERY_SCOPE else f", by {' or '.join(scopes[s] for s in scopes if s in rule.scopes)}"
    needs = {"nothing": "", "member": "; of systems they see", "own": "; what is their own"}[rule.needs]
    return f"{roles}{by}{needs}"


def _field_row(field: Field) -> str:
    remarks = []
    if field.kind is Kind.PASSWORD:
        remarks.append("never shown")
    if field.in_create or field.in_update:
        when = [name for name, is_set in (("create", field.in_create), ("update", field.in_update)) if is_set]
        remarks.append(f"{' and '.join(when)}{', required' if field.is_required else ''}")
    if field.target:
        remarks.append(f"of [{field.target}](#{field.target})")
    if field.choices and len(field.choices) < 20:
        remarks.append(" ".join(f"`{choice}`" for choice in field.choices))
    if field.low is not None and field.high is not None:
        remarks.append(f"{field.low:g} to {field.high:g}")
    if field.is_private:
        remarks.append("private")
    return f"| `{field.name}` | {field.kind} | {'; '.join(remarks)} |"


def _lines(collection: Collection) -> Iterator[str]:
    address = f'"$HUB/api/collections/{collection.name}/records'
    header = '-H "Authorization: $TOKEN"'
    yield f'curl -sf {address}?perPage=2" {header}'
    if collection.name not in api_texts.EXAMPLES or not isinstance(collection.source, TableSource):
        return
    create, update = api_texts.EXAMPLES[collection.name]
    record_id = f"example{collection.name.replace('_', '')}00000000"[:15]
    yield f"curl -sf {address}\" {header} --json '{_json({'id': record_id, **create})}'"
    yield f"curl -sf -X PATCH {address}/{record_id}\" {header} --json '{_json(update)}'"
    if RULES[Action.of(collection.name, Verb.VIEW)].roles:
        yield f'curl -sf {address}/{record_id}" {header}'
    if RULES[Action.of(collection.name, Verb.DELETE)].roles:
        yield f'curl -sf -X DELETE {address}/{record_id}" {header}'


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
