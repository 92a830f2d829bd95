# SPDX-License-Identifier: Apache-2.0
"""What a flow says of SYSPRO's journals alone, and how a line's dimensions become a GL code.

SYSPRO keeps no drafts. So a journal is handed to a person, as a file or through a workflow, or it is posted at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.drafting import Found
from airflow_provider_mlconnector.systems.option_texts import read_flag, read_segments
from airflow_provider_mlconnector.systems.syspro.capabilities import DRAFT_OPTIONS
from airflow_provider_mlconnector.systems.syspro.connection import GlCode
from airflow_provider_mlconnector.systems.syspro.journal_xml import Template

FOLDER, WEBHOOK, POST, OBJECT, TEMPLATE, SEGMENTS, VALIDATE = DRAFT_OPTIONS
USUAL_OBJECT = "GENTJL"


class Way(StrEnum):
    """How a journal leaves us."""

    FILE = "file"
    WORKFLOW = "workflow"
    POSTING = "posting"


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """How journals are brought about.

    :param way: as a file for a person, through a workflow, or by posting.
    :param folder: of the files; with a workflow, of the notes of what it accepted. A path, the address of a store, or
        the name of a folder in the staging area.
    :param webhook: address of the workflow.
    :param business_object: name of the e.net object that checks and posts.
    :param segments: value of a segment of GL codes, by its name, for lines that name none.
    :param validates: whether the e.net object checks journals before a person is asked.
    """

    way: Way
    folder: str = ""
    webhook: str = ""
    business_object: str = USUAL_OBJECT
    template: Template = field(default_factory=Template)
    segments: Mapping[str, str] = field(default_factory=dict)
    validates: bool = True


def read_options(told: Mapping[str, str]) -> DraftOptions:
    """Read the options of a flow.

    ``folder`` is a path, an address or a name, ``webhook`` an address, ``post`` and ``validate`` are yes or no,
    ``object`` names the e.net business object, ``template`` is the path of an XML file, ``segments`` is such as
    ``DEPARTMENT 000``.

    :raises ConfigurationError: when one cannot be read, or they do not say where journals go.
    """
    posts, folder, webhook = read_flag(told, POST, usual=False), told.get(FOLDER, ""), told.get(WEBHOOK, "")
    if posts and (folder or webhook):
        raise ConfigurationError(
            "Journals are posted, or handed to a person, not both.",
            hint=f"Leave out {POST}, or {FOLDER} and {WEBHOOK}.",
        )
    validates = read_flag(told, VALIDATE, usual=True)
    if posts and not validates:
        raise ConfigurationError(
            "What is posted at once has to be checked before.", hint=f"Leave out {VALIDATE}, or do not {POST}."
        )
    if not posts and not folder:
        raise ConfigurationError(
            "SYSPRO keeps no drafts, and the flow does not say where journals are handed over.",
            hint=f"Name a {FOLDER} under the journal's options (a {WEBHOOK} needs one, too, for what it accepted).",
        )
    return DraftOptions(
        way=Way.POSTING if posts else Way.WORKFLOW if webhook else Way.FILE,
        folder=folder.rstrip("/"),
        webhook=webhook,
        business_object=told.get(OBJECT, USUAL_OBJECT),
        template=_template(told[TEMPLATE]) if TEMPLATE in told else Template(),
        segments={name.upper(): value for name, value in read_segments(told.get(SEGMENTS, "")).items()},
        validates=validates,
    )


def _template(path: str) -> Template:
    try:
        return Template(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"The template {path} cannot be read: {type(exc).__name__}.") from None


@dataclass(frozen=True, slots=True)
class Coding:
    """From the account and dimensions of a line to its GL code.

    :param defaults: value of a segment, for lines that name none.
    """

    gl_code: GlCode
    defaults: Mapping[str, str] = field(default_factory=dict)

    def code(self, line: JournalLine) -> str:
        """Return the GL code of a line; segments without a value are left out at its end."""
        named = line.dimension
        values = [named.get(name, self.defaults.get(name, "")) for name in self.gl_code.dimensions]
        code = self.gl_code.separator.join((line.account, *values))
        return code.rstrip(self.gl_code.separator) if self.gl_code.separator else code

    def problems(self, line: JournalLine) -> Iterator[Found]:
        """Yield why a line's dimensions make no GL code, or one that says something else."""
        known = self.gl_code.dimensions
        for strange in sorted(line.dimension.keys() - set(known)):
            yield strange, f"GL codes have no such segment; they have {', '.join(known) or 'none but the account'}"
        separator = self.gl_code.separator
        for value in (line.account, *line.dimension.values()):
            if separator and separator in value:
                yield value, f"no segment of a GL code holds a {separator}, which separates segments"

    def split(self, code: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return account and dimensions of a GL code."""
        account, *values = self.gl_code.split(code)
        pairs = zip(self.gl_code.dimensions, values, strict=True)
        return account, tuple(sorted((name, value) for name, value in pairs if value))
