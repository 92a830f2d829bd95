# SPDX-License-Identifier: Apache-2.0
"""Asks an e.net setup object what it would make of a record.

What this module guarantees: every request carries ValidateOnly, so that the object changes nothing; there is no way in
here to leave it out. Requests go one after the other in one session, which is logged off at the end.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_mlconnector.systems.syspro.calls import LONGEST_QUERY, Caller, Wire
from airflow_provider_mlconnector.systems.syspro.documents import ENCODING, parameters, unfit
from airflow_provider_mlconnector.systems.syspro.enet import query_of
from airflow_provider_mlconnector.systems.syspro.setup_xml import SetupTemplate

_ADD, _UPDATE = "Setup/Add", "Setup/Update"


class EnetSetup:
    """One setup object of one company. Not shared between threads.

    :param name: such as APSSSP.
    """

    def __init__(self, wire: Wire, name: str, template: SetupTemplate) -> None:
        self._caller = Caller(wire)
        self._name = name
        self._template = template

    def refusals(self, record: Mapping[str, str], *, exists: bool) -> list[str]:
        """Return why the object would not take a record, each as a sentence; none when it would.

        :raises BadRequestError: when the call itself is refused, as for an object that is not there.
        """
        if strange := unfit("".join(record.values())):
            return [f"Windows-1252 has no place for {strange!r}"]
        asked: dict[str, str | bytes] = {
            "BusinessObject": self._name,
            "XmlParameters": parameters(self._template.root, validate_only=True),
            "XmlIn": self._template.fill(record).encode(ENCODING),
        }
        if len(query_of(asked)) > LONGEST_QUERY:
            return ["it is too long for the service"]
        refusals = self._caller.check(_UPDATE if exists else _ADD, asked)
        return [f"{one.field}: {one.sentence}" if one.field else one.sentence for one in refusals]

    def close(self) -> None:
        """Log off and release connections."""
        self._caller.wire.close()
