"""The tests; a package so that helpers are imported by one unambiguous name: `from tests.helper import ...`."""
