# SPDX-License-Identifier: Apache-2.0
"""YAML files with a schema: read into a pydantic model, and every mistake told with file, line and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.yaml_lines import Document, Place, read_yaml

_Model = TypeVar("_Model")

Mistake = tuple[Place, str]
"""What is wrong with a part of a file, as a sentence."""


class Strict(BaseModel):
    """An immutable part of a file that knows all its keys; an unknown one is refused with the list of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _knows_its_keys(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        allowed = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = next((str(key) for key in data if key not in allowed), None)
        if unknown is not None:
            sentence = unknown_name("key", unknown, allowed)
            raise PydanticCustomError("unknown_key", "{sentence}", {"key": unknown, "sentence": sentence})
        return data


def unknown_name(what: str, name: str, allowed: Sequence[str]) -> str:
    """Return the sentence that refuses a name: the one that was perhaps meant, and all that are allowed."""
    near = get_close_matches(name, allowed, n=1, cutoff=0.75)
    meant = f", meant is perhaps '{near[0]}'" if near else ""
    return f"unknown {what} '{name}'{meant}; allowed are {', '.join(allowed)}."


def read_model(path: Path, adapter: TypeAdapter[_Model]) -> tuple[_Model, Document]:
    """Read a file into a model; the document beside it knows the lines.

    :raises FlowError: with file and line of every mistake.
    """
    document = read_yaml(path)
    try:
        return adapter.validate_python(document.value), document
    except ValidationError as error:
        raise flow_error(
            document, [_mistake(document, details) for details in error.errors(include_url=False)]
        ) from error


def flow_error(document: Document, mistakes: Iterable[Mistake]) -> FlowError:
    """Return one error with all mistakes in the order of the file, one per line of its text."""
    told = dict.fromkeys((document.where(place), sentence) for place, sentence in mistakes)
    ordered = sorted(told, key=lambda mistake: int(mistake[0].rpartition(":")[2]))
    (first, sentence), *others = ordered
    return FlowError("\n".join([sentence, *(f"{where}: {other}" for where, other in others)]), where=first)


def _mistake(document: Document, details: ErrorDetails) -> Mistake:
    place = _place(document, details["loc"])
    context = details.get("ctx", {})
    subject = ".".join(str(part) for part in place)
    match details["type"]:
        case "missing":
            sentence = f"'{details['loc'][-1]}' is missing"
        case "union_tag_not_found":
            sentence = f"{context['discriminator']} is missing"
        case "union_tag_invalid":
            place = (*place, str(context["discriminator"]).strip("'"))
            return place, f"{place[-1]} should be {context['expected_tags']}, not '{context['tag']}'."
        case "unknown_key":
            place = (*place, str(context["key"]))
            return place, details["msg"]
        case "value_error":
            return place, f"{context['error']}."
        case _:
            sentence = f"{_told(details['msg'])}, not {_shown(details['input'])}"
    return place, f"{subject}: {sentence}." if subject else f"{sentence}."


def _place(document: Document, location: tuple[int | str, ...]) -> Place:
    """Return the part of the file that an error is about; pydantic names members of a union too, the file does not."""
    place: Place = ()
    for part in location:
        candidates = ((*place, part), (*place, str(part)))
        place = next((candidate for candidate in candidates if candidate in document.lines), place)
    return place


def _told(message: str) -> str:
    message = message.removeprefix("Input ")
    return message[0].lower() + message[1:]


def _shown(value: object) -> str:
    text = "nothing" if value is None else f"'{value}'" if isinstance(value, str | int) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:56]} ..."
