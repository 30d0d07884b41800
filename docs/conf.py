"""Settings of the website. Its pages are not here: `autograder.website` lays them out in ``_build/site_source``.

Nothing is loaded from another address: MathJax and plotly.js come from the installed packages.
"""

project = "Deep learning for physics research"
author = "The course's authors"
copyright = "course text: CC BY 4.0, code: BSD 3-Clause"
language = "en"

extensions = ["myst_nb"]
root_doc = "index"
# The notebooks were executed before (course run): what the site shows is what was tested.
nb_execution_mode = "off"
nb_mime_priority_overrides = [
    ("html", "application/vnd.course.explorable+json", 0),
    ("html", "application/vnd.plotly.v1+json", 1),
]
# Printed lines of a batch run stay together although output and errors alternate.
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "alert"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "furo"
html_title = project
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["explorables.css", "website.css"]
html_js_files = [("website.js", {"type": "module"})]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
# Enough contrast for small coloured letters, in both themes.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
