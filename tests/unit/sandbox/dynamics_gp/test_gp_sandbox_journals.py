# SPDX-License-Identifier: Apache-2.0
"""The sandbox's general journal as callers of the web services know it: what it saves, refuses and shows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import zeep

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.sandbox.dynamics_gp.caller import GP, Caller

DAY = "2026-11-30T00:00:00"
POLICY = "ffa3b9a6-fa25-47a2-8179-cb37c695455e"
LINES = (("60210-100", "5.00", "0.00"), ("20400-000", "0.00", "5.00"))


class Clerk(Caller):
    """Creates entries, and looks for them."""

    def of_gp(self, name: str, *values: Any, **members: Any) -> Any:
        return self.make(GP + name, *values, **members)

    def line(self, place: int, account: str, debit: str, credit: str, description: str = "Rent") -> Any:
        def money(value: str) -> Any:
            return self.of_gp("MoneyAmount", Value=Decimal(value), DecimalDigits=2)

        return self.of_gp(
            "GLTransactionLine",
            Key=self.of_gp("GLTransactionLineKey", SequenceNumber=place),
            DebitAmount=money(debit),
            CreditAmount=money(credit),
            Description=description,
            GLAccountKey=self.of_gp("GLAccountNumberKey", Id=account, IsEncrypted=False),
            OriginatingDocument=self.of_gp("GLOriginatingDocumentLine", Id="DOC-1"),
        )

    def create(self, lines: Any = LINES, *, policy: str = POLICY, **more: Any) -> None:
        plain = {
            "Key": self.of_gp("GLTransactionKey", JournalId=more.pop("number", 0), Date=more.pop("day", DAY)),
            "BatchKey": self.of_gp(
                "BatchKey", Source="GL_Normal", Id=more.pop("batch", "MINE"), CreatedDateTime="1900-01-01T00:00:00"
            ),
            "Lines": self.of_gp(
                "ArrayOfGLTransactionLine",
                [self.line(500 * place, *values) for place, values in enumerate(lines, start=1)],
            ),
            "Reference": "Rent of November",
        }
        policy_key = self.of_gp("PolicyKey", Id=policy)
        answer = self.service.CreateGLTransaction(
            glTransaction=self.of_gp("GLTransaction", **plain | more),
            context=self.context(),
            policy=self.of_gp("Policy", Key=policy_key),
        )
        assert answer is None

    def listed(self, **texts: str) -> list[Any]:
        restrictions = {name: self.of_gp("LikeRestrictionOfString", EqualValue=text) for name, text in texts.items()}
        criteria = self.of_gp("GLTransactionCriteria", **restrictions)
        return self.service.GetGLTransactionList(criteria=criteria, context=self.context()) or []

    def refusal(self, **how: Any) -> list[str]:
        """Return what the log keeps of why something could not be created."""
        with pytest.raises(zeep.exceptions.Fault) as fault:
            self.create(**how)
        log_id = fault.value.detail[0].text
        found = self.service.GetLoggedValidationResultByKey(logId=log_id, context=self.context())
        return [error.Message for error in found.Errors.ValidationError]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["dynamics_gp"], scale=0.05) as running:
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    return SandboxControl({"url": sandbox.url, **sandbox.info})


@pytest.fixture(scope="module")
def served(sandbox: Sandbox) -> Clerk:
    return Clerk(sandbox)


@pytest.fixture
def caller(served: Clerk, control: SandboxControl) -> Clerk:
    control.call("DELETE", "/dynamics_gp/journals")
    return served


def test_an_entry_is_unposted_in_a_batch_that_is_made_and_is_read_back_whole(caller):
    caller.create(number=81_000_000)
    (summary,) = caller.listed(BatchId="MINE")
    assert (summary.TransactionState, summary.BatchKey.Id, summary.Key.JournalId) == ("Work", "MINE", 81_000_000)
    whole = caller.service.GetGLTransactionByKey(key=summary.Key, context=caller.context())
    assert [
        (line.GLAccountKey.Id, line.DebitAmount.Value, line.CreditAmount.Value, line.OriginatingDocument.Id)
        for line in whole.Lines.GLTransactionLine
    ] == [(account, Decimal(debit), Decimal(credit), "DOC-1") for account, debit, credit in LINES]
    batch = caller.service.GetBatchByKey(key=summary.BatchKey, context=caller.context())
    assert (batch.NumberOfTransactions, batch.Frequency) == (1, "SingleUse")


def test_an_entry_without_a_number_takes_the_next_one(caller):
    caller.create()
    caller.create()
    numbers = [summary.Key.JournalId for summary in caller.listed(BatchId="MINE")]
    assert numbers[1] == numbers[0] + 1


def test_the_policy_of_an_operation_tells_what_the_administrator_selected(caller):
    policy = caller.service.GetPolicyByOperation(operation="CreateGLTransaction", context=caller.context())
    assert policy.Key.Id == POLICY
    assert {behavior.SelectedOption.Key.Id for behavior in policy.Behaviors.Behavior} == {1}


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"lines": (("99999-100", "5", "0"), LINES[1])}, "Account 99999-100 does not exist."),
        ({"lines": (("10200-000", "5", "0"), LINES[1])}, "Account 10200-000 does not allow account entry."),
        ({"lines": LINES[:1]}, "Debits of 5.00 and credits of 0.00 do not balance."),
        ({"lines": ()}, "A transaction needs lines."),
        ({"lines": (("60210-100", "5", "0", "x" * 31), LINES[1])}, "Description has more than 30 characters"),
        ({"lines": (("60210-100", "-5", "0"), ("20400-000", "0", "-5"))}, "-5 is no amount of line 500."),
        ({"lines": (("60210-100", "5", "5"),)}, "Line 500 has both a debit and a credit."),
        ({"Reference": ""}, "The Reference is required."),
        ({"Reference": "r" * 31}, "Reference has more than 30 characters"),
        ({"batch": "b" * 16}, "BatchKey.Id has more than 15 characters"),
        ({"day": "2026-06-30T00:00:00"}, "The fiscal period of 2026-06-30 is closed."),
        ({"day": "2099-01-01T00:00:00"}, "is not in a fiscal period."),
        ({"policy": "00000000-0000-0000-0000-000000000000"}, "The policy is not one of CreateGLTransaction."),
    ],
)
def test_what_is_wrong_with_an_entry_is_a_validation_and_nothing_is_saved(caller, how, told):
    assert any(told in one for one in caller.refusal(**how))
    assert caller.listed(BatchId="MINE") == []


def test_all_that_is_wrong_is_told_at_once(caller):
    lines = (("99999-100", "5", "0"), ("20400-000", "0", "4"))
    assert len(caller.refusal(lines=lines, Reference="", day="2026-06-30T00:00:00")) == 4


def test_a_number_is_given_once_posted_or_not(caller, control):
    caller.create(number=81_000_001)
    assert "Journal entry 81000001 already exists." in caller.refusal(number=81_000_001)
    control.call("POST", "/dynamics_gp/journals/81000001/post")
    assert "Journal entry 81000001 already exists." in caller.refusal(number=81_000_001)


def test_a_batch_that_is_marked_or_approved_takes_nothing(caller, control):
    control.call("PUT", "/dynamics_gp/batches/MINE", {"status": 1, "approved": True})
    assert len(caller.refusal()) == 2


def test_an_entry_that_a_person_posts_is_in_the_books_under_its_number_and_its_batch_is_gone(caller, control):
    before = caller.books.trial_balance("FY2027-P05").get("60210", Decimal(0))
    caller.create(number=81_000_002, Reference="Posted by hand")
    (entry, _) = control.call("POST", "/dynamics_gp/journals/81000002/post")["entries"]
    line = caller.books.line(entry)
    assert (line.document, line.external_document, line.department) == ("Posted by hand", "DOC-1", "ADM")
    assert caller.books.trial_balance("FY2027-P05")["60210"] - before == 5
    (summary,) = caller.listed(JournalId="81000002")
    assert (summary.TransactionState, summary.Reference) == ("Open", "Posted by hand")
    whole = caller.service.GetGLPostedTransactionByKey(key=summary.Key, context=caller.context())
    assert {one.OriginatingDocument.Id for one in whole.Lines.GLTransactionLine} == {"DOC-1"}
    with pytest.raises(zeep.exceptions.Fault, match="Business object not found"):
        caller.service.GetBatchByKey(
            key=caller.of_gp("BatchKey", Id="MINE", CreatedDateTime=DAY), context=caller.context()
        )


def test_a_voided_entry_is_history_without_being_posted(caller, control):
    caller.create(number=81_000_003)
    control.call("POST", "/dynamics_gp/journals/81000003/void")
    (summary,) = caller.listed(JournalId="81000003")
    assert summary.TransactionState == "History"
    assert caller.service.GetGLPostedTransactionByKey(key=summary.Key, context=caller.context()).IsVoided
    assert "Journal entry 81000003 already exists." in caller.refusal(number=81_000_003)


def test_a_call_that_posts_is_counted_and_not_answered(caller, control):
    address = (
        f"{caller.told['sba_url']}/Tenants(DefaultTenant)/Companies(Larkfield%20Ltd)/System/Batches(GL_Normal;MINE)"
    )
    answer = caller.session.post(address, headers={"GP-Custom-Action": "POST"})
    assert answer.status_code == 404
    assert control.call("GET", "/dynamics_gp/journals")["post_calls"] == 1
