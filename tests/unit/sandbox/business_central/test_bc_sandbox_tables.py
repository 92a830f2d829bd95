# SPDX-License-Identifier: Apache-2.0
"""Master data, periods and trial balances."""

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.sandbox.business_central.trial_balance import format_amount


def amount(text):
    return Decimal(text.replace(",", ""))


def test_companies_are_listed(reader):
    rows = reader.rows(f"{reader.root}/companies?$filter=name eq 'Larkfield Ltd'")
    assert [row["id"] for row in rows] == [reader.info["company_id"]]


def test_account_types_and_categories_are_xml_names(reader):
    rows = {row["number"]: row for row in reader.rows("accounts")}
    assert rows["01000"]["accountType"] == "Begin_x002D_Total"
    assert rows["50100"]["category"] == "Cost_x0020_of_x0020_Goods_x0020_Sold"
    assert rows["00500"]["category"] == "_x0020_"
    assert not rows["10200"]["directPosting"]


def test_net_changes_are_the_whole_history_and_totals_sum_their_range(reader):
    rows = {row["number"]: row["netChange"] for row in reader.rows("accounts")}
    closing = {number: balance.closing for number, balance in reader.books.balances("FY2027-P05").items()}
    assert {number: rows[number] for number in closing} == closing
    assert rows["10199"] == rows["10110"] + rows["10120"] + rows["10130"]
    assert rows["01000"] == 0


def test_the_finance_api_knows_parents(reader):
    parents = {
        row["accountNumber"]: row["parentAccountNumber"]
        for row in reader.rows(f"{reader.finance}/generalLedgerAccounts")
    }
    assert parents["10110"] == "10100"
    assert parents["00500"] == ""


def test_dimensions_have_values(reader):
    dimensions = {row["code"]: row for row in reader.rows("dimensions?$expand=dimensionValues")}
    codes = [value["code"] for value in dimensions["DEPARTMENT"]["dimensionValues"]]
    assert codes == [
        *("ADM", "FIN", "HR", "IT", "LEGACY", "LEGAL", "LOG", "MKT"),
        *("OPS", "PROD", "QA", "RND", "ROPS", "SALES", "SUP", "TRN"),
    ]
    below = reader.rows(f"dimensions({dimensions['DEPARTMENT']['id']})/dimensionValues")
    assert [value["code"] for value in below] == codes


def test_the_finance_api_tells_blocked_and_total_values_apart(reader):
    rows = {row["dimensionValueCode"]: row for row in reader.rows(f"{reader.finance}/dimensionValues")}
    assert rows["LEGACY"]["blocked"]
    assert rows["OPS"]["dimensionValueType"] == "Begin_x002D_Total"
    assert rows["PROD"]["indentation"] == 1


def test_a_blocked_vendor_says_for_what(reader):
    blocked = {row["number"]: row["blocked"] for row in reader.rows("vendors")}
    assert blocked["V00080"] == "Payment"
    assert blocked["V00010"] == "_x0020_"


def test_personal_data_of_employees_is_there_to_be_left_out(reader):
    row = reader.rows("employees?$top=1")[0]
    assert row["iban"]
    assert row["birthDate"]
    narrow = reader.rows("employees?$select=number,displayName,jobTitle,status&$top=1")[0]
    assert list(narrow) == ["@odata.etag", "number", "displayName", "jobTitle", "status"]


def test_periods_tell_the_fiscal_year_and_what_is_closed(reader):
    rows = reader.rows("accountingPeriods")
    assert [row["startingDate"] for row in rows if row["newFiscalYear"]] == ["2025-07-01", "2026-07-01"]
    closed = {row["startingDate"]: row["closed"] for row in rows}
    assert closed["2026-10-01"]
    assert not closed["2026-11-01"]
    ends = {row["startingDate"]: row["endingDate"] for row in reader.rows(f"{reader.finance}/accountingPeriods")}
    assert ends["2026-11-01"] == "2026-11-30"


def test_the_setup_names_currency_and_dimensions(reader):
    (row,) = reader.rows("generalLedgerSetup")
    assert (row["localCurrencyCode"], row["shortcutDimension1Code"]) == ("GBP", "DEPARTMENT")


def test_a_trial_balance_of_a_period_is_the_ledgers(reader):
    query = "trialBalances?$filter=dateFilter ge 2026-10-01 and dateFilter le 2026-10-31"
    rows = {
        row["number"]: row for row in reader.rows(query, Accept_Language="en-US") if row["accountType"] == "Posting"
    }
    for number, balance in reader.books.balances("FY2027-P04").items():
        row = rows[number]
        assert (amount(row["totalDebit"]), amount(row["totalCredit"])) == (balance.debit, balance.credit)
        assert amount(row["balanceAtDateDebit"]) - amount(row["balanceAtDateCredit"]) == balance.closing
        assert row["dateFilter"] == "2026-10-31"


def test_without_dates_a_trial_balance_is_as_of_today(reader):
    rows = {row["number"]: row for row in reader.rows("trialBalances")}
    closing = reader.books.balances("FY2027-P05")["10110"].closing
    assert amount(rows["10110"]["balanceAtDateDebit"]) == closing
    assert rows["10110"]["dateFilter"] == "2026-11-20"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "72,893.84"),
        ("", "72,893.84"),
        ("de-DE,de;q=0.9", "72.893,84"),
        ("de-CH", "72’893.84"),
        ("fr-FR", "72\u202f893,84"),
    ],
)
def test_amounts_are_written_as_the_language_wants(language, text):
    assert format_amount(Decimal("72893.84"), language) == text


def test_the_language_of_the_request_decides(reader):
    texts = {
        language: reader.rows("trialBalances?$filter=number eq '10110'", Accept_Language=language)[0][
            "balanceAtDateDebit"
        ]
        for language in ("en-US", "de-DE")
    }
    assert texts["de-DE"] == texts["en-US"].translate(str.maketrans(",.", ".,"))


def test_master_data_that_changed_says_when(bc):
    bc.books.rename_account("60210", "Rent and Rates")
    bc.books.block_value("PROJECT", "P200")
    stamp = "2026-01-01T00:00:00Z"
    accounts = bc.rows(f"accounts?$filter=lastModifiedDateTime gt {stamp}")
    assert [(row["number"], row["displayName"]) for row in accounts] == [("60210", "Rent and Rates")]
    values = bc.rows(f"{bc.finance}/dimensionValues?$filter=lastModifiedDateTime gt {stamp}")
    assert [(row["dimensionValueCode"], row["blocked"]) for row in values] == [("P200", True)]


def test_purchase_orders_are_there_until_they_are_invoiced_to_the_end(reader):
    open_orders = {one.number: one for one in reader.books.stock.purchase_orders if one.open_amount}
    rows = {row["number"]: row for row in reader.rows("purchaseOrders?$expand=purchaseOrderLines")}
    assert rows.keys() == open_orders.keys()
    assert {row["status"] for row in rows.values()} == {"Open", "Draft"}
    (line,) = rows["PO000103"]["purchaseOrderLines"]
    assert (line["netAmount"], line["quantity"] - line["invoicedQuantity"]) == (Decimal("12999.99"), 6500)


def test_lines_of_purchase_orders_are_listed_below_an_order_only(reader):
    refused = reader.get("purchaseOrderLines")
    assert refused.status_code == 400
    assert "You must specify an Id or a Document Id" in refused.json()["error"]["message"]
    order = reader.rows("purchaseOrders")[0]["id"]
    below = reader.rows(f"purchaseOrders({order})/purchaseOrderLines")
    assert below == reader.rows(f"purchaseOrderLines?$filter=documentId eq {order}")
    assert [line["documentId"] for line in below] == [order]


def test_metadata_needs_no_company_and_shows_what_an_update_changed(reader):
    told = reader.get(f"{reader.root}/$metadata")
    assert told.headers["Content-Type"].startswith("application/xml")
    assert 'Name="purchaseOrder"' in told.text
    reader.tenant.switches.dropped_fields, reader.tenant.switches.added_fields = ("subCategory",), ("segment",)
    assert "subCategory" not in reader.get("$metadata").text
    assert '<Property Name="segment" Type="Edm.String"/>' in reader.get("$metadata").text
