"""What students write does nothing to a terminal, a browser or a reader; the browser itself is asked as well."""

import base64
import html.parser
import struct
import unicodedata
import zlib
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import sanitising
from autograder.pages import page

# -- text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[1;31mError\x1b[0m", "Error"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;c3RvbGVu\x07", ""),
        ("\x9b2Jcleared", "cleared"),
        ("\x1bP+q544e\x1b\\answer", "answer"),
        ("\x1b]2;never ended\nnext line", "\nnext line"),
        ("10%\r20%\r30%\n", "30%\n"),
        ("abc\b\b\bxyz", "xyz"),
        ("a\r\nb", "a\nb"),
        ("bell\x07", "bell\\x07"),
        ("points \u202e05\u202c", "points \\u202e05\\u202c"),
        ("a\u2066b\u200bc\ufeff", "a\\u2066b\\u200bc\\ufeff"),
        ("half \ud800", "half \\ud800"),
        ("\U000e0041 tag", "\\U000e0041 tag"),
        (
            "Größe ½ \u03b8\u0302 नमस्ते \U0001f469\u200d\U0001f52c\tok",
            "Größe ½ \u03b8\u0302 नमस्ते \U0001f469\u200d\U0001f52c\tok",
        ),
    ],
)
def test_text_shows_what_a_terminal_would_leave_and_nothing_else(written, shown):
    assert sanitising.printable(written) == shown


@settings(deadline=None)
@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b\x9b[]();?\b\r\n\x07\u202e\u2066m0"), max_size=80))
def test_any_text_is_only_shown(text):
    shown = sanitising.printable(text)
    assert all(
        sign in "\n\t\u200c\u200d\u00ad" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"} for sign in shown
    )
    shown.encode("utf-8")
    assert sanitising.printable(shown) == shown
    assert "\n" not in sanitising.one_line(text)


def test_long_text_is_cut_and_says_so():
    assert sanitising.printable("x" * 20_000_000, limit=100) == "x" * 100 + "\n[19999900 characters more]"
    assert len(sanitising.one_line("word " * 10_000, limit=50)) <= 50


# -- HTML -----------------------------------------------------------------------------------------------------


class Reader(html.parser.HTMLParser):
    """Another parser than the sanitiser's: it reports each tag and attribute that is left."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, attributes))

    handle_startendtag = handle_starttag

    def handle_comment(self, data):
        self.found.append(("!--", []))

    def handle_decl(self, decl):
        self.found.append(("!", []))

    def unknown_decl(self, data):
        self.found.append(("![", []))

    def handle_pi(self, data):
        self.found.append(("?", []))


def check_clean(text, more_tags=frozenset(), more_attributes=frozenset()):
    reader = Reader()
    reader.feed(text)
    reader.close()
    for tag, attributes in reader.found:
        assert tag in sanitising.HTML_TAGS | more_tags, tag
        for name, value in attributes:
            allowed = sanitising.HTML_ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
            assert name in allowed | more_attributes, (tag, name)
            value = value or ""
            if name == "href":
                assert value.lower().startswith(("http://", "https://", "mailto:"))
            if name == "src":
                assert value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
            if name == "style":
                for declaration in filter(None, value.split(";")):
                    key, _, what = declaration.partition(":")
                    assert key.strip() in sanitising.HTML_STYLES and "url" not in what and "\\" not in what


TAGS = """
script style iframe object embed svg math annotation-xml foreignObject mglyph malignmark title textarea noscript xmp
template form input button meta base link img a b p div table td details p select option math mtext ms desc animate
set use image video audio source marquee plaintext body html head
""".split()  # noqa: SIM905
ATTRIBUTES = """
href=javascript:alert(1) onclick=x() onerror=x() src=x src=http://e.org/a.png style=position:fixed srcdoc=<b> id=x
style=color:red class=badge xlink:href=#a formaction=x http-equiv=refresh href=https://e.org encoding=text/html name=a
style=background:url(//e.org) open data-x=1 src=data:text/html,x href=data:text/html,x to=x attributeName=href
""".split()  # noqa: SIM905
PIECES = st.one_of(
    st.builds(
        lambda tag, some: f"<{tag} {' '.join(some)}>",
        st.sampled_from(TAGS),
        st.lists(st.sampled_from(ATTRIBUTES), max_size=3),
    ),
    st.sampled_from(TAGS).map(lambda tag: f"</{tag}>"),
    st.sampled_from(
        [
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<",
            ">",
            '"',
            "'",
            "&lt;",
            "&#x3c;script&gt;",
            "text",
            "\x00",
            "--!>",
            "<?x",
            "`",
            "$x$",
        ]
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_only_what_is_on_the_list_survives_and_the_result_is_stable(text):
    once = sanitising.clean_html(text)
    check_clean(once)
    # A page is parsed again by the browser: what is clean must be read as it was written.
    assert sanitising.clean_html(once) == once


MATH = frozenset(sanitising.MATHML_TAGS)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        PIECES
        | st.sampled_from(
            [
                "$",
                "$$",
                "\n\n",
                "* ",
                "> ",
                "`",
                "![a](x)",
                "[b](javascript:x)",
                "\\begin{align}",
                "\\end{align}",
                "|",
                "# ",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_markdown_is_as_clean_as_html(text):
    cleaned = sanitising.clean_markdown(text)
    check_clean(cleaned, MATH, sanitising.MATHML_ATTRIBUTES)


TEX = [
    "\\frac",
    "{",
    "}",
    "x",
    "_",
    "^",
    "\\text{<script>}",
    "\\href{javascript:x}",
    "\\sqrt",
    "&",
    "\\\\",
    "<",
    "\\hat",
    "\\left(",
    "\\right)",
    "\\begin{pmatrix}",
    "\\end{pmatrix}",
    '"',
    "%",
    "#",
    "\\mathbf",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TEX), max_size=12).map(" ".join), st.booleans())
def test_formulas_hold_mathml_or_their_text(tex, display):
    made = sanitising.clean_formula(tex, display=display)
    tree = ElementTree.fromstring(made)
    if tree.tag == "code":
        assert "".join(tree.itertext()) == sanitising.printable(tex)
    else:
        assert {element.tag for element in tree.iter()} <= sanitising.MATHML_TAGS
        assert all(set(element.attrib) <= sanitising.MATHML_ATTRIBUTES for element in tree.iter())


def test_formulas_mean_what_was_written():
    tree = ElementTree.fromstring(sanitising.clean_formula(r"\sqrt{a(1-a)/n}"))
    assert [element.tag for element in tree.iter()][:2] == ["math", "msqrt"]
    assert "".join(tree.itertext()) == "a(1−a)/n"
    text = sanitising.clean_markdown("inline $E=mc^2$ and\n\n$$\\sum_i x_i$$\n\nbut 5\\$ or 6\\$ is money")
    assert text.count("<math") == 2 and 'display="block"' in text and "5$ or 6$ is money" in text


def test_markdown_keeps_what_notebooks_need():
    source = "# Title\n\n* one\n* **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx < 1\n```\n"
    source += "\n<details><summary>Hint</summary>more</details>"
    shown = sanitising.clean_markdown(source)
    for part in ("<h1>Title</h1>", "<li>", "<strong>two</strong>", "<td>1</td>", "x &lt; 1", "<summary>Hint</summary>"):
        assert part in shown


def test_time_is_not_in_the_hands_of_who_is_graded():
    # Long enough to take minutes where parsing is quadratic; the suite's own time limit ends it then.
    for text in (
        "[" * 200_000,
        "<div>" * 60_000,
        "*a " * 100_000,
        "$a " * 100_000,
        "\x1b[" * 400_000,
        "a" * 4_000_000 + "\r",
    ):
        sanitising.clean_markdown(text)
        sanitising.clean_html(text)
        sanitising.printable(text)
    for text in ("[" * 49_000, "<b>" * 30_000, "$a$ " * 12_000, "> " * 20_000, "|a" * 20_000 + "\n" + "|-" * 20_000):
        assert len(sanitising.clean_markdown(text)) <= 12 * sanitising.MARKUP_LIMIT


# -- pictures -------------------------------------------------------------------------------------------------


def png(width=3, height=2, *, claimed=None, extra=()):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + bytes([50, 100, 150] * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", *(claimed or (width, height)), 8, 2, 0, 0, 0)
    chunks = [
        chunk(b"IHDR", header),
        *[chunk(*one) for one in extra],
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def as_text(content):
    return base64.b64encode(content).decode()


def content_of(url):
    return base64.b64decode(url.partition("base64,")[2])


def test_a_picture_keeps_its_pixels_and_loses_everything_else():
    hidden = [(b"tEXt", b"Comment\0<script>alert(1)</script>"), (b"eXIf", b"where it was taken")]
    clean = content_of(sanitising.clean_picture("image/png", as_text(png(extra=hidden) + b"<html>behind the end")))
    assert clean == png()
    assert sanitising.clean_picture("image/jpeg", as_text(png())).startswith("data:image/png")  # the bytes decide


# An eight by eight grey JPEG, written by hand: SOI, APP0, APP1 (to go), COM (to go), DQT, SOF0, DHT, SOS, data, EOI.
JPEG_PARTS = [
    b"\xff\xd8",
    b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0",
    b"\xff\xe1\x00\x0bExif\0\0GPS",
    b"\xff\xfe\x00\x0a<script>",
    b"\xff\xdb\x00\x43\x00" + bytes([16] * 64),
    b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00",
    b"\xff\xc4\x00\x14\x00" + bytes([1] + [0] * 15) + b"\x00",
    b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00",
    b"\x00\x00",
    b"\xff\xd9",
]


def test_a_photograph_loses_place_and_comment():
    clean = content_of(
        sanitising.clean_picture("image/jpeg", as_text(b"".join(JPEG_PARTS) + b"PK\x03\x04 a zip behind it"))
    )
    kept = b"".join(part for part in JPEG_PARTS if not part.startswith((b"\xff\xe1", b"\xff\xfe")))
    assert clean == kept


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", b"<svg onload=alert(1)>"),
        ("image/png", b"GIF89a/*<script>*/"),
        ("image/png", png(claimed=(60_000, 60_000))),
        ("image/png", png(claimed=(0, 5))),
        ("image/png", png()[:30]),
        ("image/png", png()[:-12]),
        ("image/jpeg", b"\xff\xd8\xff\xd9"),
        ("image/svg+xml", b"<svg/>"),
        ("text/html", b"<script>"),
    ],
)
def test_what_is_no_picture_is_not_shown(kind, content):
    assert sanitising.clean_picture(kind, as_text(content)) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60), st.sampled_from([png(), b"".join(JPEG_PARTS)]))
def test_damaged_pictures_end_in_a_picture_or_none(garbage, place, whole):
    for content in (whole[:place] + garbage, whole[:place] + garbage + whole[place:], garbage):
        url = sanitising.clean_picture("image/png", as_text(content))
        assert url is None or url.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))


# -- SVG ------------------------------------------------------------------------------------------------------


def svg_tree(text):
    url = sanitising.clean_svg(text)
    return None if url is None else ElementTree.fromstring(content_of(url))


def test_a_drawing_is_written_anew_from_what_draws():
    drawing = """<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/a.dtd">
    <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" onload="x()">
    <style>@import url(http://example.org/x.css)</style><script>x()</script>
    <defs><path id="m" d="M0 0h1"/><linearGradient id="g"><stop offset="1"/></linearGradient></defs>
    <a xlink:href="javascript:x()"><rect width="3" height="3" style="fill: url(#g); behavior: url(x)"/></a>
    <use xlink:href="#m" x="2"/><use xlink:href="http://example.org/a.svg#b"/><image href="http://example.org/p.png"/>
    <rect fill="url(http://example.org/#a)" onclick="x()" width="1"/>
    <foreignObject><iframe src="http://example.org"/></foreignObject><animate attributeName="href" to="javascript:x()"/>
    <text x="1">a &lt; b</text></svg>"""
    tree = svg_tree(drawing)
    shown = ElementTree.tostring(tree, encoding="unicode")
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert names <= sanitising.SVG_TAGS and {"use", "text", "rect", "linearGradient"} <= names
    assert "example.org" not in shown and "x()" not in shown
    assert sum(element.tag.endswith("use") for element in tree.iter()) == 1
    assert "a < b" in "".join(tree.itertext())
    assert [element.get("fill") for element in tree.iter() if element.get("fill")] == ["url(#g)"]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>',
        '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        "<svg>" + "<g>" * 5000 + "</g>" * 5000 + "</svg>",
        "<svg",
        "<html><script>x()</script></html>",
        "<svg>" + '<use href="#a"/>' * 6000 + "</svg>",
    ],
)
def test_a_drawing_that_grows_without_end_or_is_none_is_not_shown(text):
    assert sanitising.clean_svg(text) is None


def test_copies_of_copies_are_left_out():
    layers = "".join(f'<g id="l{k + 1}">' + f'<use href="#l{k}"/>' * 10 + "</g>" for k in range(8))
    tree = svg_tree(f'<svg><g id="l0"><rect width="1"/></g>{layers}</svg>')
    # Only the innermost layer may be repeated.
    assert sum(element.tag.endswith("use") for element in tree.iter()) == 10


# -- a real browser -------------------------------------------------------------------------------------------

MARK = "window.courseWasRun=(window.courseWasRun||0)+1"
HOSTILE_HTML = [
    f"<script>{MARK}</script>",
    f"<img src=x onerror='{MARK}'>",
    f"<svg onload='{MARK}'></svg>",
    f"<svg><script>{MARK}</script></svg>",
    f"<svg><animate onbegin='{MARK}' attributeName=x dur=1s></svg>",
    f"<body onload='{MARK}'>",
    f"<iframe srcdoc='<script>parent.{MARK}</script>'></iframe>",
    f"<iframe src='javascript:parent.{MARK}'></iframe>",
    f"<details open ontoggle='{MARK}'><summary>x</summary></details>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={MARK}&gt;'>",
    f"<math><mtext></form><form><mglyph><svg><mtext><textarea><path id='</textarea><img onerror={MARK} src=1>'></form>",
    f"<svg></p><style><a id='</style><img src=1 onerror={MARK}>'>",
    f"<noscript><p title='</noscript><img src=x onerror={MARK}>'>",
    f"<template><script>{MARK}</script></template>",
    f"<form action='http://example.org'><input autofocus onfocus='{MARK}'><button>x</button></form>",
    f"<video src=x onerror='{MARK}'></video><audio src=x onerror='{MARK}'></audio>",
    f"<object data='javascript:{MARK}'></object>",
    f"<select><style></select><img src=x onerror='{MARK}'></style>",
    f"<xmp><p title='</xmp><img src=x onerror={MARK}>'>",
    f"<a href='javascript:{MARK}' class=try>one</a><a href='java&#10;script:{MARK}' class=try>two</a>",
    f"<a href='data:text/html,<script>{MARK}</script>'>three</a>",
    "<meta http-equiv=refresh content='0;url=http://example.org/'><base href='http://example.org/'>",
    "<link rel=stylesheet href='http://example.org/x.css'><style>@import 'http://example.org/y.css'</style>",
    "<img src='http://example.org/pixel.png'><img srcset='http://example.org/p.png 1x'>",
    "<input type=image src='http://example.org/b.png'>",
    "<div style=\"background:url('http://example.org/bg.png')\">x</div><p style='width:expression(alert(1))'>y</p>",
    "<div style='position:fixed;inset:0;background:white' class='badge good' id='cell-1'>24 of 24 points</div>",
    "<table background='http://example.org/t.png'><tr><td background='http://example.org/u.png'>z</td></tr></table>",
]
HOSTILE_MARKDOWN = [
    f"[click](javascript:{MARK})",
    f"![x](javascript:{MARK}) ![y](http://example.org/y.png)",
    f"<img src=x onerror='{MARK}'>",
    f"$\\text{{<img src=x onerror={MARK}>}}$ $$\\href{{javascript:{MARK}}}{{x}}$$",
    f"```\n</code></pre><script>{MARK}</script>\n```",
    f'<https://example.org/"onmouseover={MARK}>',
    f"| a |\n|---|\n| <svg/onload={MARK}> |",
]
HOSTILE_SVG = [
    f"<svg xmlns='http://www.w3.org/2000/svg' onload='{MARK}'><script>{MARK}</script><rect width='9'/></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><image href='http://example.org/i.png'/>"
    "<style>@import 'http://example.org/s.css';</style></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><foreignObject><body xmlns='http://www.w3.org/1999/xhtml' "
    f"onload='{MARK}'/></foreignObject></svg>",
]


def hostile_bodies():
    yield from (sanitising.clean_html(text) for text in HOSTILE_HTML)
    yield from (sanitising.clean_markdown(text) for text in HOSTILE_MARKDOWN)
    yield from (f"<img src='{sanitising.clean_svg(text)}' alt='a drawing'>" for text in HOSTILE_SVG)


def asked_of_the_browser(browser_page, path):
    """Open a page, click what leads nowhere good, and return what ran, what was sent for, and where we are then."""
    dialogs, sent = [], []

    def answer(route):
        # Whatever is not refused before it leaves the page comes by here, and is answered.
        sent.append(route.request.url)
        route.fulfill(status=200, body="")

    browser_page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    browser_page.context.route("http://**/*", answer)
    browser_page.context.route("https://**/*", answer)
    browser_page.goto(path.as_uri())
    browser_page.evaluate("document.querySelectorAll(`a:not([href^='http'])`).forEach((link) => link.click())")
    browser_page.wait_for_load_state("networkidle")
    ran = browser_page.evaluate("window.courseWasRun || 0")
    return {"ran": ran, "dialogs": dialogs, "sent": sent, "at": browser_page.url}


@pytest.mark.browser
def test_no_hostile_output_runs_or_asks_for_anything_even_without_the_policy(browser_page, tmp_path):
    body = "\n".join(f"<section>{one}</section>" for one in hostile_bodies())
    quiet = {"ran": 0, "dialogs": [], "sent": []}
    for name, text in {
        "with": page("hostile", body),
        # The second wall taken away: the cleaned text alone has to hold.
        "without": page("hostile", body).replace("Content-Security-Policy", "X-Nothing"),
    }.items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        assert asked_of_the_browser(browser_page, path) == quiet | {"at": path.as_uri()}, name
        # The fake total must not cover the page or borrow its looks.
        assert browser_page.locator("section .badge, section [id]").count() == 0
        still = "[...document.querySelectorAll('section *')].every((one) => getComputedStyle(one).position == 'static')"
        assert browser_page.evaluate(still)


@pytest.mark.browser
def test_the_policy_alone_would_hold_too(browser_page, tmp_path):
    """The first wall taken away: raw hostile HTML in our frame. Scripts and requests are still refused."""
    # What navigates by itself is no matter of this policy, so it is left to the sanitiser.
    body = "\n".join(f"<section>{text}</section>" for text in HOSTILE_HTML if "refresh" not in text)
    path = tmp_path / "raw.html"
    path.write_text(page("raw", body), encoding="utf-8")
    answer = asked_of_the_browser(browser_page, path)
    assert (answer["ran"], answer["dialogs"], answer["sent"]) == (0, [], [])


@pytest.mark.browser
def test_the_browser_test_can_fail(browser_page, tmp_path):
    path = tmp_path / "open.html"
    body = "\n".join(text for text in HOSTILE_HTML if "refresh" not in text)
    path.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{body}", encoding="utf-8")
    answer = asked_of_the_browser(browser_page, path)
    assert answer["ran"] >= 5 and "http://example.org/pixel.png" in answer["sent"]
