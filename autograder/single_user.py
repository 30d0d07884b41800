"""What happens when a user's server starts, already under the user's own number: fresh notebooks, then JupyterLab.

``python -m autograder.single_user [OPTIONS OF JUPYTERHUB'S SERVER]``, started by `autograder.hub_spawner`.

The chapters come by `nbgitpuller`, from a repository on this machine that holds nothing but them. What a student
changed stays. Where the course changed the same notebook, the student's stays too and the course's new one is put
beside it: merging two notebooks line by line would make one that nobody can open. The student is told on a page, on
which the server lands this once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

#: Folder of the chapters below the folder that JupyterLab shows.
NOTEBOOKS = "notebooks"
COURSE_MAP = f"{NOTEBOOKS}/index.ipynb"
#: The page that tells of conflicts, beside the chapters' folder.
NEWS = "updates.md"
BRANCH = "main"

#: Where the course's repository lies; without it nothing is pulled.
COURSE_VARIABLE = "COURSE_NOTEBOOKS_REPOSITORY"
#: An instructor's server is told where the class is.
CLASS_VARIABLE = "COURSE_CLASS"

_NEWS_TEXT = """\
# The course has new versions of notebooks that you changed

Nothing of yours was touched.

{lines}

Go on with yours, or with the new one, or copy from one into the other. When you are done, delete what you do not need.
[Go to the course map]({course_map})
"""


@dataclass(frozen=True)
class Pulled:
    """What bringing the notebooks up to date did.

    Attributes
    ----------
    kept : dict of str to str
        Notebook that both sides changed -> the file that the course's new version was written to.
    renamed : dict of str to str
        A student's own file whose name the course took -> its new name.
    problem : str
        Why the notebooks could not be brought up to date, empty if they were.
    """

    kept: dict[str, str]
    renamed: dict[str, str]
    problem: str = ""

    @property
    def news(self) -> str:
        """The page that tells the student, empty if there is nothing to tell."""
        lines = [
            f"- You and the course both changed `{old}`. It is as you left it; the new version is [{new}]({new})."
            for old, new in self.kept.items()
        ]
        lines += [
            f"- The course now has a file `{old}`. Yours of that name is now [{new}]({new})."
            for old, new in self.renamed.items()
        ]
        if self.problem:
            lines.append(
                f"- The notebooks could not be brought up to date: {self.problem}. They are as you left them. "
                "Tell your instructor, or rename the folder `notebooks` and restart the server: you get a new one."
            )
        return _NEWS_TEXT.format(lines="\n".join(lines), course_map=COURSE_MAP) if lines else ""


def pull(repository: Path, folder: Path) -> Pulled:
    """Bring a student's notebooks up to date and keep what the student changed.

    Parameters
    ----------
    repository : pathlib.Path
        The course's repository, made by `autograder.hub.publish_notebooks`.
    folder : pathlib.Path
        The student's copy; made when missing.

    Returns
    -------
    Pulled
        Never an exception: a server must start although the notebooks are in whatever state.
    """
    from nbgitpuller.pull import GitPuller

    kept, lines = {}, []
    try:
        if (folder / ".git").is_dir():
            _git(folder, "fetch", "--quiet")
            base = _git(folder, "merge-base", "HEAD", f"origin/{BRANCH}").strip()
            theirs = set(_names(_git(folder, "diff", "--name-only", "-z", base, f"origin/{BRANCH}")))
            # Deleted ones come back, as nbgitpuller has it: that is how one gets a fresh copy.
            own = set(_names(_git(folder, "diff", "--name-only", "-z", "--diff-filter=d", base)))
            conflicts = sorted(name for name in own & theirs if not _same(folder, name))
        else:
            conflicts = []
        # All of the history: it is small, and what both sides changed cannot be told without it.
        lines = list(GitPuller(f"file://{repository}", str(folder), branch=BRANCH, depth=0).pull())
        for name in conflicts:
            content = _git(folder, "show", f"origin/{BRANCH}:{name}", binary=True)
            if content is not None:
                beside = _free_name(folder / name)
                beside.write_bytes(content)
                kept[f"{NOTEBOOKS}/{name}"] = f"{NOTEBOOKS}/{beside.relative_to(folder)}"
    except Exception as error:  # git, a full disk, a folder that is a file: the server starts all the same
        reason = (getattr(error, "stderr", None) or str(error)).strip()
        return Pulled(kept, {}, f"{reason or type(error).__name__}".replace("\n", " ")[:300])
    renamed = {}
    for line in lines:
        found = re.fullmatch(r"Renamed (.+) to (.+) to avoid conflict with upstream\s*", line)
        if found:
            old, new = (f"{NOTEBOOKS}/{Path(name).relative_to(folder)}" for name in found.groups())
            renamed[old] = new
    return Pulled(kept, renamed)


def _git(folder: Path, *arguments: str, binary: bool = False):
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=not binary)
    if binary:
        # The course deleted the file: there is no new version.
        return done.stdout if done.returncode == 0 else None
    done.check_returncode()
    return done.stdout


def _names(text: str) -> list[str]:
    return [name for name in text.split("\0") if name]


def _same(folder: Path, name: str) -> bool:
    """Whether the student has the course's new version already."""
    return (folder / name).read_bytes() == _git(folder, "show", f"origin/{BRANCH}:{name}", binary=True)


def _free_name(path: Path) -> Path:
    """Return ``chapter-new.ipynb`` for ``chapter.ipynb``, with a number where that exists."""
    number = 1
    while True:
        ending = "-new" if number == 1 else f"-new-{number}"
        candidate = path.with_name(f"{path.stem}{ending}{path.suffix}")
        if not candidate.exists():
            return candidate
        number += 1


def prepare(root: Path, environment: dict[str, str]) -> dict[str, str]:
    """Bring the notebooks into `root` and return what the environment of the server must have besides.

    Parameters
    ----------
    root : pathlib.Path
        The folder that JupyterLab shows; made when missing.
    environment : dict
        Of this process; it names the course's repository and, for an instructor, the class.
    """
    root.mkdir(parents=True, exist_ok=True)
    changes = {}
    if COURSE_VARIABLE in environment:
        news = pull(Path(environment[COURSE_VARIABLE]), root / NOTEBOOKS).news
        if news:
            (root / NEWS).write_text(news, encoding="utf-8")
            changes["JUPYTERHUB_DEFAULT_URL"] = f"/lab/tree/{NEWS}"
    if CLASS_VARIABLE in environment:
        link = root / "class"
        # The formgrader wants the class below the folder that JupyterLab shows.
        if not link.is_symlink() and not link.exists():
            link.symlink_to(environment[CLASS_VARIABLE])
    return changes


def main() -> None:
    """Prepare the folder, then become JupyterHub's single-user server."""
    root = Path(os.environ["JUPYTERHUB_ROOT_DIR"])
    # Git reads a repository of another owner only where a file of the system says so. The server itself does not
    # need it, nor do the student's own repositories.
    rule = os.environ.pop("COURSE_GIT_CONFIG", None)
    if rule:
        os.environ["GIT_CONFIG_SYSTEM"] = rule
    changes = prepare(root, dict(os.environ))
    os.environ.pop("GIT_CONFIG_SYSTEM", None)
    os.environ |= changes
    os.chdir(root)
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


if __name__ == "__main__":
    main()
