"""Faults of configuration: what a service starts with is not what was rolled out last, or not all of it.

A configuration with fields is a mapping, a dataclass or a named tuple; any other is taken as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar, cast

from racewindow import ConfigFault, UsageError, fault_parameter
from racewindow_faults.structured import changed_fields, fields_of, version_back, with_fields

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ConfigFault(ConfigFault):
    family: ClassVar[str] = "config"
    points: ClassVar[tuple[str, ...]] = ("config.load",)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldConfig(_ConfigFault):
    """The service starts with an old version of its configuration, while others have the new one."""

    kind: ClassVar[str] = "old-config"

    versions_back: int = fault_parameter(1, "how old it is", unit="versions", least=1, mildest=1)

    def loaded(self, versions: Sequence[T]) -> T:
        """An older one, the oldest if there are not so many."""
        return cast("T", version_back(versions, self.versions_back))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongOrder(_ConfigFault):
    """The last two changes are applied in the wrong order: what both of them set is as the earlier one says."""

    kind: ClassVar[str] = "wrong-order"

    def loaded(self, versions: Sequence[T]) -> T:
        """The newest, with the change before the last applied on top of it."""
        newest, before = versions[-1], cast("T", version_back(versions, 1))
        if not fields_of(newest):
            return before
        return cast("T", with_fields(newest, changed_fields(version_back(versions, 2), before)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagReuse(_ConfigFault):
    """A flag is as in the newest version and all else as in the one before, for which the flag means something else."""

    kind: ClassVar[str] = "flag-reuse"

    flag: str = fault_parameter("", "which field; the first that differs if none is named")

    def loaded(self, versions: Sequence[T]) -> T:
        """The version before, with the flag of the newest."""
        newest, before = versions[-1], cast("T", version_back(versions, 1))
        known, changed = fields_of(newest), changed_fields(before, newest)
        if self.flag and self.flag not in known:
            raise UsageError(
                f"{self.kind}: the configuration has no flag {self.flag!r}.",
                why=f"its fields are: {', '.join(known) or 'none, it is one value'}.",
                do="name another flag, leave it out for the first that differs, or give a target.",
            )
        flag = self.flag or next(iter(changed), "")
        return cast("T", with_fields(before, {flag: known[flag]})) if flag else before


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRollout(_ConfigFault):
    """Only the first fields of the last change have arrived; what has no fields is as before the change."""

    kind: ClassVar[str] = "partial-rollout"

    applied_fields: int = fault_parameter(1, "how many have arrived", unit="fields", least=0)

    def loaded(self, versions: Sequence[T]) -> T:
        """The version before, with a part of the change."""
        newest, before = versions[-1], cast("T", version_back(versions, 1))
        arrived = list(changed_fields(before, newest).items())[: self.applied_fields]
        return cast("T", with_fields(before, dict(arrived))) if arrived else before
