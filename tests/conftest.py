"""Fixtures that several test modules share."""

pytest_plugins = ["jupyter_lab_fixture"]
