"""Settings of instructors' servers."""

c = get_config()  # noqa: F821

# The formgrader is a page inside JupyterLab's page. JupyterHub forbids that, because all users share one address and
# a student's page could show an instructor's. It is allowed to pages of the same address, on instructors' servers
# only; instructors have no way to a student's server, so that no page of a student runs beside it.
c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
