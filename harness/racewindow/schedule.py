"""Schedules: the sparse list of deviations from the default order, the only artefact of a failure.

Every decision has ordered options and option 0 is the dullest: keep running the same task, no fault, the first value.
A deviation names one decision at which another option is taken. It is keyed by a task and that task's own step
number, never by a global step number, so that it keeps its meaning when another deviation is removed:

* a scheduling decision by the task that has just finished a step (`START` before the first step) and the number of that
  step, with `index` counting clock advances since that step;
* a value decision by the task whose step is in progress and the number of that step, with `index` counting the value
  decisions of that step;
* a fault decision likewise, with `index` counting the fault points of that step, whatever they offer.

Options have stable names: the path id of a task (`main/0/2`), `CLOCK`, the position of a value, or the text of a fault.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from racewindow.errors import InputError

Kind = Literal["task", "value", "fault"]
START = "start"
"""The `task` of the scheduling decision before the first step."""
CLOCK = "clock"
"""The option of a scheduling decision that lets time pass instead of running a task."""
TOKEN_PREFIX = "rw1-"
_KINDS: tuple[Kind, ...] = ("task", "value", "fault")
_FINGERPRINT_BYTES = 3


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """At decision (`kind`, `task`, `step`, `index`) take the option called `option` instead of the default."""

    task: str
    step: int
    kind: Kind
    index: int
    option: str

    @property
    def key(self) -> tuple[str, int, Kind, int]:
        """What identifies the decision; a schedule holds each key once."""
        return (self.task, self.step, self.kind, self.index)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything needed to run one execution again, and nothing else.

    `deviations` in the order in which they were taken. `params` and `safeguards` are the scenario's; `feed` is the
    path of the feed file or None for the scenario's own. `limits`: `step_limit` and `step_timeout` where they are not
    the default: a livelock or a hang is one only under the same limit. `fingerprint`: six hexadecimal digits of the
    scenario's name and source, empty if unknown. `faults`: each that strikes, as the deviations name it, and where its
    class is (`package.module:Class`, "" for an installed kind). `constraints`: the orders that it was made to keep, as
    texts. Equality and hashing go by value.
    """

    deviations: tuple[Deviation, ...] = ()
    seed: int = 0
    semantics: str = "processes"
    clock: str = "idle"
    params: Mapping[str, Any] = field(default_factory=dict)
    safeguards: tuple[str, ...] = ()
    feed: str | None = None
    feed_options: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.deviations, self.seed, self.semantics, self.clock, self.safeguards, self.feed))

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form; `from_dict` is its inverse."""
        return {
            "seed": self.seed,
            "semantics": self.semantics,
            "clock": self.clock,
            "params": dict(self.params),
            "safeguards": list(self.safeguards),
            "feed": self.feed,
            "feed_options": dict(self.feed_options),
            "limits": dict(self.limits),
            "fingerprint": self.fingerprint,
            "faults": dict(self.faults),
            **({"constraints": list(self.constraints)} if self.constraints else {}),
            "deviations": [
                {"task": d.task, "step": d.step, "kind": d.kind, "index": d.index, "option": d.option}
                for d in self.deviations
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schedule:
        """Read what `as_dict` wrote.

        Raises InputError if a field is missing, of the wrong type, or has a value that no schedule can have.
        """
        try:
            _typed(data, dict, "the schedule")
            schedule = cls(
                deviations=tuple(_deviation_from_dict(d) for d in _typed(data["deviations"], list, "deviations")),
                seed=_typed(data["seed"], int, "seed"),
                semantics=_one_of(data["semantics"], ("processes", "trio"), "semantics"),
                clock=_one_of(data["clock"], ("idle", "racing"), "clock"),
                params=dict(_typed(data["params"], dict, "params")),
                safeguards=tuple(_typed(s, str, "safeguards") for s in _typed(data["safeguards"], list, "safeguards")),
                feed=None if data["feed"] is None else _typed(data["feed"], str, "feed"),
                feed_options=dict(_typed(data.get("feed_options", {}), dict, "feed_options")),
                limits=_limits(data.get("limits", {})),
                fingerprint=_fingerprint(data["fingerprint"]),
                faults={
                    name: _typed(home, str, name)
                    for name, home in _typed(data.get("faults", {}), dict, "faults").items()
                },
                constraints=tuple(_typed(each, str, "constraints") for each in data.get("constraints", ())),
            )
            _distinct(schedule.deviations)
        except KeyError as error:
            raise InputError("the schedule is damaged.", why=f"{error.args[0]} is missing.") from None
        except (TypeError, _DamagedError) as error:
            raise InputError("the schedule is damaged.", why=f"{error}.") from None
        return schedule

    def token(self) -> str:
        """The schedule as one short word for pasting, `rw1-...`; `from_token` is its inverse."""
        return TOKEN_PREFIX + base64.urlsafe_b64encode(_pack(self)).decode("ascii").rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> Schedule:
        """Read a word written by `token`; white space that a terminal or a mail put into it does not matter.

        Raises InputError if it is not one, or was damaged while it was copied: any change of up to 32 bits in a row is
        noticed with certainty, any other but for one in 4,294,967,296.
        """
        word = "".join(token.split())
        if not word.startswith(TOKEN_PREFIX):
            raise InputError(
                f"{word[:60]!r} is not a schedule token.",
                why=f"tokens of this version begin with {TOKEN_PREFIX!r}.",
                do="copy the whole word from the failure's text, or replay the failure's file instead.",
            )
        try:
            return _unpack(_decode(word[len(TOKEN_PREFIX) :]))
        except (ValueError, LookupError, TypeError, RecursionError, zlib.error, InputError) as error:
            raise InputError(
                f"the schedule token {word if len(word) <= 60 else word[:60] + '…'} is damaged.",
                why=f"{error}." if isinstance(error, _DamagedError) else "its bytes make no schedule.",
                do="copy the whole word again, or replay the failure's file instead.",
            ) from None


# --- the token -------------------------------------------------------------------------------------------------------
#
# Bytes: flags, fingerprint (3) if it is known, seed, number of deviations, deviations, then the rest as compressed JSON
# if there is any, and last the CRC-32 of all that (4, little endian, as its guarantee for bursts wants it). Numbers are
# LEB128. A deviation begins with 8 * step + 4 if an index above 0 follows + its kind. A name begins with 4 * n + its
# form: the n-th of `_WORDS`, the task `main/n`, the number n, or something longer, of which n % 2 says whether it is
# n // 2 bytes of text or a task path of n // 2 numbers. So the usual deviation takes three bytes.

_WORD, _CHILD, _NUMBER, _LONGER = range(4)
_WORDS = (START, CLOCK, "main")
_CHECK_BYTES = 4
_REST_BYTES_MAX = 1_000_000


class _DamagedError(ValueError):
    """A token that is no token, with the reason."""


def _pack(schedule: Schedule) -> bytes:
    rest = {
        key: value
        for key, value in (
            ("p", dict(schedule.params)),
            ("s", list(schedule.safeguards)),
            ("f", schedule.feed),
            ("o", dict(schedule.feed_options)),
            ("l", dict(schedule.limits)),
            ("x", dict(schedule.faults)),
            ("c", list(schedule.constraints)),
        )
        if value
    }
    flags = (
        (schedule.semantics == "trio")
        | (schedule.clock == "racing") << 1
        | bool(rest) << 2
        | bool(schedule.fingerprint) << 3
    )
    out = bytearray([flags])
    if schedule.fingerprint:
        out += bytes.fromhex(schedule.fingerprint)
    _put(out, schedule.seed * 2 if schedule.seed >= 0 else -schedule.seed * 2 - 1)
    _put(out, len(schedule.deviations))
    for deviation in schedule.deviations:
        _put(out, deviation.step << 3 | bool(deviation.index) << 2 | _KINDS.index(deviation.kind))
        if deviation.index:
            _put(out, deviation.index)
        _put_name(out, deviation.task)
        _put_name(out, deviation.option)
    if rest:
        out += _deflate(json.dumps(rest, sort_keys=True, separators=(",", ":"), default=str).encode())
    return bytes(out) + zlib.crc32(out).to_bytes(_CHECK_BYTES, "little")


def _decode(body: str) -> bytes:
    """The bytes of a token without their check."""
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _DamagedError("it is cut off, or has a character that no token has") from None
    if base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=") != body:
        raise _DamagedError("its characters do not belong together")
    content, check = packed[:-_CHECK_BYTES], packed[-_CHECK_BYTES:]
    if zlib.crc32(content).to_bytes(_CHECK_BYTES, "little") != check:
        raise _DamagedError("its check does not match: a character was changed, lost or added")
    return content


def _unpack(packed: bytes) -> Schedule:
    flags, at = packed[0], 1
    fingerprint = ""
    if flags & 8:
        fingerprint, at = packed[at : at + _FINGERPRINT_BYTES].hex(), at + _FINGERPRINT_BYTES
    zigzag, at = _get(packed, at)
    count, at = _get(packed, at)
    deviations = []
    for _ in range(count):
        head, at = _get(packed, at)
        index, at = _get(packed, at) if head & 4 else (0, at)
        task, at = _get_name(packed, at)
        option, at = _get_name(packed, at)
        deviations.append({"task": task, "step": head >> 3, "kind": _KINDS[head & 3], "index": index, "option": option})
    rest = _inflate(packed[at:]) if flags & 4 else {}
    if not flags & 4 and at != len(packed):
        raise _DamagedError("there is something behind its end")
    return Schedule.from_dict(
        {
            "deviations": deviations,
            "seed": zigzag // 2 if zigzag % 2 == 0 else -(zigzag + 1) // 2,
            "semantics": "trio" if flags & 1 else "processes",
            "clock": "racing" if flags & 2 else "idle",
            "params": rest.get("p", {}),
            "safeguards": rest.get("s", []),
            "feed": rest.get("f"),
            "feed_options": rest.get("o", {}),
            "limits": rest.get("l", {}),
            "faults": rest.get("x", {}),
            "constraints": rest.get("c", []),
            "fingerprint": fingerprint,
        }
    )


def _deflate(text: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15)  # bare: a header and a check of its own would cost eight characters
    return deflater.compress(text) + deflater.flush()


def _inflate(data: bytes) -> dict[str, Any]:
    inflater = zlib.decompressobj(wbits=-15)
    text = inflater.decompress(data, _REST_BYTES_MAX)
    if not inflater.eof or inflater.unused_data:
        raise _DamagedError("there is something behind its end")
    return dict(_typed(json.loads(text), dict, "the rest of the token"))


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _get(packed: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = packed[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def _is_number(text: str) -> bool:
    return len(text) <= 18 and text.isascii() and text.isdecimal() and str(int(text)) == text


def _put_name(out: bytearray, name: str) -> None:
    parts = name.split("/")
    is_path = parts[0] == "main" and all(map(_is_number, parts[1:]))
    if name in _WORDS:
        _put(out, _WORDS.index(name) << 2 | _WORD)
    elif is_path and len(parts) == 2:
        _put(out, int(parts[1]) << 2 | _CHILD)
    elif _is_number(name):
        _put(out, int(name) << 2 | _NUMBER)
    elif is_path:
        _put(out, (len(parts) - 1) << 3 | _LONGER)
        for part in parts[1:]:
            _put(out, int(part))
    else:
        text = name.encode("utf-8", "surrogatepass")
        _put(out, len(text) << 3 | 4 | _LONGER)
        out += text


def _get_name(packed: bytes, at: int) -> tuple[str, int]:
    head, at = _get(packed, at)
    size, form = head >> 2, head & 3
    if form == _WORD:
        return _WORDS[size], at
    if form == _CHILD:
        return f"main/{size}", at
    if form == _NUMBER:
        return str(size), at
    if size % 2:
        end = at + size // 2
        if end > len(packed):
            raise _DamagedError("a name is cut off")
        return packed[at:end].decode("utf-8", "surrogatepass"), end
    parts = ["main"]
    for _ in range(size // 2):
        number, at = _get(packed, at)
        parts.append(str(number))
    return "/".join(parts), at


# --- reading JSON ----------------------------------------------------------------------------------------------------


def _distinct(deviations: tuple[Deviation, ...]) -> None:
    if len({d.key for d in deviations}) != len(deviations):
        raise _DamagedError("two deviations belong to the same decision")


def _deviation_from_dict(data: Any) -> Deviation:
    _typed(data, dict, "a deviation")
    return Deviation(
        task=_typed(data["task"], str, "task"),
        step=_counted(data["step"], "step"),
        kind=_one_of(data["kind"], _KINDS, "kind"),  # type: ignore[arg-type]  # checked to be one of them
        index=_counted(data["index"], "index"),
        option=_typed(data["option"], str, "option"),
    )


def _limits(data: Any) -> dict[str, float]:
    for name, value in _typed(data, dict, "limits").items():
        _one_of(name, ("step_limit", "step_timeout"), "limits")
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
            msg = f"limits: {name} should be a number above 0, not {value!r:.60}"
            raise TypeError(msg)
    return dict(data)


def _typed(value: Any, kind: type, field_name: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        msg = f"{field_name} should be {_IN_WORDS[kind]}, not {value!r:.60}"
        raise TypeError(msg)
    return value


_IN_WORDS: Mapping[type, str] = {int: "a whole number", str: "text", dict: "an object", list: "a list"}


def _counted(value: Any, field_name: str) -> int:
    if _typed(value, int, field_name) < 0:
        raise _DamagedError(f"{field_name} should not be negative, as {value} is")
    return int(value)


def _fingerprint(value: Any) -> str:
    text = str(_typed(value, str, "fingerprint"))
    if text and (len(text) != 2 * _FINGERPRINT_BYTES or set(text) - set("0123456789abcdef")):
        raise _DamagedError(f"fingerprint should be six hexadecimal digits, not {text!r:.60}")
    return text


def _one_of(value: Any, known: tuple[str, ...], field_name: str) -> str:
    if value not in known:
        msg = f"{field_name} should be one of {', '.join(known)}, not {value!r:.60}"
        raise TypeError(msg)
    return str(value)
