# SPDX-License-Identifier: Apache-2.0
"""Handing a journal to a person: as a file, or through a workflow whose acceptance is noted in a file.

What this module guarantees: a file is named by the journal's key, is written whole or not at all, and is looked for
before it is written. A workflow is told a journal with the key as its idempotency key; what it accepted cannot be taken
back, so that a changed journal is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

import msgspec

from airflow_provider_mlconnector.errors import PostedError
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.systems.drafting import Draft, DraftState, Step
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.syspro.documents import ENCODING

SIGNATURE, IDEMPOTENCY = "X-Mlconnector-Signature", "Idempotency-Key"
"""Headers of what a workflow is sent: ``sha256=`` and the HMAC of the body in hex, and the journal's key."""

SLACK = 15.0
"""Seconds more than both time-outs after which a request counts as over."""

Render = Callable[[Journal], str]
"""Returns the XML of a journal."""


class Shelf(Protocol):
    """A folder of small files.

    ``settle`` is the seconds after which a write whose process died can no longer take effect.
    """

    settle: float

    def read(self, name: str) -> bytes | None:
        """Return a file; None when there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all, in place of one of that name."""

    def remove(self, name: str) -> None:
        """Delete a file; a missing one is no error."""

    def place(self, name: str) -> str:
        """Return where a file is, as a person finds it."""


class LocalShelf:
    """A folder of this machine, or one that all workers mount; it is made when the first file is written."""

    settle = 0.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Return a file; None when there is none."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file beside its place, and move it there once it is on the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(stream.name, 0o640)  # a person of the same group reads it
        os.replace(stream.name, self._folder / name)

    def remove(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        (self._folder / name).unlink(missing_ok=True)

    def place(self, name: str) -> str:
        """Return the path of a file."""
        return str(self._folder / name)


@dataclass(frozen=True, slots=True)
class FileHandOver:
    """Journals as files in the encoding and with the elements that the business object takes."""

    shelf: Shelf
    render: Render
    effect: ClassVar[str] = "hands the journals over as files, for a person to post; it posts nothing"

    @property
    def settle(self) -> float:
        """Seconds after which a write can no longer take effect."""
        return self.shelf.settle

    def look(self, journal: Journal) -> Draft:
        """Return the file of a journal as a draft."""
        name = file_name(journal)
        return found_as(journal, self.shelf.read(name), self._wanted(journal), self.shelf.place(name))

    def steps(self, journal: Journal) -> list[Step]:
        """Return the write or the removal that makes the file what it is to be."""
        name, wanted = file_name(journal), self._wanted(journal)
        found = self.shelf.read(name)
        if found == wanted:
            return []
        if wanted is None:
            return [Step(f"remove {name}", partial(self.shelf.remove, name))]
        return [Step(f"write {name}", partial(self.shelf.write, name, wanted))]

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    def _wanted(self, journal: Journal) -> bytes | None:
        return self.render(journal).encode(ENCODING) if journal.lines else None


@dataclass(frozen=True, slots=True)
class Workflow:
    """The address of a workflow, and the secret that it knows us by.

    :param session: leads to its host.
    """

    session: HttpSession
    url: str
    secret: bytes = field(repr=False)

    @property
    def settle(self) -> float:
        """Seconds after which a request can no longer take effect."""
        return sum(self.session.transport.timeout) + SLACK

    def send(self, key: str, body: bytes) -> None:
        """Tell it a journal, once.

        :raises LostAnswerError: when it may have been told.
        """
        signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signature}", IDEMPOTENCY: key}
        self.session.request("POST", self.url, data=body, headers=headers, idempotent=False)


@dataclass(frozen=True, slots=True)
class WorkflowHandOver:
    """Journals told to a workflow, which brings them before a person.

    :param shelf: of the notes, each of which holds what was accepted under a key.
    """

    shelf: Shelf
    render: Render
    workflow: Workflow
    company: str

    @property
    def effect(self) -> str:
        """What a person sets off by approving."""
        return f"hands the journals to the workflow at {urlsplit(self.workflow.url).netloc}, which goes on from there"

    @property
    def settle(self) -> float:
        """Seconds after which a request can no longer take effect."""
        return max(self.shelf.settle, self.workflow.settle)

    def look(self, journal: Journal) -> Draft:
        """Return what the workflow accepted as a draft."""
        accepted = self.shelf.read(_note_name(journal))
        return found_as(journal, accepted, self._wanted(journal), self.shelf.place(_note_name(journal)))

    def steps(self, journal: Journal) -> list[Step]:
        """Return the request that tells the workflow a journal, unless it accepted that.

        :raises PostedError: when it accepted another one under the key.
        """
        wanted, accepted = self._wanted(journal), self.shelf.read(_note_name(journal))
        if wanted == accepted:
            return []
        if accepted is not None or wanted is None:
            raise PostedError(
                f"The workflow was handed document {journal.key} before, which the plan would change.",
                hint="It cannot be taken back: have it rejected there, and take the change back in the plan, or write "
                "it as another version.",
            )
        return [Step(f"hand {journal.key} to the workflow", partial(self._tell, journal, wanted))]

    def close(self) -> None:
        """Release connections."""
        self.workflow.session.close()

    def _tell(self, journal: Journal, body: bytes) -> None:
        self.workflow.send(journal.key, body)
        self.shelf.write(_note_name(journal), body)

    def _wanted(self, journal: Journal) -> bytes | None:
        if not journal.lines:
            return None
        told = {"company": self.company, "journal": journal, "document": self.render(journal)}
        return msgspec.json.encode(told, order="deterministic")


def file_name(journal: Journal) -> str:
    """Return the name of a journal's file, the same in every run."""
    return f"{journal.key}.xml"


def found_as(journal: Journal, found: bytes | None, wanted: bytes | None, place: str) -> Draft:
    """Return what was found as a draft; its lines are known only where it is exactly what is wanted."""
    if found is None:
        return Draft(DraftState.MISSING)
    if found != wanted:
        return Draft(DraftState.DRAFT, number=place, complete=False)
    return Draft(DraftState.DRAFT, journal.lines, place)


def _note_name(journal: Journal) -> str:
    return f"{journal.key}.accepted.json"
