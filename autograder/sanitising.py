"""Make harmless what students write and what their code prints, before other people see it.

Three kinds of reader have to be protected: a terminal (escape sequences), a browser (scripts, requests, forms,
style that covers the page) and a person (text that reads in another order than it is stored in).

Nothing here looks for bad things. Text is cut down to characters that only show; HTML, Markdown and SVG are parsed and
written anew from what is on a short list; pictures are taken apart and put together from the parts that hold pixels.
The pages that show the result forbid scripts and requests besides (`PAGE_POLICY`), so that a mistake in one wall is
caught by the other.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import secrets
import struct
import unicodedata
import zlib
from xml.etree import ElementTree

import nh3

#: Content-Security-Policy of every page that shows what students made: no script, no request, no form.
PAGE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

#: Longer texts are cut, with a note: nobody reads more, and a page must stay small.
TEXT_LIMIT = 20_000
#: Longer Markdown and HTML is shown as plain text, cut: parsing time must not be in the hands of who is graded.
MARKUP_LIMIT = 100_000
TEX_LIMIT = 2_000
FORMULA_LIMIT = 500
PICTURE_BYTES = 300_000
#: A small file can hold a picture that fills the memory of the browser.
PICTURE_PIXELS = 20_000_000

# ECMA-48: control sequences, then strings for the terminal (title, clipboard, links), then short escapes.
_TERMINAL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|(?=\n)|\Z)"
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)


def printable(text: str, *, limit: int = TEXT_LIMIT) -> str:
    r"""Return text that does nothing but show itself, in a terminal as in a page.

    Terminal sequences go, overwritten progress bars are read as a terminal would leave them, and characters that turn
    the reading direction or show nothing are spelled out.

    Parameters
    ----------
    text : str
    limit : int
        Characters that are kept; what is cut is said.

    Returns
    -------
    str
        Line breaks and tabs are kept. It can be encoded as UTF-8.

    Examples
    --------
    >>> printable("\x1b[31mred\x1b[0m \x1b]0;new title\x07and calm")
    'red and calm'
    >>> printable("epoch 1\repoch 2")
    'epoch 2'
    >>> print(printable("points = 0 \u202e 01 fo"))
    points = 0 \u202e 01 fo
    """
    # Sequences can be long: look at more than is kept, but not at 20 MB.
    cut = len(text) - 4 * limit
    text = text[: 4 * limit].replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = _TERMINAL_SEQUENCE.sub("", text)
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    shown: list[str] = []
    for character in text:
        if character != "\b":
            shown.append(character if _shows(character) else _spelled(character))
        elif shown and shown[-1] != "\n":
            shown.pop()
    text = "".join(shown)
    cut = max(cut, 0) + max(len(text) - limit, 0)
    return f"{text[:limit]}\n[{cut} characters more]" if cut else text


def one_line(text: str, *, limit: int = 300) -> str:
    r"""Return `printable` text in one line, for tables and file names.

    Examples
    --------
    >>> one_line("first\n   second\tthird")
    'first second third'
    >>> one_line("abcdefgh", limit=5)
    'abcd…'
    """
    text = " ".join(printable(text, limit=4 * limit).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _shows(character: str) -> bool:
    if character in "\n\t":
        return True
    # Cc controls, Cs lone halves of a pair, Cf what formats: only the joiners of scripts and emoji are needed.
    category = unicodedata.category(character)
    return category not in {"Cc", "Cs", "Cf"} or character in "\u200c\u200d\u00ad"


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# -- HTML -----------------------------------------------------------------------------------------------------

#: What HTML of students may consist of. No class and no id: these are the page's own.
HTML_TAGS = _names(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr tt "
    "u ul var"
)
HTML_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "style"},
    "th": {"colspan", "rowspan", "scope", "style"},
    "span": {"style"},
    "pre": {"style"},
    "div": {"style"},
    "p": {"style"},
    "details": {"open"},
}
#: Properties of ``style`` that cannot move anything over the page.
HTML_STYLES = _names("color background-color font-weight font-style text-decoration text-align")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)
_SAFE_STYLE_VALUE = re.compile(r"[#\w\s.,%()-]*")
_DATA_URL = re.compile(r"data:(image/(?:png|jpeg));base64,([A-Za-z0-9+/=\s]+)")


def clean_html(text: str) -> str:
    """Return HTML that shows but does nothing.

    Parameters
    ----------
    text : str
        Any HTML.

    Returns
    -------
    str
        Only `HTML_TAGS` with `HTML_ATTRIBUTES`; links to http, https and mail addresses only; pictures only when they
        are part of the text (PNG, JPEG). Longer than `MARKUP_LIMIT`: the text itself, escaped and cut.

    Examples
    --------
    >>> clean_html('<b onclick="steal()">bold</b><script>steal()</script>')
    '<b>bold</b>'
    >>> clean_html('<a href="javascript:steal()">here</a> <img src="https://example.org/pixel.png" alt="a curve">')
    '<a rel="noopener noreferrer nofollow">here</a> <img alt="a curve">'
    """
    if len(text) > MARKUP_LIMIT:
        return preformatted(text)
    cleaned = nh3.clean(
        _encodable(text),
        tags=set(HTML_TAGS),
        # What stands inside these is no text for readers.
        clean_content_tags={"script", "style", "iframe", "object", "template", "noscript", "title", "textarea", "svg"},
        attributes=HTML_ATTRIBUTES,
        attribute_filter=_allowed_value,
        url_schemes={"http", "https", "mailto", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    # Elements closed in the wrong order are repeated by the parser, as the standard asks for.
    return cleaned if len(cleaned) <= 3 * MARKUP_LIMIT else preformatted(text)


def _allowed_value(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href":
        return value if _LINK.fullmatch(value) else None
    if attribute == "src":
        found = _DATA_URL.fullmatch(value.strip())
        return clean_picture(found[1], found[2]) if found else None
    if attribute == "style":
        kept = []
        for declaration in value.split(";"):
            name, _, what = declaration.partition(":")
            if name.strip().lower() in HTML_STYLES and _SAFE_STYLE_VALUE.fullmatch(what) and "url" not in what.lower():
                kept.append(f"{name.strip().lower()}:{what.strip()}")
        return ";".join(kept) or None
    if attribute in {"width", "height", "colspan", "rowspan", "start"}:
        return value if value.isascii() and value.isdigit() and int(value[:6]) <= 2000 else None
    return printable(value, limit=500)


def _encodable(text: str) -> str:
    # Lone surrogates come from "\ud800" in JSON; nh3 and files want UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def preformatted(text: str, *, limit: int = TEXT_LIMIT) -> str:
    """Return text as a ``pre`` element, escaped.

    Examples
    --------
    >>> preformatted("a < b")
    '<pre>a &lt; b</pre>'
    """
    return f"<pre>{html.escape(printable(text, limit=limit))}</pre>"


# -- Markdown and formulas --------------------------------------------------------------------------------------


def clean_markdown(text: str, attachments: dict | None = None) -> str:
    """Return Markdown of a notebook as harmless HTML, formulas as MathML.

    Parameters
    ----------
    text : str
        With formulas between dollars, as Jupyter shows them.
    attachments : dict, optional
        Pictures pasted into the cell: name to MIME bundle.

    Returns
    -------
    str

    Examples
    --------
    >>> clean_markdown("the **mean** <script>steal()</script>")
    '<p>the <strong>mean</strong> </p>\\n'
    >>> "<msqrt>" in clean_markdown("about $\\\\sqrt{n}$")
    True
    """
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    if len(text) > MARKUP_LIMIT // 2:
        return preformatted(text)
    formulas: list[str] = []
    # Formulas are put in after the cleaning, at places that nobody can guess: MathML need not pass through it.
    mark = secrets.token_hex(8)

    def keep(content, options=None):
        display = bool((options or {}).get("display_mode"))
        formulas.append(
            clean_formula(content, display=display) if len(formulas) < FORMULA_LIMIT else html.escape(content)
        )
        return f"{mark}-{len(formulas) - 1}-"

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    dollarmath_plugin(parser, renderer=keep, allow_labels=False, double_inline=True)
    amsmath_plugin(parser, renderer=lambda content: keep(content, {"display_mode": True}))
    # Jupyter opens pictures that were pasted in; all others are dropped later.
    pictures = {f"attachment:{name}": bundle for name, bundle in (attachments or {}).items()}

    def picture(tokens, index, options, environment):
        token = tokens[index]
        bundle = pictures.get(str(token.attrGet("src")))
        if isinstance(bundle, dict):
            found = [clean_picture(kind, value) for kind, value in bundle.items() if isinstance(value, str)]
            token.attrSet("src", next((source for source in found if source), ""))
        return default_picture(tokens, index, options, environment)

    default_picture = parser.renderer.rules["image"]
    parser.renderer.rules["image"] = picture
    try:
        rendered = parser.render(_encodable(text))
    except RecursionError:
        return preformatted(text)
    cleaned = clean_html(rendered) if len(rendered) <= MARKUP_LIMIT else preformatted(text)
    return re.sub(f"{mark}-(\\d+)-", lambda found: formulas[int(found[1])], cleaned)


#: What a formula may consist of: presentation MathML without links, actions and foreign content.
MATHML_TAGS = _names(
    "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts "
    "mprescripts mtable mtr mtd mphantom mpadded mstyle"
)
MATHML_ATTRIBUTES = _names(
    "display displaystyle scriptlevel stretchy symmetric fence separator form lspace rspace width height depth "
    "linethickness accent accentunder movablelimits mathvariant minsize maxsize largeop columnalign "
    "columnspacing rowspacing class"
)


def clean_formula(tex: str, *, display: bool = False) -> str:
    """Return a TeX formula as MathML, or as code where a command is unknown.

    Every browser shows MathML by itself, which keeps pages free of scripts. The conversion is docutils'.

    Parameters
    ----------
    tex : str
        Without dollars.
    display : bool
        On a line of its own.

    Returns
    -------
    str

    Examples
    --------
    >>> clean_formula("T_c")
    '<math><msub><mi>T</mi><mi>c</mi></msub></math>'
    >>> clean_formula(r"\\unknown{<b>}")
    '<code>\\\\unknown{&lt;b&gt;}</code>'
    """
    written = f"<code>{html.escape(printable(tex, limit=TEX_LIMIT))}</code>"
    if len(tex) > TEX_LIMIT:
        return written
    try:
        from docutils.utils.math.latex2mathml import tex2mathml

        tree = ElementTree.fromstring(tex2mathml(printable(tex), as_block=display))
        return _written_anew(tree, _mathml_element)
    except Exception:  # whatever a formula does to the converter: who reads it still sees what was written
        return written


def _mathml_element(tag: str, attributes: dict[str, str]) -> tuple[str, dict[str, str]] | None:
    if tag not in MATHML_TAGS:
        return None
    kept = {name: value for name, value in attributes.items() if name in MATHML_ATTRIBUTES}
    if kept.get("class") not in {None, "ams-align", "smallmatrix"}:
        del kept["class"]
    return tag, kept


def _written_anew(element, judge, depth: int = 0) -> str:
    """Write a tree with what `judge` lets through: (tag, attributes) for each element, None to leave it out."""
    if depth > 100:
        raise ValueError("nested too deeply")
    judged = judge(str(element.tag).rpartition("}")[2], {k.rpartition("}")[2]: v for k, v in element.attrib.items()})
    tail = _content(element.tail)
    if judged is None:
        return tail
    tag, attributes = judged
    opening = "".join(f' {name}="{html.escape(printable(value))}"' for name, value in attributes.items())
    inside = _content(element.text)
    inside += "".join(_written_anew(child, judge, depth + 1) for child in element)
    return f"<{tag}{opening}>{inside}</{tag}>{tail}"


def _content(text: str | None) -> str:
    # Space between elements is the converter's layout; space in words is meant.
    return html.escape(printable(text)) if text and text.strip() else ""


# -- pictures -------------------------------------------------------------------------------------------------

SVG_TAGS = _names(
    "svg g defs path rect circle ellipse line polyline polygon text tspan linearGradient radialGradient stop clipPath "
    "use title desc"
)
SVG_ATTRIBUTES = _names(
    "id d x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy points width height viewBox preserveAspectRatio transform "
    "gradientTransform gradientUnits clipPathUnits offset fill fill-opacity fill-rule stroke stroke-width "
    "stroke-opacity stroke-linecap stroke-linejoin stroke-dasharray stroke-dashoffset stroke-miterlimit opacity "
    "stop-color stop-opacity clip-path clip-rule color font-family font-size font-style font-weight text-anchor "
    "dominant-baseline textLength lengthAdjust visibility href"
)
_LOCAL_REFERENCE = re.compile(r"url\(#[\w.:-]+\)")


def clean_svg(text: str) -> str | None:
    """Return an SVG picture as a data URL for an ``img`` element, or None if it is none.

    It is written anew from `SVG_TAGS`. Inside ``img`` a browser runs no script and loads nothing, whatever is in it.

    Parameters
    ----------
    text : str
        An XML document.

    Returns
    -------
    str or None

    Examples
    --------
    >>> url = clean_svg('<svg onload="x()"><script>x()</script><rect width="3"/></svg>')
    >>> base64.b64decode(url.partition(",")[2]).decode()
    '<svg xmlns="http://www.w3.org/2000/svg"><rect width="3"></rect></svg>'
    >>> clean_svg("no picture") is None
    True
    """
    from defusedxml.ElementTree import fromstring

    if len(text) > PICTURE_BYTES:
        return None
    try:
        root = fromstring(text)  # refuses entities, which could grow without end
        if str(root.tag).rpartition("}")[2] != "svg":
            return None
        judge = _SvgJudge(root)
        written = _written_anew(root, judge)
    except Exception:  # not well-formed, too deep, entities: it is not shown
        return None
    written = written.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return "data:image/svg+xml;base64," + base64.b64encode(written.encode()).decode()


class _SvgJudge:
    """Lets elements through that draw; a ``use`` only of what holds no other: copies of copies grow without end."""

    def __init__(self, root):
        is_use = [element for element in root.iter() if str(element.tag).endswith("}use") or element.tag == "use"]
        if len(is_use) > 5000:
            raise ValueError("too many copies")
        repeating = {id(element) for element in is_use}
        self.plain = {
            element.get("id")
            for element in root.iter()
            if element.get("id") and not any(id(inner) in repeating for inner in element.iter())
        }

    def __call__(self, tag, attributes):
        if tag in {"a", "switch"}:
            return "g", {}  # what a link is around is drawn; where it leads to is not kept
        if tag not in SVG_TAGS:
            return None
        if tag == "use" and attributes.get("href", "")[1:] not in self.plain:
            return None
        kept = {name: value for name, value in attributes.items() if name in SVG_ATTRIBUTES}
        for declaration in attributes.get("style", "").split(";"):
            name, _, value = declaration.partition(":")
            if name.strip() in SVG_ATTRIBUTES - {"href", "id", "d"}:
                kept[name.strip()] = value.strip()
        for name in list(kept):
            value = kept[name]
            local = value.startswith("#") if name == "href" else "url" not in _LOCAL_REFERENCE.sub("", value).lower()
            if not local:
                del kept[name]
        return tag, kept


def clean_picture(kind: str, encoded: str) -> str | None:
    """Return a PNG or JPEG as a data URL with nothing in it but the picture, or None if it is none.

    Texts, dates and places that cameras and programs add, and whatever is hidden behind the end, are left out.

    Parameters
    ----------
    kind : str
        ``image/png`` or ``image/jpeg``; the bytes decide, not this claim.
    encoded : str
        Base64.

    Returns
    -------
    str or None
        None also above `PICTURE_BYTES` or `PICTURE_PIXELS`.

    Examples
    --------
    >>> clean_picture("image/png", base64.b64encode(b"<script>").decode()) is None
    True
    """
    if kind not in {"image/png", "image/jpeg"} or len(encoded) > 1.4 * PICTURE_BYTES:
        return None
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            kind, content = "image/png", _png_pixels(content)
        elif content.startswith(b"\xff\xd8\xff"):
            kind, content = "image/jpeg", _jpeg_pixels(content)
        else:
            return None
    except (ValueError, binascii.Error, struct.error, IndexError):
        return None
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _png_pixels(content: bytes) -> bytes:
    kept, position = [content[:8]], 8
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        name, body = content[position + 4 : position + 8], content[position + 8 : position + 8 + length]
        if len(body) < length:
            raise ValueError("the file ends early")
        if position == 8:
            if name != b"IHDR":
                raise ValueError("no header")
            _check_size(*struct.unpack_from(">II", body))
        if name in {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs"}:
            kept.append(struct.pack(">I", length) + name + body + struct.pack(">I", zlib.crc32(name + body)))
        if name == b"IEND":
            return b"".join(kept)
        position += 12 + length
    raise ValueError("no end")


def _jpeg_pixels(content: bytes) -> bytes:
    kept, position, sized = [content[:2]], 2, False
    while True:
        if content[position] != 0xFF:
            raise ValueError("no segment")
        kind = content[position + 1]
        (length,) = struct.unpack_from(">H", content, position + 2)
        if kind in {0xC0, 0xC1, 0xC2}:
            height, width = struct.unpack_from(">HH", content, position + 5)
            _check_size(width, height)
            sized = True
        # 0xE0 and 0xEE say how colours are stored; the other application parts and comments are no picture.
        if kind in {0xE0, 0xEE} or not (0xE0 <= kind <= 0xEF or kind == 0xFE):
            kept.append(content[position : position + 2 + length])
        position += 2 + length
        if kind == 0xDA:
            end = content.rfind(b"\xff\xd9", position)
            if end < 0 or not sized:
                raise ValueError("no end, or no size")
            return b"".join([*kept, content[position : end + 2]])


def _check_size(width: int, height: int) -> None:
    if not 0 < width * height <= PICTURE_PIXELS:
        raise ValueError("no size that can be shown")
