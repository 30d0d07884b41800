"""Errors that a person can act on."""


class CourseError(Exception):
    """A mistake in the input: the message says the rule, the value seen and the way out, in one line."""
