"""The parts of the hub one by one; `test_hub_browser` plays a class with all of them."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets.config import PyFileConfigLoader

from autograder import hub, hub_proxy, hub_spawner, other_user, single_user
from autograder.errors import CourseError
from autograder.hub_users import BLOCK_SIZE, FIRST_NUMBER, N_BLOCKS, SignUpAuthenticator, UserNumbers

AS_ROOT = os.geteuid() == 0


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def a_hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "winter"
    passwords = hub.init(folder, ["lise", "max"], name="Deep learning, winter")
    return folder, passwords


# -- the folder -----------------------------------------------------------------------------------------------


def test_a_new_hub_is_a_class_with_secrets_that_only_its_owner_reads(a_hub):
    folder, passwords = a_hub
    assert sorted(passwords) == ["lise", "max"] and len(set(passwords.values())) == 2
    made = hub.HubFolder(folder)
    assert made.settings.instructors == ("lise", "max")
    assert made.settings.class_id == "Deep-learning-winter"
    assert (made.class_folder / "nbgrader_config.py").is_file()
    assert {mode(made.private), mode(made.class_folder)} == {0o700}
    # Others walk through to their own home and cannot look around.
    assert {mode(folder), mode(folder / "homes")} == {0o711}
    secret = made.secret("proxy_token")
    assert len(secret) >= 32 and secret == made.secret("proxy_token")
    assert {mode(path) for path in made.private.iterdir() if path.is_file()} == {0o600}


def test_a_folder_that_holds_something_stays_as_it_is(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(CourseError, match="needs a new or empty folder"):
        hub.init(tmp_path, ["lise"])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["Lise", "../lise", "", "lise meitner", ".lise"])
def test_an_instructor_needs_a_name_that_can_be_a_folder(tmp_path, name):
    with pytest.raises(CourseError, match="instructors must be"):
        hub.init(tmp_path / "h", [name])
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('users = "everybody"', "users must be 'native' or 'system', not 'everybody'"),
        ("memory_mb = 10", "memory_mb must be a number of at least 200, not 10"),
        ("cpus = true", "cpus must be a number"),
        ("port = 8081", "port must be a port"),
        ("internal_ports = [1, 1, 2]", "internal_ports must be three different ports"),
        ("keep_servers = 1", "keep_servers must be true or false"),
        ("colour = 3", "there is no setting colour"),
        ("= 3", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(a_hub, tmp_path, line, message):
    right = (a_hub[0] / hub.SETTINGS).read_text()
    key = line.partition(" =")[0]
    kept = [text for text in right.splitlines() if not text.startswith(f"{key} =")]
    (tmp_path / hub.SETTINGS).write_text("\n".join([*kept, line]))
    with pytest.raises(CourseError, match=message):
        hub.HubFolder(tmp_path)


def test_jupyterhub_reads_the_configuration(a_hub, monkeypatch, repository):
    monkeypatch.setenv(hub.FOLDER_VARIABLE, str(a_hub[0]))
    (a_hub[0] / "jupyterhub_config.py").write_text("c.Spawner.start_timeout = 7\n")

    def read():
        return PyFileConfigLoader("jupyterhub_config.py", str(repository / "deploy")).load_config()

    read_config = read()
    assert read_config.JupyterHub.hub_bind_url.startswith("http://127.0.0.1:")
    assert read_config.Spawner.start_timeout == 7, "the instructor's own settings come last"
    granted = {role["name"]: set(role["scopes"]) for role in read_config.JupyterHub.load_roles}
    assert granted["user"] == {"self", "access:services!service=exchange"}
    # Entering a student's server would run the student's pages with the instructor's rights.
    assert not any(scope.startswith("access:servers") for scope in granted["instructor"])
    path = a_hub[0] / hub.SETTINGS
    text = path.read_text()
    path.write_text(text.replace('users = "native"', 'users = "system"'))
    try:
        assert read().JupyterHub.authenticator_class == "pam"
        with pytest.raises(CourseError, match="passwords of this system"):
            hub.set_password(a_hub[0], "ada")
    finally:
        path.write_text(text)
        (a_hub[0] / "jupyterhub_config.py").unlink()


def test_a_hub_is_named_or_missing(tmp_path):
    with pytest.raises(CourseError, match="course hub init"):
        hub.HubFolder(tmp_path)


# -- users ----------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(names=st.lists(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,10}", fullmatch=True), max_size=30))
def test_each_user_has_one_number_for_ever(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("numbers") / "user_numbers.json"
    first = {name: UserNumbers(path).number(name) for name in names}
    assert first == {name: UserNumbers(path).number(name) for name in names}
    numbers = {*first.values(), UserNumbers(path).of_class()}
    assert len(numbers) == len(first) + 1
    assert min(numbers) >= FIRST_NUMBER and max(numbers) - min(numbers) < BLOCK_SIZE
    assert max(numbers) < FIRST_NUMBER + N_BLOCKS * BLOCK_SIZE
    assert mode(path) == 0o600


@pytest.mark.parametrize("text", ["{", "[]", '{"ada": 0, "": 1800000000}', '{"": 1800000000, "ada": 1800000000}', "{}"])
def test_damaged_numbers_are_never_given_anew(tmp_path, text):
    # Another number would open the files of one student to another.
    path = tmp_path / "user_numbers.json"
    path.write_text(text)
    with pytest.raises(CourseError, match="is damaged"):
        UserNumbers(path).number("ada")
    assert path.read_text() == text


def test_no_two_users_share_the_last_number(tmp_path):
    path = tmp_path / "user_numbers.json"
    taken = {"": FIRST_NUMBER} | {f"s{number}": FIRST_NUMBER + number for number in range(1, BLOCK_SIZE)}
    path.write_text(json.dumps(taken))
    with pytest.raises(CourseError, match="no number left"):
        UserNumbers(path).number("ada")
    assert UserNumbers(path).number("s7") == FIRST_NUMBER + 7


def test_nobody_signs_up_as_an_instructor(tmp_path):
    from jupyterhub.orm import Base, new_session_factory

    factory = new_session_factory("sqlite:///:memory:")
    session = factory()
    Base.metadata.create_all(session.get_bind())
    passwords = tmp_path / "first.json"
    passwords.write_text(json.dumps({"lise": "her first password"}))
    authenticator = SignUpAuthenticator(db=session, instructors={"lise", "max"}, first_passwords=str(passwords))
    assert authenticator.get_user("lise").is_authorized and not passwords.exists()
    assert authenticator.get_user("lise").is_valid_password("her first password")
    assert authenticator.create_user("Max", "taken by somebody else") is None
    assert authenticator.create_user("ada", "a password of ada") is not None
    assert not authenticator.get_user("ada").is_authorized


def test_a_new_password_waits_for_the_next_start(a_hub):
    password = hub.set_password(a_hub[0], "ada")
    waiting = a_hub[0] / "hub" / "first_passwords.json"
    assert json.loads(waiting.read_text())["ada"] == password and mode(waiting) == 0o600
    assert json.loads(waiting.read_text())["lise"] == a_hub[1]["lise"]


# -- notebooks ------------------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A checkout with two chapters, its repository for students, and one student's copy."""
    for name in ("GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL"):
        monkeypatch.setenv(name, os.devnull)
    checkout, published, copy = tmp_path / "checkout", tmp_path / "notebooks.git", tmp_path / "home" / "notebooks"
    (checkout / "notebooks").mkdir(parents=True)
    copy.parent.mkdir()
    for name in ("index", "one"):
        (checkout / "notebooks" / f"{name}.ipynb").write_text(f'{{"cells": ["{name}"]}}\n')
        (checkout / "notebooks" / f"{name}.md").write_text("the source\n")
    assert hub.publish_notebooks(checkout, published)
    assert single_user.pull(published, copy) == single_user.Pulled({}, {})
    return checkout / "notebooks", published, copy


def publish(course):
    hub.publish_notebooks(course[0].parent, course[1])
    return single_user.pull(*course[1:])


def test_students_get_notebooks_and_no_sources(course):
    names = sorted(path.name for path in course[2].iterdir() if not path.name.startswith("."))
    assert names == ["index.ipynb", "one.ipynb"]
    assert not hub.publish_notebooks(course[0].parent, course[1]), "nothing was new"


def test_what_a_student_changed_stays_and_the_rest_is_brought_up_to_date(course):
    source, _, copy = course
    (copy / "one.ipynb").write_text('{"cells": ["mine"]}\n')
    (copy / "notes.txt").write_text("mine, too\n")
    (source / "index.ipynb").write_text('{"cells": ["better"]}\n')
    (source / "two.ipynb").write_text('{"cells": ["new"]}\n')
    pulled = publish(course)
    assert pulled.news == ""
    assert (copy / "one.ipynb").read_text() == '{"cells": ["mine"]}\n'
    assert (copy / "notes.txt").read_text() == "mine, too\n"
    assert (copy / "index.ipynb").read_text() == '{"cells": ["better"]}\n'
    assert (copy / "two.ipynb").is_file()


def test_a_conflict_keeps_both_versions_and_is_told_once(course):
    source, _, copy = course
    (copy / "one.ipynb").write_text('{"cells": ["mine"]}\n')
    (source / "one.ipynb").write_text('{"cells": ["better"]}\n')
    pulled = publish(course)
    assert pulled.kept == {"notebooks/one.ipynb": "notebooks/one-new.ipynb"}
    assert "notebooks/one-new.ipynb" in pulled.news and single_user.COURSE_MAP in pulled.news
    assert (copy / "one.ipynb").read_text() == '{"cells": ["mine"]}\n'
    assert (copy / "one-new.ipynb").read_text() == '{"cells": ["better"]}\n'
    assert publish(course).news == ""
    # The next change of both is another conflict, and nothing is written over.
    (copy / "one.ipynb").write_text('{"cells": ["mine again"]}\n')
    (source / "one.ipynb").write_text('{"cells": ["best"]}\n')
    assert publish(course).kept == {"notebooks/one.ipynb": "notebooks/one-new-2.ipynb"}
    assert (copy / "one-new.ipynb").read_text() == '{"cells": ["better"]}\n'
    assert (copy / "one.ipynb").read_text() == '{"cells": ["mine again"]}\n'


def test_a_students_own_file_makes_room_and_a_deleted_one_comes_back(course):
    source, _, copy = course
    (copy / "two.ipynb").write_text("mine\n")
    (copy / "one.ipynb").unlink()
    (source / "two.ipynb").write_text("the course's\n")
    pulled = publish(course)
    (renamed,) = pulled.renamed.values()
    assert (copy.parent / renamed).read_text() == "mine\n" and renamed in pulled.news
    assert (copy / "two.ipynb").read_text() == "the course's\n"
    assert (copy / "one.ipynb").is_file()


@pytest.mark.parametrize("damage", ["lock", "history", "file"])
def test_a_damaged_copy_never_keeps_a_server_from_starting(course, damage):
    copy = course[2]
    (copy / "one.ipynb").write_text("mine\n")
    if damage == "lock":
        (copy / ".git" / "index.lock").write_text("")
    elif damage == "history":
        (copy / ".git" / "HEAD").write_text("nonsense\n")
    else:
        (copy / ".git" / "objects").rename(copy / "elsewhere")
    (course[0] / "one.ipynb").write_text("better\n")
    pulled = publish(course)
    assert pulled.problem and "could not be brought up to date" in pulled.news
    assert (copy / "one.ipynb").read_text() == "mine\n"


def test_the_server_lands_on_the_news_once(course, tmp_path):
    source, published, copy = course
    root = copy.parent
    environment = {single_user.COURSE_VARIABLE: str(published), single_user.CLASS_VARIABLE: str(tmp_path)}
    assert single_user.prepare(root, environment) == {}
    assert (root / "class").resolve() == tmp_path
    (copy / "one.ipynb").write_text("mine\n")
    (source / "one.ipynb").write_text("better\n")
    hub.publish_notebooks(source.parent, published)
    assert single_user.prepare(root, environment) == {"JUPYTERHUB_DEFAULT_URL": f"/lab/tree/{single_user.NEWS}"}
    assert single_user.prepare(root, environment) == {}


# -- the machine ----------------------------------------------------------------------------------------------


def test_version_2_control_groups_get_the_limits(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    groups = hub_spawner.ControlGroups("course-hub-x", tmp_path)
    assert groups.missing == "" and groups.version == 2
    assert groups.open("ada", memory_mb=3000, cpus=1.5) == [tmp_path / "course-hub-x" / "ada" / "cgroup.procs"]
    group = tmp_path / "course-hub-x" / "ada"
    assert (group / "memory.max").read_text() == "3000000000"
    assert (group / "cpu.max").read_text() == "150000 100000"
    assert (group / "pids.max").read_text() == str(hub_spawner.MOST_PROCESSES)
    # The whole class would else get no more of a busy machine than one other process.
    assert (group.parent / "cpu.weight").read_text() == "1000"


def test_missing_control_groups_are_said(tmp_path):
    assert hub_spawner.ControlGroups("course-hub-x", tmp_path / "nowhere").missing


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_becoming_another_user_is_for_good(tmp_path):
    number = FIRST_NUMBER + 7
    check = (
        "import os, sys; assert os.getresuid() == (N, N, N) and os.getgroups() == [];"
        "assert 'NoNewPrivs:\\t1' in open('/proc/self/status').read();"
        "assert os.umask(0) == 0o077\n"
        "try:\n    os.setuid(0)\nexcept PermissionError:\n    print('kept')"
    ).replace("N, N, N", f"{number}, {number}, {number}")
    program = "from autograder.other_user import become, open_the_way_if_closed; import sys, pathlib;"
    program += "open_the_way_if_closed([pathlib.Path(p) for p in (sys.base_prefix, sys.prefix, sys.argv[1])]);"
    program += f"become({number}, {number}, []); exec({check!r})"
    repository = str(Path(__file__).resolve().parents[1])
    done = subprocess.run([sys.executable, "-c", program, repository], capture_output=True, text=True)
    assert done.stdout.strip() == "kept", done.stderr


def test_the_outermost_closed_folder_is_found(tmp_path):
    inner = tmp_path / "open" / "closed" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "open" / "closed").chmod(0o700)
    # Its own folder may be closed already: pytest's is for its user only.
    expected = next(folder for folder in [*reversed(inner.parents), inner] if not mode(folder) & 0o001)
    assert other_user.first_closed(inner) == expected
    assert other_user.first_closed(Path("/")) is None


@pytest.mark.skipif(not AS_ROOT, reason="only root gives files away")
def test_a_class_is_given_away_without_following_links(tmp_path):
    (tmp_path / "class" / "source").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.write_text("root's")
    (tmp_path / "class" / "link").symlink_to(outside)
    hub.give_away(tmp_path / "class", FIRST_NUMBER)
    assert (tmp_path / "class" / "source").stat().st_uid == FIRST_NUMBER
    assert (tmp_path / "class" / "link").lstat().st_uid == FIRST_NUMBER
    assert outside.stat().st_uid == 0


def test_the_proxy_has_one_version_and_no_address():
    wanted = hub_proxy.wanted_version()
    assert wanted[0].isdigit() and wanted.count(".") == 2


def test_without_a_network_the_proxy_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_proxy, "place", lambda: tmp_path)
    # Nobody listens there.
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{hub.free_port()}/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(CourseError, match="needed once, with a network"):
        hub_proxy.install()
    assert hub_proxy.installed_version() is None
