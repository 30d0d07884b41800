"""Grading and running the course: problem sets, classes, the author's gate, and the ``course`` command."""
