# SPDX-License-Identifier: Apache-2.0
"""What the legacy endpoint of the web services knows: its types, their members in order of the wire, its operations.

A type is a line ``Name < Base: member …``, with ``*`` before the name of an abstract one. A member is written
``Name:Type`` with ``?`` behind the name where it may be left out, ``~`` where it has to be there but may be nil, and
``[]`` behind the type where it may come many times; a line that begins with blanks goes on with the one before. Types
without ``xs:`` are the service's own; ``d:`` are those that all Dynamics products share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

GP = "http://schemas.microsoft.com/dynamics/gp/2006/01"
BASE = "http://schemas.microsoft.com/dynamics/2006/01"
SECURITY = "http://schemas.microsoft.com/dynamics/security/2006/01"
GUID = "http://microsoft.com/wsdl/types/"
NAMESPACES = {"tns": GP, "d": BASE, "sec": SECURITY, "m": GUID, "xs": "http://www.w3.org/2001/XMLSchema"}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a type; its element is in the namespace ``space``."""

    name: str
    type: str
    optional: bool = False
    nillable: bool = False
    many: bool = False
    space: str = GP


@dataclass(frozen=True, slots=True)
class ComplexType:
    """A type with its own members, those of its base not included."""

    name: str
    base: str
    abstract: bool
    members: tuple[Member, ...]


_BETWEEN = "From~:{0} To~:{0} GreaterThan~:{0} LessThan~:{0}"


def _restrictions(suffix: str, type_: str, array: str) -> str:
    """Return the three restrictions by values of a type that can be null."""
    lines = (
        f"RestrictionOfNullableOf{suffix}: EqualValue~:{type_} NotEqualValue~:{type_}",
        f"ListRestrictionOfNullableOf{suffix} < RestrictionOfNullableOf{suffix}: Items?:{array}",
        f"BetweenRestrictionOfNullableOf{suffix} < ListRestrictionOfNullableOf{suffix}: {_BETWEEN.format(type_)}",
    )
    return "\n".join(lines)


_TYPES = f"""
*GreatPlainsKey < d:Key: CompanyKey?:d:CompanyKey
*ReferenceKey < GreatPlainsKey:
*TransactionKey < GreatPlainsKey:
*BusinessObject: Extensions?:ExtensionList
ExtensionList: Extension?:d:Extension[]
*Criteria:
*Restriction:
ArrayOfString: string?:xs:string[]
ArrayOfInt: int?:xs:int[]
ArrayOfDateTime: dateTime?:xs:dateTime[]
RestrictionOfString < Restriction: EqualValue?:xs:string NotEqualValue?:xs:string
ListRestrictionOfString < RestrictionOfString: Items?:ArrayOfString
BetweenRestrictionOfString < ListRestrictionOfString: From?:xs:string To?:xs:string GreaterThan?:xs:string
  LessThan?:xs:string
LikeRestrictionOfString < BetweenRestrictionOfString: Like?:xs:string
{_restrictions("Int32", "xs:int", "ArrayOfInt")}
{_restrictions("DateTime", "xs:dateTime", "ArrayOfDateTime")}
{_restrictions("GLTransactionState", "GLTransactionState", "ArrayOfGLTransactionState")}
{_restrictions("GLLedgerType", "GLLedgerType", "ArrayOfGLLedgerType")}
{_restrictions("PayablesTransactionState", "PayablesTransactionState", "ArrayOfPayablesTransactionState")}
RestrictionOfNullableOfBoolean: EqualValue~:xs:boolean NotEqualValue~:xs:boolean
ArrayOfGLTransactionState: GLTransactionState?:GLTransactionState[]
ArrayOfGLLedgerType: GLLedgerType?:GLLedgerType[]
ArrayOfPayablesTransactionState: PayablesTransactionState?:PayablesTransactionState[]
*Amount:
MoneyAmount < Amount: Currency?:xs:string Value:xs:decimal DecimalDigits:xs:int

BatchKey < ReferenceKey: Source?:xs:string Id?:xs:string CreatedDateTime:xs:dateTime
CurrencyKey < ReferenceKey: ISOCode?:xs:string
GLAccountNumberKey < ReferenceKey: Id?:xs:string IsEncrypted:xs:boolean
SourceDocumentKey < ReferenceKey: Id?:xs:string
VendorKey < ReferenceKey: Id?:xs:string
VendorClassKey < ReferenceKey: Id?:xs:string
EmployeeKey < ReferenceKey: Id?:xs:string
DepartmentKey < ReferenceKey: Id?:xs:string
PositionKey < ReferenceKey: Id?:xs:string
GLAccountCategoryKey < ReferenceKey: Id?:xs:string
GLAccountFormatKey < ReferenceKey: SegmentNumber:xs:int
GLTransactionKey < TransactionKey: JournalId:xs:int Date:xs:dateTime
GLTransactionPostedKey < GLTransactionKey: RecurringTransactionSequence:xs:long FiscalYear:xs:int
TaxDetailKey < ReferenceKey: Id?:xs:string
BankAccountKey < ReferenceKey: Id?:xs:string
GLTransactionLineKey < d:Key: TransactionKey?:GLTransactionKey SequenceNumber:xs:int
PayablesDocumentKey < TransactionKey: Id?:xs:string

CompanyCriteria < Criteria: Id?:BetweenRestrictionOfNullableOfInt32 Name?:LikeRestrictionOfString
Company < BusinessObject: Key?:d:CompanyKey Name?:xs:string ModifiedDate~:xs:dateTime ModifiedBy?:xs:string
  CreatedDate~:xs:dateTime AccountSegmentSeparator?:xs:string IsWorkflowEnabled~:xs:boolean
ArrayOfCompany: Company?:Company[]

GLTransactionCriteria < Criteria: CurrencyISOCode?:LikeRestrictionOfString
  Date?:BetweenRestrictionOfNullableOfDateTime ModifiedDate?:BetweenRestrictionOfNullableOfDateTime
  JournalId?:LikeRestrictionOfString BatchId?:LikeRestrictionOfString
  FiscalYear?:BetweenRestrictionOfNullableOfInt32
  RecurringTransactionSequence?:BetweenRestrictionOfNullableOfInt32 SourceDocumentId?:LikeRestrictionOfString
  TransactionState?:ListRestrictionOfNullableOfGLTransactionState
  LedgerType?:ListRestrictionOfNullableOfGLLedgerType
GLTransactionSummary: Key?:GLTransactionKey BatchKey?:BatchKey CurrencyKey?:CurrencyKey ModifiedDate~:xs:dateTime
  Reference?:xs:string SourceDocumentKey?:SourceDocumentKey TransactionState:GLTransactionState
  LedgerType~:GLLedgerType
ArrayOfGLTransactionSummary: GLTransactionSummary?:GLTransactionSummary[]
GLOriginatingDocument: AuditTrailCode?:xs:string PostedDate~:xs:dateTime Series~:SeriesType
GLOriginatingDocumentLine: ControlId?:xs:string Description?:xs:string Id?:xs:string MasterId?:xs:string
  MasterName?:xs:string SequenceNumber~:xs:int Type~:xs:int
GLIntercompany: Key?:d:CompanyKey OriginalJournalId~:xs:int
GLTax: GLAccountKey?:GLAccountNumberKey Amount?:MoneyAmount DetailKey?:TaxDetailKey
GLTransactionLine < BusinessObject: Key?:GLTransactionLineKey CreditAmount?:Amount DebitAmount?:Amount
  Description?:xs:string GLAccountKey?:GLAccountNumberKey ExchangeRate~:xs:decimal ExchangeDate~:xs:dateTime
  IntercompanyKey?:d:CompanyKey OriginatingDocument?:GLOriginatingDocumentLine Tax?:GLTax
ArrayOfGLTransactionLine: GLTransactionLine?:GLTransactionLine[]
GLTransaction < BusinessObject: Key?:GLTransactionKey BatchKey?:BatchKey CurrencyKey?:CurrencyKey
  Lines?:ArrayOfGLTransactionLine Reference?:xs:string SourceDocumentKey?:SourceDocumentKey
  ExchangeRate~:xs:decimal ExchangeDate~:xs:dateTime LedgerType~:GLLedgerType AuditTrailCode?:xs:string
  Intercompany?:GLIntercompany IsVoided~:xs:boolean ModifiedBy?:xs:string ModifiedDate~:xs:dateTime
  OriginatingDocument?:GLOriginatingDocument PostedBy?:xs:string TransactionState~:GLTransactionState

Batch < BusinessObject: Key?:BatchKey NumberOfTransactions~:xs:int Frequency~:xs:string
  RecurringLastPostedDate~:xs:dateTime NumberOfPostings~:xs:int Comment?:xs:string Total?:MoneyAmount
  CurrencyKey?:CurrencyKey ControlNumberOfTransactions~:xs:int ControlTotal?:MoneyAmount
  GeneralLedgerPostedDate~:xs:dateTime BankAccountKey?:BankAccountKey

PolicyKey < d:Key: Id:m:guid
BehaviorKey < d:Key: PolicyKey?:PolicyKey Id:m:guid
BehaviorOptionKey < d:Key: BehaviorKey?:BehaviorKey Id:xs:int
ParameterKey < d:Key: BehaviorOptionKey?:BehaviorOptionKey Id:xs:int
Parameter: Key?:ParameterKey Name?:xs:string Value?:xs:string Description?:xs:string
ArrayOfParameter: Parameter?:Parameter[]
BehaviorOption: Key?:BehaviorOptionKey Name?:xs:string Description?:xs:string Parameters?:ArrayOfParameter
ArrayOfBehaviorOption: BehaviorOption?:BehaviorOption[]
Behavior: Key?:BehaviorKey Name?:xs:string Description?:xs:string Internal~:xs:boolean
  Options?:ArrayOfBehaviorOption SelectedOption?:BehaviorOption
ArrayOfBehavior: Behavior?:Behavior[]
Policy: Key?:PolicyKey Behaviors?:ArrayOfBehavior Name?:xs:string RootBusinessObjectName?:xs:string

*GLAccountCriteriaBase < Criteria: CreatedDate?:BetweenRestrictionOfNullableOfDateTime
  ModifiedDate?:BetweenRestrictionOfNullableOfDateTime IsActive?:RestrictionOfNullableOfBoolean
  GLAccountId?:LikeRestrictionOfString Description?:LikeRestrictionOfString Alias?:LikeRestrictionOfString
GLPostingAccountCriteria < GLAccountCriteriaBase: GLAccountCategoryId?:LikeRestrictionOfString
GLUnitAccountCriteria < GLAccountCriteriaBase:
*GLAccountSummaryBase: Key?:GLAccountNumberKey Alias?:xs:string IsActive~:xs:boolean Description?:xs:string
  CreatedDate~:xs:dateTime ModifiedDate~:xs:dateTime
GLPostingAccountSummary < GLAccountSummaryBase: GLAccountCategoryKey?:GLAccountCategoryKey
  AllowAccountEntry~:xs:boolean PostingType~:PostingType TypicalBalance~:TypicalBalance
ArrayOfGLPostingAccountSummary: GLPostingAccountSummary?:GLPostingAccountSummary[]
GLUnitAccountSummary < GLAccountSummaryBase:
ArrayOfGLUnitAccountSummary: GLUnitAccountSummary?:GLUnitAccountSummary[]
GLAccountFormatCriteria < Criteria:
GLAccountFormat < BusinessObject: Key?:GLAccountFormatKey SegmentName?:xs:string MaximumSegmentLength~:xs:int
  SegmentLength~:xs:int IsMainSegment~:xs:boolean UserDefinedSegment~:xs:int
ArrayOfGLAccountFormat: GLAccountFormat?:GLAccountFormat[]

VendorCriteria < Criteria: IsOnHold?:RestrictionOfNullableOfBoolean IsActive?:RestrictionOfNullableOfBoolean
  Id?:BetweenRestrictionOfString Name?:LikeRestrictionOfString
  ModifiedDate?:BetweenRestrictionOfNullableOfDateTime Scope:VendorScope
VendorSummary: Key?:VendorKey Name?:xs:string ClassKey?:VendorClassKey State?:xs:string CreatedDate:xs:dateTime
  ModifiedDate:xs:dateTime IsOnHold~:xs:boolean IsActive~:xs:boolean IsOneTime~:xs:boolean
ArrayOfVendorSummary: VendorSummary?:VendorSummary[]

*PayablesDocumentCriteriaBase < Criteria: DocumentId?:LikeRestrictionOfString
  Date?:BetweenRestrictionOfNullableOfDateTime VendorId?:LikeRestrictionOfString BatchId?:LikeRestrictionOfString
  ModifiedDate?:BetweenRestrictionOfNullableOfDateTime
  TransactionState?:ListRestrictionOfNullableOfPayablesTransactionState
PayablesInvoiceCriteria < PayablesDocumentCriteriaBase:
*PayablesDocumentSummaryBase: Key?:PayablesDocumentKey VendorKey?:VendorKey VendorName?:xs:string
  Date~:xs:dateTime CurrencyKey?:CurrencyKey DocumentAmount?:MoneyAmount ModifiedDate~:xs:dateTime
  TransactionState~:PayablesTransactionState
PayablesInvoiceSummary < PayablesDocumentSummaryBase:
ArrayOfPayablesInvoiceSummary: PayablesInvoiceSummary?:PayablesInvoiceSummary[]
*PayablesDocument < BusinessObject: Key?:PayablesDocumentKey VendorDocumentNumber?:xs:string
  DocumentAmount?:MoneyAmount Date~:xs:dateTime TransactionState~:PayablesTransactionState VendorName?:xs:string
  ModifiedDate~:xs:dateTime VendorKey?:VendorKey CurrencyKey?:CurrencyKey
*PayablesDebitDocument < PayablesDocument: WriteoffAmount?:MoneyAmount TotalPayments?:MoneyAmount
PayablesInvoice < PayablesDebitDocument:

Name: GivenName?:xs:string MiddleName?:xs:string FamilyName?:xs:string
EmployeeCriteria < Criteria: EmployeeKeyId?:LikeRestrictionOfString FamilyName?:LikeRestrictionOfString
  GivenName?:LikeRestrictionOfString IsActive?:RestrictionOfNullableOfBoolean Scope:EmployeeScope
EmployeeSummary: EmployeeKey?:EmployeeKey Name?:Name DepartmentKey?:DepartmentKey PositionKey?:PositionKey
  IsActive~:xs:boolean
ArrayOfEmployeeSummary: EmployeeSummary?:EmployeeSummary[]

*ValidationItem: ObjectType?:xs:string PropertyNames?:ArrayOfString Message?:xs:string Id?:xs:string
ValidationError < ValidationItem:
ValidationWarning < ValidationItem:
ArrayOfValidationError: ValidationError?:ValidationError[]
ArrayOfValidationWarning: ValidationWarning?:ValidationWarning[]
ValidationResult: Errors?:ArrayOfValidationError Warnings?:ArrayOfValidationWarning

*d:Key:
*d:OrganizationKey < d:Key:
d:CompanyKey < d:OrganizationKey: Id:xs:int
d:Extension: ExtensionId?:xs:string
d:Context: WorkOnBehalfOf?:xs:string OrganizationKey?:d:OrganizationKey CultureName?:xs:string
  CurrencyType:d:CurrencyType RoleKey?:sec:RoleKey TenantName?:xs:string
sec:RoleKey < d:Key: Id:m:guid
"""

ENUMS = {
    "GLTransactionState": ("Work", "Open", "History"),
    "PayablesTransactionState": ("Work", "Open", "History"),
    "GLLedgerType": ("Base", "IFRS", "Local"),
    "SeriesType": ("Financial", "Sales", "Purchasing", "Inventory", "Payroll", "Project"),
    "PostingType": ("BalanceSheet", "ProfitLoss"),
    "TypicalBalance": ("Debit", "Credit"),
    "VendorScope": ("Return All", "Return Unassigned", "Return Assigned To Salesperson"),
    "EmployeeScope": ("Return All",),
    "d:CurrencyType": ("Local", "Transactional"),
}

OPERATIONS = {
    "GetCompanyList": ("criteria:CompanyCriteria", "ArrayOfCompany"),
    "GetGLTransactionList": ("criteria:GLTransactionCriteria", "ArrayOfGLTransactionSummary"),
    "GetGLTransactionByKey": ("key:GLTransactionKey", "GLTransaction"),
    "GetGLPostedTransactionByKey": ("key:GLTransactionPostedKey", "GLTransaction"),
    "GetGLPostingAccountList": ("criteria:GLPostingAccountCriteria", "ArrayOfGLPostingAccountSummary"),
    "GetGLUnitAccountList": ("criteria:GLUnitAccountCriteria", "ArrayOfGLUnitAccountSummary"),
    "GetGLAccountFormatList": ("criteria:GLAccountFormatCriteria", "ArrayOfGLAccountFormat"),
    "GetVendorList": ("criteria:VendorCriteria", "ArrayOfVendorSummary"),
    "GetPayablesInvoiceList": ("criteria:PayablesInvoiceCriteria", "ArrayOfPayablesInvoiceSummary"),
    "GetPayablesInvoiceByKey": ("key:PayablesDocumentKey", "PayablesInvoice"),
    "GetEmployeeList": ("criteria:EmployeeCriteria", "ArrayOfEmployeeSummary"),
    "GetLoggedValidationResultByKey": ("logId:m:guid", "ValidationResult"),
    "GetBatchByKey": ("key:BatchKey", "Batch"),
    "GetPolicyByOperation": ("operation:xs:string", "Policy"),
    "CreateGLTransaction": ("glTransaction:GLTransaction", ""),
}
"""By operation: what it is asked with, besides context and policy, and what it gives ("" for an empty answer)."""

WITH_POLICY = frozenset({"CreateGLTransaction"})
"""Operations that take a policy behind the context."""

_MEMBER = re.compile(r"(?P<name>\w+)(?P<need>[?~]?):(?P<type>(?:\w+:)?\w+)(?P<many>\[\])?")


def _read_types() -> dict[str, ComplexType]:
    types = {}
    for line in re.sub(r"\n {2}", " ", _TYPES).split("\n"):
        if not line:
            continue
        head, _, members = line.rpartition(": ") if ": " in line else (line.rstrip(":"), "", "")
        name, _, base = (part.strip() for part in head.partition(" < "))
        plain = name.lstrip("*")
        own = tuple(_member(word, _space(plain)) for word in members.split())
        types[plain] = ComplexType(plain, base, name.startswith("*"), own)
    return types


def _space(type_name: str) -> str:
    return NAMESPACES[type_name.rpartition(":")[0] or "tns"]


def _member(word: str, space: str) -> Member:
    match = _MEMBER.fullmatch(word)
    if match is None:
        raise ValueError(f"'{word}' is no member")
    need = match["need"]
    return Member(match["name"], match["type"], need == "?", need == "~", bool(match["many"]), space)


TYPES = _read_types()


@cache
def members_of(type_name: str) -> tuple[Member, ...]:
    """Return all members of a type in order of the wire, those of its base first."""
    found = TYPES[type_name]
    return (members_of(found.base) if found.base else ()) + found.members


def is_a(type_name: str, base: str) -> bool:
    """Say whether a type is another, or extends it."""
    return type_name == base or (type_name in TYPES and is_a(TYPES[type_name].base, base))


def parameters_of(operation: str) -> tuple[Member, ...]:
    """Return what an operation is asked with, in order: its own parameter, the context, and a policy if it has one."""
    name, _, type_name = OPERATIONS[operation][0].partition(":")
    policy = (Member("policy", "Policy", optional=True),) if operation in WITH_POLICY else ()
    return (Member(name, type_name, optional=True), Member("context", "d:Context", optional=True), *policy)


def result_of(operation: str) -> Member | None:
    """Return what an operation gives; None where the answer is empty."""
    given = OPERATIONS[operation][1]
    return Member(f"{operation}Result", given, optional=True) if given else None
