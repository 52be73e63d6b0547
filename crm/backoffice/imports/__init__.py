"""Imports as people do them: upload, columns, check, run, report."""
