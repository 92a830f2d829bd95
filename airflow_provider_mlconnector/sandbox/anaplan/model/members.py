# SPDX-License-Identifier: Apache-2.0
"""Lists and their members: what a module's cells are counted by. Versions and Time are lists too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace


class MemberError(Exception):
    """A member cannot be added or changed so; ``reason`` is the detail code that an import reports."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a list. Names and codes are each unique in their list; not every member has a code."""

    id: str
    name: str
    code: str = ""
    parent_id: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the code, or the name of a member without one."""
        return self.code or self.name


DISPLAY_NAME = "Display Name"
"""Property of the members of a numbered list that keeps what people call them."""


class MemberList:
    """A list in the order in which its members were added.

    A list that belongs to a model's contents is never changed: whoever changes it works on a :meth:`copy`. The members
    of a numbered list are named ``#1``, ``#2`` … by Anaplan and known to imports by their codes alone; the name that
    an import or a person gives becomes their display name, which several may share.
    """

    def __init__(self, list_id: str, name: str, *, item_prefix: int, properties: tuple[str, ...] = ()) -> None:
        self.id = list_id
        self.name = name
        self.item_prefix = item_prefix
        self.properties = properties
        self.is_numbered = False
        self.next_index = 1
        self._by_id: dict[str, Member] = {}
        self._by_code: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._children: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[Member]:
        """Go through the members in order."""
        return iter(self._by_id.values())

    def copy(self) -> MemberList:
        """Return a list of the same members that can be changed."""
        twin = MemberList(self.id, self.name, item_prefix=self.item_prefix, properties=self.properties)
        twin.next_index, twin.is_numbered = self.next_index, self.is_numbered
        twin._by_id, twin._by_code, twin._by_name = dict(self._by_id), dict(self._by_code), dict(self._by_name)
        twin._children = Counter(self._children)
        return twin

    def by_id(self, member_id: str) -> Member | None:
        """Return the member of an id."""
        return self._by_id.get(member_id)

    def by_code(self, code: str) -> Member | None:
        """Return the member of a code."""
        return self._by_id.get(self._by_code.get(code, ""))

    def by_name(self, name: str) -> Member | None:
        """Return the member of a name."""
        return self._by_id.get(self._by_name.get(name, ""))

    def find(self, text: str) -> Member | None:
        """Return the member whose code, else whose name, is this text; in a numbered list the code alone counts."""
        return self.by_code(text) or (None if self.is_numbered else self.by_name(text))

    def called(self, member: Member) -> str:
        """Return what people call a member: its name, or the display name of one in a numbered list."""
        return member.properties.get(DISPLAY_NAME, member.name) if self.is_numbered else member.name

    def become_numbered(self) -> None:
        """Give the members numbers for names, as Anaplan does when a builder makes a list a numbered one."""
        members = list(self)
        self.is_numbered, self.properties = True, (*self.properties, DISPLAY_NAME)
        for member in members:
            self._take(member)
        for index, member in enumerate(members, start=1):
            self._put(replace(member, name=f"#{index}", properties={**member.properties, DISPLAY_NAME: member.name}))
        self.next_index = len(members) + 1

    def is_parent(self, member: Member) -> bool:
        """Say whether a member has children, so that its cells are sums."""
        return self._children[member.id] > 0

    def leaves(self) -> list[Member]:
        """Return the members without children."""
        return [member for member in self if not self.is_parent(member)]

    def leaves_under(self, member: Member) -> list[Member]:
        """Return the leaves that a member sums up; itself when it is one."""
        if not self.is_parent(member):
            return [member]
        children = [child for child in self if child.parent_id == member.id]
        return [leaf for child in children for leaf in self.leaves_under(child)]

    def add(
        self,
        name: str,
        code: str = "",
        parent: Member | None = None,
        *,
        member_id: str = "",
        properties: Mapping[str, str] | None = None,
    ) -> Member:
        """Add a member at the end.

        :raises MemberError: when the name or the code is taken.
        """
        if self.is_numbered:
            properties, name = {DISPLAY_NAME: name, **(properties or {})}, f"#{self.next_index}"
        self._check_free(name, code, but="")
        new_id = member_id or f"{self.item_prefix}{self.next_index:09d}"
        self.next_index += 1
        member = Member(new_id, name, code, parent.id if parent else None, dict(properties or {}))
        self._put(member)
        return member

    def change(
        self,
        member: Member,
        *,
        name: str,
        code: str,
        parent: Member | None,
        properties: Mapping[str, str] | None = None,
    ) -> Member:
        """Rename, recode or move a member.

        :raises MemberError: when the name or the code is taken, or the member would be its own ancestor.
        """
        if self.is_numbered:
            properties, name = {DISPLAY_NAME: name, **(properties or {})}, member.name
        self._check_free(name, code, but=member.id)
        if parent is not None and self._is_under(parent, member):
            raise MemberError("hierarchyImportInvalidParent", f'Invalid parent: "{parent.label}" is below "{name}"')
        changed = replace(
            member,
            name=name,
            code=code,
            parent_id=parent.id if parent else None,
            properties={**member.properties, **(properties or {})},
        )
        self._take(member)
        self._put(changed)
        return changed

    def remove(self, members: Iterable[Member]) -> int:
        """Remove members; children of a removed one move to the top. Return how many there were."""
        gone = {member.id: member for member in members}
        for member in gone.values():
            self._take(member)
            del self._by_id[member.id]
        for orphan in [member for member in self if member.parent_id in gone]:
            self._by_id[orphan.id] = replace(orphan, parent_id=None)
        for member_id in gone:
            self._children.pop(member_id, None)
        return len(gone)

    def _check_free(self, name: str, code: str, *, but: str) -> None:
        taken_name, taken_code = self._by_name.get(name, but), self._by_code.get(code, but) if code else but
        if taken_name != but or taken_code != but:
            raise MemberError("hierarchyImportNameOrCodeExists", f'Name or code already exists: "{code}" "{name}"')

    def _is_under(self, member: Member, ancestor: Member) -> bool:
        at: Member | None = member
        while at is not None and at.id != ancestor.id:
            at = self._by_id.get(at.parent_id or "")
        return at is not None

    def _put(self, member: Member) -> None:
        self._by_id[member.id] = member
        self._by_name[member.name] = member.id
        if member.code:
            self._by_code[member.code] = member.id
        if member.parent_id:
            self._children[member.parent_id] += 1

    def _take(self, member: Member) -> None:
        """Forget how a member is found and whose child it is; its place in the order stays."""
        self._by_name.pop(member.name, None)
        self._by_code.pop(member.code, None)
        if member.parent_id:
            self._children[member.parent_id] -= 1
