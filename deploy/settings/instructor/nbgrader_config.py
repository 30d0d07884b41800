"""nbgrader for instructors: the class is a folder below the one that JupyterLab shows."""

import os

c = get_config()  # noqa: F821

_class = os.path.join(os.environ["JUPYTERHUB_ROOT_DIR"], "class")
load_subconfig("nbgrader_config.py", path=_class)  # noqa: F821
c.CourseDirectory.root = _class
