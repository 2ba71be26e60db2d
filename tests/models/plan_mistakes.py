"""The kinds of mistake that a plan can have: how each gets into the template, and what has to be said of it."""
# ruff: noqa: E501  # a table: a line is a kind

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """One kind of mistake: how it gets into the template, and what has to be said of it."""

    kind: str
    old: str
    new: str
    key: str
    wrong: str
    expected: str
    nearest: str = ""


STOP = 'do = "stop"\ninstances = ["writer-1"]'
COPY = 'when_gone = ["writer-1"]            # waits for this'
SWITCH = 'not_before = "60 s"                 # counted from the start of the window'
START = 'instances = ["writer-2", "committer", "liquidator"]'
CHECKS = "safe_to_leave = true"
SAFEGUARD = "presence_required = false"
LAST_STEP = 'by = "operator"\ndo = "start"'
DROP = START + '\n\n[[runbook]]\nstep = "drop"\nby = "operator"\ndo = "drop"\n'

RESTORE = '\n[[runbook]]\nstep = "back"\nby = "operator"\ndo = "restore"\nparts = [{}]\n'
VALIDATE = '\n[[runbook]]\nstep = "v"\nby = "operator"\ndo = "validate"\nagainst = "{}"\non_rejection = "abort"\n'
COMMITTER = '[services.committer]                # takes what is published to both sinks\nat_start = "down"'
GRACE = "[services.liquidator]               # closes accounts below their margin\n"

FEED = '# file = "prices.csv"'

CATALOGUE = [
    # the file as a whole
    Mistake("no TOML", "plan = 1 ", "plan 1 ", "", "this is not TOML", "`key = value`"),
    Mistake("key twice", 'tick = "5 s"', 'tick = "5 s"\ntick = "6 s"', "", "overwrite", "`key = value`"),
    Mistake("missing version", "plan = 1 ", "#", "", "the version of the format is missing", "`plan = 1`"),
    Mistake("other version", "plan = 1 ", "plan = 2 ", "plan", "the version of the format is 2", "1, the only one", "1"),
    Mistake("missing system", 'system = "exchange"', "#", "", "the key 'system' is missing", "exchange"),
    Mistake("unknown system", 'system = "exchange"', 'system = "exchang"', "system", "no plan system", "exchange", "exchange"),
    # keys
    Mistake("wrong key", "tick = ", "tik = ", "feed.tik", "no key in [feed] called 'tik'", "tick", "tick"),
    Mistake("wrong table", "[database]", "[databse]", "databse", "no key in the plan", "database", "database"),
    Mistake("wrong key of a step", COPY, 'when_done = ["writer-1"]', "runbook[2].when_done", "no key", "when_gone", ""),
    Mistake("key of another kind of step", COPY, 'instances = ["writer-1"]', "runbook[2].instances", "no key", "markets"),
    Mistake("missing key", 'start_up = "load"', "#", "services.writer.start_up", "'start_up' is missing", "what a started instance"),
    Mistake("missing readiness", 'ready = "loaded"', "#", "services.writer.ready", "'ready' is missing", "when it says that it"),
    Mistake("missing table", "[people]", "[poeple]", "poeple", "no key in the plan", "people", "people"),
    Mistake("missing kind of step", 'do = "switch"', "", "runbook[3]", "'do' is missing", "one of stop, start, copy"),
    Mistake("missing person", LAST_STEP + "\n" + START, 'do = "mode"\nmode = "open"', "runbook[4].by", "'by' is missing in step 4", "who does it"),
    Mistake("missing target", START, "", "runbook[4].instances", "'instances' is missing in step 4", "the instances"),
    # types
    Mistake("text for a number", "markets = 1", 'markets = "1"', "exchange.markets", "'1' is text", "a whole number"),
    Mistake("number for text", FEED, "file = 3", "feed.file", "3 is a number", "text in quotes"),
    Mistake("text for true", CHECKS, 'safe_to_leave = "yes"', "checks.safe_to_leave", "'yes' is text", "true or false"),
    Mistake("text for a list", 'instances = ["writer-1"]', 'instances = "writer-1"', "runbook[1].instances", "text", "a list"),
    Mistake("fraction for a count", "ticks = 1", "ticks = 1.5", "exchange.ticks", "1.5 is a number", "a whole number"),
    # quantities
    Mistake("unit missing", '"60 s"                # when', "60                # when", "exchange.first_round", "60 lacks its unit", "(ms, s, min, h)", "60 s"),
    Mistake("unit missing in text", 'max_age = "15 s"', 'max_age = "15"', "exchange.max_age", "'15' lacks its unit", "ms, s, min"),
    Mistake("unknown unit", 'max_age = "15 s"', 'max_age = "15 d"', "exchange.max_age", "there is no unit 'd'", "ms, s, min"),
    Mistake("negative duration", SWITCH, 'not_before = "-5 s"', "runbook[3].not_before", "below 0", "at least 0"),
    Mistake("zero duration", 'tick = "5 s"', 'tick = "0 s"', "feed.tick", "not above 0", "above 0"),
    Mistake("no duration", SWITCH, 'takes = ["5 s", "soon"]', "runbook[3].takes", "'soon' is no such quantity", '"30 s"'),
    Mistake("no time at all", SWITCH, "takes = []", "runbook[3].takes", "it is empty", "one time or several"),
    Mistake("too fine", 'tick = "5 s"', 'tick = "1500 ms"', "feed.tick", "too fine", "whole seconds"),
    Mistake("count of too many", "accounts = 2", "accounts = 1000000", "exchange.accounts", "1000000 is too large", "at most 1000"),
    Mistake("longer than a week", SWITCH, 'not_before = "99999999999 h"', "runbook[3].not_before", "is too much", "at most a week"),
    Mistake("share of too much", 'max_age = "15 s"', 'basis = "99999999 bps"', "exchange.basis", "is too much", "at most 1000 %"),
    Mistake("count of none", "markets = 1", "markets = 0", "exchange.markets", "0 is too small", "at least 1"),
    # words
    Mistake("unknown kind of step", 'do = "switch"', 'do = "swich"', "runbook[3].do", "no kind of step called 'swich'", "switch", "switch"),
    Mistake("unknown word", 'start_up = "load"', 'start_up = "lode"', "services.writer.start_up", "'lode'", "load, warm", "load"),
    Mistake("unknown state", '"idle"', '"idel"', "services.writer.instances.writer-1", "'idel'", "working, idle, down", "idle"),
    Mistake("unknown reaction", SWITCH, 'within = "1 min"\non_overrun = "rollback"', "runbook[3].on_overrun", "'rollback'", "roll back", "roll back"),
    # names that refer to each other
    Mistake("unknown person", LAST_STEP, 'by = "opertor"\ndo = "start"', "runbook[4].by", "no person", "operator", "operator"),
    Mistake("unknown instance", START, 'instances = ["writer-3"]', "runbook[4].instances[1]", "no instance", "writer-1, writer-2", "writer-2"),
    Mistake("unknown service", COPY, 'when_ready = ["comitter"]', "runbook[2].when_ready[1]", "no instance", "committer", "committer"),
    Mistake("unknown step", SWITCH, 'after = ["copy rows"]', "runbook[3].after[1]", "no step", "copy the rows", "copy the rows"),
    Mistake("unknown market", COPY, 'markets = ["XPR"]', "runbook[2].markets[1]", "no market", "XRP", "XRP"),
    Mistake("unknown safeguard", SAFEGUARD, "presence_requird = true", "safeguards.presence_requird", "no safeguard", "fencing", "presence_required"),
    Mistake("safeguard of other services", SAFEGUARD, "insurance_first = true", "safeguards.insurance_first", "no safeguard", "fencing"),
    Mistake("safeguard not listed", SWITCH, 'only_with = "fencing"', "runbook[3].only_with", "no safeguard in", "require_ready"),
    Mistake("safeguard without a step", SAFEGUARD, "copy_complete = true", "safeguards.copy_complete", "does nothing", 'only_with = "copy_complete"'),
    Mistake("unknown check", CHECKS, "safe_to_leaf = true", "checks.safe_to_leaf", "no check", "conservation", "safe_to_leave"),
    Mistake("check without its bound", CHECKS, "eventually_reopens = true", "checks.eventually_reopens", "lacks its bound", "within"),
    Mistake("bound without unit", CHECKS, "eventually_reopens = { within = 5 }", "checks.eventually_reopens.within", "lacks its unit", "5 s"),
    Mistake("bound for another check", CHECKS, 'safe_to_leave = { within = "5 s" }', "checks.safe_to_leave", "takes no bound", "true or false"),
    Mistake("never reopens", CHECKS, 'eventually_reopens = { within = "5 min" }', "checks.eventually_reopens", "never open", 'mode = "open"'),
    Mistake("unknown fault", "[checks]", '[faults]\nkinds = ["crahs"]\n[checks]', "faults.kinds[1]", "no kind of fault", "racewindow faults", "crash"),
    Mistake("budget for nothing", "[checks]", "[faults]\nbudget = 1\n[checks]", "faults.budget", "nothing that it", "kinds in", "0"),
    # what cannot be
    Mistake("cyclic waits", COPY, 'after = ["start the services"]', "runbook[2].after", "can never be taken", "come before it"),
    Mistake("waits for what never starts", START, 'instances = ["committer"]\nwhen_ready = ["writer-2"]', "runbook[4].when_ready[1]", "no step starts it", "up at some time"),
    Mistake("waits for what never stops", STOP, 'do = "wait"', "runbook[2].when_gone[1]", "no step stops it", "stopped by a step"),
    Mistake("two steps of one name", 'step = "copy the rows"', 'step = "stop the old writer"', "runbook[2].step", "two steps", "a name of its own"),
    Mistake("start of what is up", STOP, 'do = "start"\ninstances = ["writer-1"]', "runbook[1].instances[1]", "is up already", "that is down"),
    Mistake("stop of what is down", 'do = "start"\n' + START, 'do = "stop"\ninstances = ["writer-2"]', "runbook[4].instances[1]", "no step starts it", "up at some time"),
    Mistake("times in the wrong order", LAST_STEP, LAST_STEP + '\nnot_before = "10 s"', "runbook[4].not_before", "10 s is before", "at least 60 s"),
    Mistake("limit without a reaction", SWITCH, 'within = "1 min"', "runbook[3].within", "'on_overrun' is missing", "abort"),
    Mistake("reaction without a limit", SWITCH, 'on_overrun = "abort"', "runbook[3].on_overrun", "'within' is missing", '"5 min"'),
    Mistake("copy of what is gone", START, DROP + '[[runbook]]\nstep = "again"\nby = "operator"\ndo = "copy"', "runbook[6].do", "has dropped what it copies", "before that one"),
    Mistake("no way back", START, DROP + 'within = "1 min"\non_overrun = "roll back"', "runbook[5].on_overrun", "cannot be rolled back", "abort", "abort"),
    Mistake("no way back from a cut", START, DROP + '[cut_off]\nthen = "roll back"', "cut_off.then", "not every cut", "resume", "resume"),
    Mistake("one version of the database", '"db-old", "db-new"', '"db", "db"', "database.versions", "both versions", "two names"),
    Mistake("only one version", '"db-old", "db-new"', '"db-old"', "database.versions", "it has 1 entry", "exactly 2"),
    Mistake("three versions", '"db-old", "db-new"', '"a", "b", "c"', "database.versions", "3 entries", "exactly 2"),
    Mistake("name of another service", "instances.writer-2", "instances.committer", "services.writer.instances.committer", "another service", "of its own", "writer-1"),
    Mistake("person called like an instance", 'operator = "', 'writer-1 = "x"\noperator = "', "people.writer-1", "is an instance", "a name of their own"),
    Mistake("no feed there", FEED, 'file = "nowhere.csv"', "feed.file", "there is no file", "a CSV file"),
    # going back, validating, opening
    Mistake("unknown part", SWITCH, SWITCH + RESTORE.format('"chian"'), "runbook[4].parts[1]", "it cannot be 'chian'", "chain, cloud, database", "chain"),
    Mistake("part named twice", SWITCH, SWITCH + RESTORE.format('"chain", "chain"'), "runbook[4].parts[2]", "named twice", "each part once"),
    Mistake("nothing to restore", SWITCH, SWITCH + RESTORE.format(""), "runbook[4].parts", "it is empty", "at least one entry"),
    Mistake("unknown source of a validation", SWITCH, SWITCH + VALIDATE.format("clod"), "runbook[4].against", "it cannot be 'clod'", "cloud, state before", "cloud"),
    Mistake("validation without a reaction", SWITCH, SWITCH + VALIDATE.format("cloud").replace("on_rejection", "# "), "runbook[4].on_rejection", "'on_rejection' is missing", "what happens if something is wrong"),
    Mistake("validation that is not waited for", SWITCH, SWITCH + VALIDATE.format("cloud") + 'within = "1 min"\non_overrun = "continue"', "runbook[4].on_overrun", "nobody can go on", "abort", "abort"),
    Mistake("validation of what never comes", COMMITTER, VALIDATE.format("cloud") + 'block_since = "5 s"', "runbook[1].block_since", "no committer", "[services.committer]"),
    Mistake("validation while the committer stays down", START, 'instances = ["writer-2"]\n' + VALIDATE.format("cloud") + 'block_since = "5 s"', "runbook[5].block_since", "no step starts the committer", 'do = "start"'),
    Mistake("instance named twice", START, 'instances = ["writer-2", "writer-2"]', "runbook[4].instances[2]", "named twice", "each instance once"),
    Mistake("negative grace", GRACE, GRACE + 'grace = "-1 s"\n', "services.liquidator.grace", "below 0", "at least 0"),
    Mistake("grace of another service", "[services.committer]", '[services.committer]\ngrace = "5 s"', "services.committer.grace", "no key in [services.committer]", "at_start"),
    Mistake("safeguard of a rollback that is not", SAFEGUARD, "outbox = true", "safeguards.outbox", "nothing is restored", 'do = "restore"'),
    Mistake("safeguard of a validation that is not", SAFEGUARD, "re_evaluate = true", "safeguards.re_evaluate", "validates anything", 'do = "validate"'),
    Mistake("safeguard of a grace that is not", SAFEGUARD, "liquidation_grace = true", "safeguards.liquidation_grace", "no grace period", "grace in"),
    Mistake("decision without its bound", CHECKS, "decision_inputs_fresh = true", "checks.decision_inputs_fresh", "lacks its bound", "within"),
    Mistake("nobody comes back", "[checks]", "[book]\n[checks]", "book", "nobody ever trades", 'do = "bring back"'),
    Mistake("nowhere to come back to", 'do = "switch"', 'do = "bring back"', "runbook[3].do", "nobody trades in this plan", "[book]"),
    Mistake("two liquidators", "[checks]", "[book]\n[checks]", "services.liquidator", "a liquidator among them", "[book] without"),
    Mistake("bid outside the band", "[checks]", '[book]\ndepth = "40 %"\n[checks]', "book.depth", "outside the general price band", "below 30 %"),
    Mistake("name of who comes back", "[people]", '[book]\n[people]\nmaker = "m"', "people.maker", "one of those who are brought back", "a name of its own"),
    Mistake("safeguard of a book that is not", SAFEGUARD, "post_only_band = true", "safeguards.post_only_band", "it has no order book", "[book]"),
    Mistake("nothing is checked", "no_false_liquidation = true\nready_before_write = true\nsafe_to_leave = true", "safe_to_leave = false", "checks", "nothing is checked", "at least one"),
]  # fmt: skip
