"""Whether an answer is what the API's schema says: its status, its media type, every field of its body and no other."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from apps.core.problems import PROBLEM_JSON

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
AMOUNT = re.compile(r"-?\d+\.\d\d")
FORMATS = {
    "date-time": lambda text: bool(UTC_TIME.fullmatch(text)),
    "decimal": lambda text: bool(AMOUNT.fullmatch(text)),
}


@dataclass
class Contract:
    """What a schema promises of each operation's answers."""

    document: dict[str, Any]
    validators: dict[str, Any] = field(default_factory=dict)

    def check(self, method: str, path: str, status: int, media: str, raw: bytes) -> None:
        """Hold an answer against the schema; ``path`` as the schema spells it, ``media`` as ``Content-Type`` says it."""
        told = f"{method} {path}: {status} {media} {raw[:400]!r}"
        known = self.document["paths"][path][method.lower()]["responses"]
        assert str(status) in known, f"{told}: the schema has only {sorted(known)}"
        content, form = known[str(status)].get("content", {}), media.partition(";")[0]
        assert (form in content) if content else not raw, f"{told}: the schema has {sorted(content)}"
        if content and "json" in form:
            body = json.loads(raw)
            validator = self.validator(content[form]["schema"])
            wrong = [f"{error.message} at {error.instance_path}" for error in validator.iter_errors(body)]
            assert not wrong, f"{told}: {wrong}"
            if form == PROBLEM_JSON:
                assert f"`{body['code']}`" in known[str(status)]["description"], f"{told}: a code the schema lacks"

    def fits(self, component: str, body: Any) -> bool:
        """Tell whether something has exactly one shape of the schema."""
        return bool(self.validator({"$ref": f"#/components/schemas/{component}"}).is_valid(body))

    def validator(self, schema: dict[str, Any]) -> Any:
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            shapes = {name: closed(each) for name, each in self.document["components"]["schemas"].items()}
            whole = {**closed(schema), "components": {"schemas": shapes}}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True, formats=FORMATS)
        return self.validators[key]


def closed(node: dict[str, Any]) -> dict[str, Any]:
    """Read a schema of OpenAPI 3.0 as JSON Schema, and let no object have a field that it does not name."""
    made = dict(node)
    nullable = made.pop("nullable", False)
    for several in ("allOf", "anyOf", "oneOf"):
        if several in made:
            made[several] = [closed(each) for each in made[several]]
    if "items" in made:
        made["items"] = closed(made["items"])
    if "properties" in made:
        made["properties"] = {name: closed(each) for name, each in made["properties"].items()}
        made["additionalProperties"] = False
    return {"anyOf": [made, {"type": "null"}]} if nullable else made
