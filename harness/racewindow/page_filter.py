"""What a reader can choose on the page of a failure: which order, whose steps, about what, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from racewindow.markup import Html, tag
from racewindow.picture import Act, Line

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Names:
    """What filters go by: numbers of the tasks and of the objects, the same in both orders."""

    lanes: Mapping[str, int]
    objects: Mapping[str, int]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Names:
        """All that occur."""
        acts = [act for line in lines for act in line.acts]
        lanes = dict.fromkeys(act.lane for act in acts)
        objects = dict.fromkeys(touch.key for act in acts for touch in act.touches if touch.tracked)
        return cls({each: at for at, each in enumerate(lanes)}, {each: at for at, each in enumerate(objects)})

    def filters(self, act: Act) -> dict[str, str]:
        """The attributes of a row that a filter looks at."""
        numbers = {self.objects[touch.key] for touch in act.touches if touch.tracked}
        return {
            "data_lane": str(self.lanes[act.lane]),
            "data_objects": " ".join(map(str, sorted(numbers))),
            "data_time": _seconds(act.time_ns),
        }


def filter_form(names: Names, lines: Sequence[Line]) -> Html:
    """Shown by the script, without which it does nothing."""

    def select(label: str, name: str, items: Mapping[str, int]) -> Html:
        options = [tag("option", each, value=number) for each, number in sorted(items.items())]
        return tag("label", f"{label} ", tag("select", tag("option", "all of them", value=""), options, name=name))

    def radio(label: str, value: str) -> Html:
        return tag("label", tag("input", type="radio", name="order", value=value, checked=value == "both"), f" {label}")

    def moment(label: str, name: str, example: str) -> Html:
        box = tag("input", type="number", name=name, step="any", placeholder=example)
        return tag("label", f"{label} ", box, " s")

    last = _seconds(max((act.time_ns for line in lines for act in line.acts), default=0))
    radios = [radio("both", "both"), radio("failing", "0"), radio("reversed", "1")]
    return tag(
        "form",
        tag("fieldset", tag("legend", "Order"), radios) if len(lines) > 1 else None,
        select("Service", "lane", names.lanes),
        select("Object", "object", names.objects),
        moment("From", "from", "0"),
        moment("to", "to", last),
        tag("button", "Show all", type="reset"),
        tag("span", id="shown", role="status", class_="soft"),
        id="filter",
        aria_label="Filter the steps",
        hidden=True,
    )


def _seconds(time_ns: int) -> str:
    """Virtual time in seconds, with no more digits than it has."""
    whole, rest = divmod(time_ns, _NS)
    return f"{whole}.{rest:09}".rstrip("0").rstrip(".")
