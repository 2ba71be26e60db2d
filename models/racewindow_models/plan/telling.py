"""How the events of a plan are told: those of the exchange as ever, and beside them those of the runbook."""

from __future__ import annotations

from racewindow import Event
from racewindow_models.narrate import narrate_writes
from racewindow_models.narrate_market import narrate_reopening
from racewindow_models.telling import listed


def tell(event: Event) -> str | None:
    """The event as a person would tell it, without its time; None if it is not worth telling."""
    data = event.data
    match event.kind:
        case "runbook.step":
            if data["what"] == "begins":
                return None
            return f"{data['by']} {data['what']}: {data['step']}"
        case "runbook.cut":
            then = {"leave": "leaves it at that", "resume": "goes on", "roll back": "rolls back"}[data["then"]]
            return f"whoever carries out the runbook is cut off after {data['after']!r}; who comes then {then}"
        case "mode.changed":
            return f"the markets are {str(data['mode']).replace('_', '-')} from now on"
        case "writer.up":
            return f"{data['instance']} starts"
        case "snapshot.taken":
            return f"a snapshot is taken: block {data['height']}, and the accounts at it"
        case "part.restored":
            return None if data["part"] == "chain" else f"the {data['part']} is restored to the snapshot"
        case "chain.rolled_back":
            return f"the chain goes back to block {data['block'].height}, and the accounts with it"
        case "halt.left":
            return f"the halt is left with block {data['block'].height}"
        case "config.activated":
            lacks = f", which lacks {listed(data['absent'])}" if data["absent"] else ""
            return f"every service that connects from now on gets {data['config']}{lacks}"
        case "validation.done" | "book.answered" | "mark.skewed" | "clearing.changed":
            return narrate_reopening(event)
        case "window.left":
            writers = " and ".join(data["writers"]) or "no writer"
            return f"the window is over: {data['routed']} is in use, {writers} can write"
    return narrate_writes(event)
