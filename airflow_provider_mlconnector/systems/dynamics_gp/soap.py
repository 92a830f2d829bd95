# SPDX-License-Identifier: Apache-2.0
"""The SOAP web services, by a description of our own: what an installation describes holds the host of its setup.

The requests go through the session that everything goes through, so that retry, authentication and errors are those of
the house; zeep writes and reads the envelopes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_mlconnector.errors import BadRequestError, ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.dynamics_gp.faults import ValidationFault

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.http.session import HttpSession

DESCRIPTION = Path(__file__).parent / "legacy.wsdl"
CHANGE = "/Create"
"""Part of the names of operations that change something, behind the namespace."""
GP = "{http://schemas.microsoft.com/dynamics/gp/2006/01}"
BASE = "{http://schemas.microsoft.com/dynamics/2006/01}"
_BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """A call of an operation as its message is sent; texts in it may be replaced to ask the like again."""

    operation: str
    context: Any
    message: Any

    def put(self, name: str, text: str) -> None:
        """Replace the text of an element."""
        self.message.find(f".//{GP}{name}").text = text


class SoapService:
    """The operations of one installation. Not to be shared between threads.

    :param http: session whose base URL is the endpoint's address.
    """

    def __init__(self, http: HttpSession) -> None:
        import zeep

        self._http = http
        self._client = zeep.Client(
            DESCRIPTION.as_posix(), transport=_transport(http), settings=zeep.Settings(strict=True, xml_huge_tree=True)
        )
        self._operations = self._client.create_service(f"{GP}LegacyDynamicsGP", http.base_url)

    def make(self, type_name: str, *values: Any, **members: Any) -> Any:
        """Return an object of a type of the description; an array is made of its values."""
        space = BASE if type_name in ("Context", "CompanyKey") else GP
        return self._client.get_type(space + type_name)(*values, **members)

    def context(self, company: int | None) -> Any:
        """Return the context of a call: amounts in the company's own currency; without a company for the system's."""
        key = {} if company is None else {"OrganizationKey": self.make("CompanyKey", Id=company)}
        return self.make("Context", CurrencyType="Local", **key)

    def call(self, operation: str, context: Any, /, **parameters: Any) -> Any:
        """Call an operation; a list without rows is None.

        :raises NotFoundError: for a key that nothing has.
        :raises LostAnswerError: for an operation that changes something: it is sent once, and may have taken effect.
        :raises BadRequestError: with the sentences of the service's validation.
        :raises ProtocolError: for an answer that is not what the description says.
        """
        return self._asked(
            operation, context, lambda: getattr(self._operations, operation)(context=context, **parameters)
        )

    def question(self, operation: str, context: Any, /, **parameters: Any) -> Question:
        """Write the call of an operation that changes nothing, without asking it."""
        message = self._client.create_message(self._operations, operation, context=context, **parameters)
        return Question(operation, context, message)

    def read(self, question: Question, reader: Callable[[Any], T]) -> T:
        """Ask, and have the XML of the result read by ``reader``, which is given None for none.

        For what comes in thousands. What the reader cannot read, it tells by a ValueError or ArithmeticError. Errors
        are those of :meth:`call`.
        """
        from lxml import etree

        headers = {
            "SOAPAction": f'"{GP[1:-1]}/{question.operation}"',
            "Content-Type": "text/xml; charset=utf-8",
        }

        def ask() -> T:
            message = etree.tostring(question.message, xml_declaration=True, encoding="utf-8")
            answer = self._http.request("POST", self._http.base_url, data=message, headers=headers, idempotent=True)
            return reader(_result(question.operation, answer.content))

        return self._asked(question.operation, question.context, ask)

    def listed(self, operation: str, context: Any, criteria: Any) -> list[Any]:
        """Call a list operation and return its rows."""
        found = self.call(operation, context, criteria=criteria)
        return [] if found is None else [row for row in found if row is not None]

    def between(self, kind: str, **bounds: Any) -> Any:
        """Return a restriction of ``DateTime`` or ``Int32`` by From, To or EqualValue."""
        return self.make(f"BetweenRestrictionOfNullableOf{kind}", **bounds)

    def among(self, enum: str, values: Iterable[str]) -> Any:
        """Return a restriction to some values of an enumeration."""
        return self.make(f"ListRestrictionOfNullableOf{enum}", Items=self.make(f"ArrayOf{enum}", list(values)))

    def texts(self, values: Iterable[str]) -> Any:
        """Return a restriction to some texts."""
        return self.make("LikeRestrictionOfString", Items=self.make("ArrayOfString", list(values)))

    def _asked(self, operation: str, context: Any, ask: Callable[[], T]) -> T:
        """Ask, and turn what goes wrong into our own errors."""
        import zeep.exceptions
        from lxml import etree

        try:
            return ask()
        except ValidationFault as fault:
            raise self._explained(operation, fault, context) from None
        except (zeep.exceptions.Error, etree.Error, ValueError, TypeError, ArithmeticError) as exc:
            raise ProtocolError(
                f"{operation} was answered with what is no such answer ({type(exc).__name__}).",
                hint="Check that the address is that of the legacy endpoint, DynamicsGPService.asmx.",
            ) from exc

    def _explained(self, operation: str, fault: ValidationFault, context: Any) -> BadRequestError:
        """Return a validation's error with the sentences that the log keeps of it."""
        try:
            result = self._operations.GetLoggedValidationResultByKey(logId=fault.log_id, context=context)
        except RemoteError:
            return fault  # what was refused is told, though not why
        errors = getattr(getattr(result, "Errors", None), "ValidationError", None) or []
        said = " ".join(str(error.Message) for error in errors if error.Message)[:1000]
        return BadRequestError(f"{operation} was refused: {said or fault.message}", status=500, request_id=fault.log_id)


def in_utc(moment: datetime) -> str:
    """Return a moment as the service's criteria want it: UTC, with its time, to the millisecond."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def text_of(element: Any, *names: str) -> str:
    """Return the text of an element's child, or of one further down; empty where it is not there, or null."""
    for name in names[:-1]:
        element = element.find(GP + name)
        if element is None:
            return ""
    text: str | None = element.findtext(GP + names[-1])
    return (text or "").strip()


def is_nil(element: Any) -> bool:
    """Say whether an element stands for null."""
    return is_true(element.get(_NIL))


def is_true(text: str | None) -> bool:
    """Say whether the text of an XML boolean is true."""
    return text in ("true", "1")


def rows_in(value: Any, name: str) -> list[Any]:
    """Return the rows of a list that is a member of an object."""
    return list(getattr(value, name, None) or []) if value is not None else []


def _result(operation: str, answer: bytes) -> Any:
    """Return the element of a result; None where the answer has none.

    :raises ValueError: for what is no answer to the operation.
    """
    from lxml import etree

    root = etree.fromstring(answer, etree.XMLParser(resolve_entities=False, huge_tree=True))
    found = root.find(f"{_BODY}/{GP}{operation}Response")
    if found is None:
        raise ValueError(root.tag)
    return found.find(f"{GP}{operation}Result")


def _transport(http: HttpSession) -> Any:
    """Return a transport of zeep that sends by our session; what is asked may be asked twice, what changes may not."""
    from zeep.transports import Transport

    def post(address: str, message: bytes, headers: Mapping[str, str]) -> Any:
        changes = CHANGE in headers.get("SOAPAction", "")
        return http.request("POST", address, data=message, headers=headers, idempotent=not changes)

    transport: Any = Transport()
    transport.post = post
    return transport
