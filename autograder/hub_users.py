"""Who may come in, and under which number of the system each user's server runs.

The numbers need no accounts: the system knows owners of files and processes by number only. Each user has one of a
reserved range, the same for ever, written down in the hub's folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from nativeauthenticator import NativeAuthenticator, handlers
from nativeauthenticator.orm import UserInfo
from tornado import web
from traitlets import Set, Unicode

from autograder.errors import CourseError

#: The reserved range, far from accounts, from the ranges of containers, and from the grading engine's
#: (`autograder.isolation`). Each hub takes a block of it at random, so that two hubs of a machine are apart, too.
FIRST_NUMBER, N_BLOCKS, BLOCK_SIZE = 1_800_000_000, 100_000, 1_000

#: What a user may be called: it becomes the name of a folder, a part of addresses and a student of the gradebook.
USER_NAME = r"[a-z0-9][a-z0-9._-]{0,62}\Z"

#: Passwords to be set at the next start of the hub, by user; deleted when that is done.
FIRST_PASSWORDS = "first_passwords.json"


class UserNumbers:
    """The numbers of a hub's users, in a file that only the hub may read.

    The first one is the class's own: its services and its instructors' servers run under it.

    Parameters
    ----------
    path : pathlib.Path
        The file; made when missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     numbers = UserNumbers(Path(folder) / "user_numbers.json")
    ...     [numbers.number(name) - numbers.of_class() for name in ("ada", "emmy", "ada")]
    [1, 2, 1]
    """

    def __init__(self, path: Path):
        self.path = path

    def of_class(self) -> int:
        """Return the number of the class."""
        return self._number("")

    def number(self, name: str) -> int:
        """Return the number of a user, a new one at the first time. It is never given to anybody else.

        Raises
        ------
        CourseError
            If it is no user's name, the file is damaged, or all numbers of this hub are used.
        """
        if not re.match(USER_NAME, name):
            raise CourseError(f"A user's name has small letters, digits and . _ - only, not {name!r}: choose another.")
        return self._number(name)

    def all(self) -> list[int]:
        """Return all numbers given so far."""
        return sorted(self._read().values())

    def _number(self, name: str) -> int:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            numbers = self._read()
            if name not in numbers:
                if not numbers:
                    numbers[""] = FIRST_NUMBER + BLOCK_SIZE * secrets.randbelow(N_BLOCKS)
                if name:
                    numbers[name] = max(numbers.values()) + 1
                if len(numbers) > BLOCK_SIZE:
                    raise CourseError(
                        f"{self.path} has no number left for {name}: a hub has {BLOCK_SIZE - 1} users in its life. "
                        f"Make a new one for the next class."
                    )
                write_private(self.path, json.dumps(numbers, indent=1) + "\n")
            return numbers[name]

    def _read(self) -> dict[str, int]:
        try:
            numbers = json.loads(self.path.read_text())
            block = range(numbers[""], numbers[""] + BLOCK_SIZE)
            if not FIRST_NUMBER <= numbers[""] < FIRST_NUMBER + N_BLOCKS * BLOCK_SIZE:
                raise ValueError("its first number is out of range")
            if not all(number in block for number in numbers.values()) or len(set(numbers.values())) < len(numbers):
                raise ValueError("a number is out of range, or two users have the same")
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # New numbers would give the files of one student to another.
            raise CourseError(
                f"{self.path} is damaged ({error}): restore it from a backup, or write it anew from the owners of the "
                f"folders in {self.path.parent.parent / 'homes'} (ls -n)."
            ) from error
        return numbers


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class Login(handlers.LoginHandler):
    """NativeAuthenticator's page, for the versions of JupyterHub that keep no statistics in `statsd` any more."""

    class _NoStatistics:
        def timer(self, name):
            return self

        def start(self):
            return self

        def stop(self, send):
            pass

    statsd = _NoStatistics()
    _sync = False

    def _render(self, login_error=None, username=None, *, sync=False, **ignored):
        # An error during a login wants its page at once, without awaiting it.
        self._sync = sync
        return super()._render(login_error, username)

    def render_template(self, name, **values):
        if name == "native-login.html" and self._sync:
            values["sync"] = True
        return super().render_template(name, **values)


class _FromThePageItself:
    """Approving and removing a user are links, and a link anywhere else could be clicked by an instructor, too."""

    def prepare(self):
        referer = urlsplit(self.request.headers.get("Referer", ""))
        if referer.netloc != self.request.host or referer.path != f"{self.hub.base_url}authorize":
            raise web.HTTPError(403, "Users are approved and removed on the page 'Authorize users' only: go there.")
        return super().prepare()


class ToggleAuthorization(_FromThePageItself, handlers.ToggleAuthorizationHandler):
    pass


class Discard(_FromThePageItself, handlers.DiscardHandler):
    pass


class SignUpAuthenticator(NativeAuthenticator):
    """Students sign up with a password of their own, an instructor approves them on the hub's page "Authorize users".

    Instructors do not sign up: whoever came first could take an instructor's name. Their first passwords are made by
    ``course hub init`` and set here at the first start.
    """

    instructors = Set(help="Names that nobody can sign up with.").tag(config=True)
    first_passwords = Unicode(help="The file of passwords to be set at this start.").tag(config=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        path = Path(self.first_passwords)
        if self.first_passwords and path.is_file():
            for name, password in json.loads(path.read_text()).items():
                self._set_password(name, password)
            path.unlink()

    def get_handlers(self, app):
        """NativeAuthenticator's pages, three of them mended."""
        own = {handlers.LoginHandler: Login, handlers.DiscardHandler: Discard}
        own[handlers.ToggleAuthorizationHandler] = ToggleAuthorization
        return [(path, own.get(handler, handler)) for path, handler in super().get_handlers(app)]

    def _set_password(self, name, password):
        existing = self.get_user(name)
        if existing is not None:
            existing.password = _hashed(password)
            existing.is_authorized = True
        else:
            self.db.add(UserInfo(username=name, password=_hashed(password), is_authorized=True))
        self.db.commit()

    def create_user(self, username, password, **kwargs):
        """Sign up, but not under the name of an instructor."""
        if self.normalize_username(username) in self.instructors:
            self.log.warning("Somebody tried to sign up as the instructor %s", username)
            return None
        return super().create_user(username, password, **kwargs)


def _hashed(password):
    import bcrypt

    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())
