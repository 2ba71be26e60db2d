"""Maintenance plans of the exchange: a window as data, checked, shown as a timeline, and run by the same services."""
