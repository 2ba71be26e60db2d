"""The runtime: trio's own tasks, nurseries, scopes and channels under a loop that asks which task steps next.

Nothing in here knows a strategy, a checker or a report. `execution.run_once` is the door.
"""
