"""Robust accuracy: suites of attacks, records, flags and reports."""
