"""The website: everything of the course is on it, nothing private is, it needs no network, and its figures live."""

import functools
import http.server
import json
import re
import threading

import nbformat
import pytest
from accessibility import serious_violations

from autograder import problem_sets, website
from autograder.errors import CourseError
from autograder.gate import find_leaks
from course_lib import explorables
from course_lib.explorables.kernel_backed import KernelBacked

HOSTILE = '</script><script>alert("&")</script><!--'

BROWSER_COMPUTED = [getattr(explorables, name) for name in explorables.__all__]
BROWSER_COMPUTED = [kind for kind in BROWSER_COMPUTED if not issubclass(kind, KernelBacked)]


def content_of(markup):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', markup, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("write", "content", "kept"),
    [
        (website.figure_html, {"data": [{"name": HOSTILE}], "layout": {"title": {"text": HOSTILE}}}, "data"),
        (website.explorable_html, {"class": "FilterWalker", "state": {"a": HOSTILE}, "summary": HOSTILE}, "state"),
    ],
)
def test_no_text_of_a_figure_ends_its_element(write, content, kept):
    markup = write(content)
    assert len(re.findall("</?script", markup)) == 2 and "<!--" not in markup
    held = content_of(markup)
    assert (held["data"] if kept == "data" else held) == content[kept]


@pytest.mark.parametrize("title", ["Energy", {"text": "Energy"}, {"text": "<b>Energy</b>", "subtitle": {"text": "J"}}])
def test_a_figure_without_scripts_says_what_it_shows(title):
    assert "Energy" in re.search(r"<p>(.*?)</p>", website.figure_html({"data": [], "layout": {"title": title}}))[1]
    assert ">Figure</p>" in website.figure_html({"data": []})


def test_a_site_without_executed_notebooks_says_what_to_do(repository, tmp_path):
    with pytest.raises(CourseError, match=r"course run"):
        website.lay_out(repository, tmp_path, tmp_path / "source")


@pytest.fixture(scope="module")
def site(repository, executed_chapters, tmp_path_factory):
    folder = next(iter(executed_chapters.values())).executed_copy.parent
    return website.build(repository, folder, tmp_path_factory.mktemp("website") / "site").parent


@pytest.fixture(scope="module")
def address(site):
    """The site on a free loopback port."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_every_notebook_and_every_problem_set_has_a_page(repository, site):
    for source in (repository / "notebooks").glob("*.md"):
        assert (site / f"{source.stem}.html").is_file(), source.stem
    for problem_set in problem_sets.all_problem_sets():
        assert (site / "exercises" / f"{problem_set.name}.html").is_file()
    for guide in (repository / "docs").glob("*.md"):
        assert (site / f"{guide.stem}.html").is_file()


@pytest.mark.slow
def test_nothing_private_is_on_the_site(site, tmp_path):
    everything = "\n".join(
        path.read_text("utf-8") for path in site.rglob("*") if path.suffix in {".html", ".txt", ".ipynb", ".js"}
    )
    assert not re.search("BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)", everything)
    for problem_set in problem_sets.all_problem_sets():
        source = nbformat.read(problem_sets.build_source(problem_set, tmp_path / "source.ipynb"), as_version=4)
        page = nbformat.read(site.parent / "site_source" / "exercises" / f"{problem_set.name}.ipynb", as_version=4)
        assert find_leaks(source, page) == []


@pytest.mark.slow
def test_no_address_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|iframe)[^>]*\bsrc="([^"]+)"', page.read_text("utf-8"))
        loaded += re.findall(r'<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"', page.read_text("utf-8"))
        assert not [target for target in loaded if "//" in target], page.name


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_and_explorables_are_live_without_a_kernel(address, site, browser_page, theme):
    from jupyter_lab_fixture import SCREENS
    from playwright.sync_api import expect

    page = browser_page
    page.emulate_media(color_scheme=theme)
    page.goto(f"{address}/08_convolutional_networks.html")
    live = page.locator(".course-live")
    names = set(re.findall(r'data-name="(\w+)"', (site / "08_convolutional_networks.html").read_text("utf-8")))
    assert names == {explorables.FilterWalker.name} | names and live.count() >= 6
    for index in range(live.count()):
        live.nth(index).scroll_into_view_if_needed()
        expect(live.nth(index).locator(".course-explorable")).to_be_visible(timeout=60_000)
    figures = page.locator(".course-figure")
    figures.first.scroll_into_view_if_needed()
    expect(figures.first.locator(".main-svg").first).to_be_visible(timeout=60_000)

    card = live.nth(0)
    card.scroll_into_view_if_needed()
    before = card.locator(".ce-summary").inner_text()
    card.get_by_role("button", name="Skip").click()
    expect(card.locator(".ce-summary")).not_to_have_text(before, timeout=20_000)
    page.screenshot(path=SCREENS / f"website_chapter_08_{theme}.png")
    formula = page.locator("mjx-container").first
    expect(formula).to_be_attached(timeout=60_000)
    assert page.console_errors == [] and page.external_requests == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "exercises/ex08_1"])
def test_pages_are_accessible(address, browser_page, theme, name):
    browser_page.emulate_media(color_scheme=theme)
    browser_page.goto(f"{address}/{name}.html")
    assert serious_violations(browser_page) == {}


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_explorables_are_accessible(address, site, browser_page, theme):
    """All of them are alive in the gallery, without a kernel; axe needs a minute for the coloured code of a chapter."""
    from playwright.sync_api import expect

    names = set(re.findall(r'data-name="(\w+)"', (site / "explorables.html").read_text("utf-8")))
    assert names == {kind.name for kind in BROWSER_COMPUTED}
    browser_page.emulate_media(color_scheme=theme)
    browser_page.goto(f"{address}/explorables.html")
    live = browser_page.locator(".course-live")
    for index in range(live.count()):
        live.nth(index).scroll_into_view_if_needed()
        expect(live.nth(index).locator(".course-explorable")).to_be_visible(timeout=60_000)
    assert serious_violations(browser_page, ".course-live") == {}
    assert browser_page.console_errors == [] and browser_page.external_requests == []
