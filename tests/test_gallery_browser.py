"""The gallery of all explorables in JupyterLab, from the first cell to the last, as a student runs it."""

import re
import shutil

import pytest
from jupyter_lab_fixture import REPOSITORY, SCREENS

from course_lib import explorables
from course_lib.explorables.kernel_backed import KernelBacked

pytestmark = pytest.mark.browser


def test_every_explorable_starts_in_jupyterlab_without_an_error(jupyter_lab, browser_page):
    page = browser_page
    shutil.copy(REPOSITORY / "notebooks" / "explorables.ipynb", jupyter_lab.root / "gallery.ipynb")
    jupyter_lab.open(page, "gallery.ipynb")
    jupyter_lab.run_all(page)
    n_cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    titles = []
    for index in range(n_cells):
        # JupyterLab draws what is near the window.
        cell = page.evaluate(
            """async (index) => {
                const { content } = window.jupyterapp.shell.currentWidget;
                await content.scrollToItem(index, 'start');
                const { model } = content.widgets[index];
                return {code: model.type === 'code', source: model.sharedModel.source};
            }""",
            index,
        )
        if not cell["code"]:
            continue
        node = page.locator(".jp-Cell").nth(index)
        assert node.locator('[data-mime-type*="error"], [data-mime-type*="stderr"]').count() == 0, cell["source"]
        if re.search(r"explorables\.\w+\(", cell["source"]):
            card = node.locator(".course-explorable")
            card.wait_for()
            titles.append(card.get_attribute("aria-label"))
    page.screenshot(path=SCREENS / "gallery_jupyterlab.png")
    kinds = [getattr(explorables, name) for name in explorables.__all__]
    assert sorted(titles) == sorted(kind.title for kind in kinds if not issubclass(kind, KernelBacked))
    assert page.console_errors == []
    assert page.external_requests == []
