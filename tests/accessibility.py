"""What axe finds wrong on a page."""


def serious_violations(page, context=None):
    """What axe calls serious or critical: rule -> the first elements that break it.

    `context` is a CSS selector that limits the search, for example to our own part of a JupyterLab page.
    """
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=context).response["violations"]
    return {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]][:3]
        for violation in found
        if violation["impact"] in {"serious", "critical"}
    }
