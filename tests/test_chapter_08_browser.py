"""Chapter 8 as a student opens it: JupyterLab, Run All, curves that move, a filter that walks, nothing red."""

import shutil
from pathlib import Path

import pytest
from jupyter_lab_fixture import SCREENS

REPOSITORY = Path(__file__).resolve().parent.parent
CHAPTER = "08_convolutional_networks.ipynb"

N_POINTS = "() => Number(document.querySelector('.course-training')?.dataset.points ?? 0)"
CANVAS = "() => document.querySelector('.course-training canvas').toDataURL()"


def photograph(page, selector, name):
    """A picture with the element in the middle: figures above it that are still being drawn push it away."""
    for _ in range(10):
        page.locator(selector).first.evaluate("node => node.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(250)
        box = page.locator(selector).first.bounding_box()
        if box and box["y"] > 0 and box["y"] + box["height"] < page.viewport_size["height"]:
            break
    page.screenshot(path=SCREENS / name)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(1500)
def test_chapter_8_runs_in_jupyterlab(jupyter_lab, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1400, "height": 1000})
    shutil.copy(REPOSITORY / "notebooks" / CHAPTER, jupyter_lab.root / CHAPTER)
    jupyter_lab.open(page, CHAPTER)
    jupyter_lab.run_all(page, wait=False)

    # The monitor is up while its cell runs, and its curves move.
    page.wait_for_function(f"() => ({N_POINTS})() > 20", timeout=600_000)
    n_points, picture = page.evaluate(N_POINTS), page.evaluate(CANVAS)
    page.wait_for_function(f"() => ({N_POINTS})() > {n_points + 30}", timeout=120_000)
    assert page.evaluate(CANVAS) != picture, "the points arrived, but the canvas did not change"
    photograph(page, ".course-training", "chapter_08_training.png")

    jupyter_lab.wait_until_run(page, timeout_s=900)
    page.wait_for_function("() => !document.querySelector('.course-training')", timeout=60_000)

    # Walking the filter changes what is written below the image.
    walker = page.locator(".course-explorable", has_text="Filter walker").first
    walker.evaluate("node => node.scrollIntoView({block: 'center'})")
    walker.get_by_role("button", name="Skip").click()
    summary = walker.locator(".ce-summary")
    before = summary.inner_text()
    walker.get_by_role("slider", name="position").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => [...document.querySelectorAll('.course-explorable')].some("
        "card => card.innerText.includes('Filter walker') && card.querySelector('.ce-summary').innerText !== before)",
        arg=before,
    )
    walker.evaluate("node => node.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(600)
    page.screenshot(path=SCREENS / "chapter_08.png")

    # Every section once, for a person to look at.
    headings = page.locator(".jp-RenderedMarkdown h2")
    for index in range(headings.count()):
        headings.nth(index).evaluate("node => node.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENS / f"chapter_08_section_{index:02d}.png")

    saved = jupyter_lab.save(page)
    for cell in saved.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
            assert output.get("name") != "stderr", f"{cell.source[:200]}\n-> {output.text[:500]}"
    assert "widgets" not in saved.metadata
    assert page.external_requests == []
    assert not page.console_errors, "\n".join(page.console_errors)
