"""Grading and running the course: problem sets, classes, the author's gate, and the ``course`` command."""

import sys

# Importing nbformat would otherwise compile a grammar of international web addresses, a second of computing time in
# each process of a grading run. It serves a check (the format "iri" of jsonschema) that no notebook asks for, and
# jsonschema does without it where it is not installed.
sys.modules.setdefault("rfc3987_syntax", None)
