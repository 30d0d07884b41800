"""JupyterHub for one class on one machine.

``course hub start FOLDER`` runs it; what differs between classes is in ``FOLDER/hub.toml``. What you add in
``FOLDER/jupyterhub_config.py`` is read last.
"""

import os
import sys

from autograder import hub_proxy
from autograder.hub import FOLDER_VARIABLE, HubFolder
from autograder.hub_spawner import CourseSpawner, user_numbers
from autograder.hub_users import FIRST_PASSWORDS, USER_NAME, SignUpAuthenticator
from autograder.single_user import CLASS_VARIABLE, COURSE_MAP

c = get_config()  # noqa: F821
hub = HubFolder(os.environ[FOLDER_VARIABLE])
settings = hub.settings
hub_port, proxy_port, exchange_port = settings.internal_ports
deploy = os.path.dirname(os.path.abspath(__file__))
exchange_url = f"http://127.0.0.1:{exchange_port}/services/exchange/"

# -- where: browsers talk to the proxy; everything behind it listens on this machine only ------------------
c.JupyterHub.bind_url = f"http://{settings.address}:{settings.port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.command = hub_proxy.command()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.pid_file = str(hub.private / "proxy.pid")

# -- secrets, readable by the hub only -----------------------------------------------------------------------
c.JupyterHub.db_url = f"sqlite:///{hub.private / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(hub.private / "cookie_secret")
c.ConfigurableHTTPProxy.auth_token = hub.secret("proxy_token")

c.JupyterHub.template_vars = {"course_sign_up": settings.users == "native"}
c.JupyterHub.template_paths = [os.path.join(deploy, "templates")]

# -- who -------------------------------------------------------------------------------------------------------
if settings.users == "native":
    c.JupyterHub.authenticator_class = SignUpAuthenticator
    c.SignUpAuthenticator.instructors = set(settings.instructors)
    c.SignUpAuthenticator.first_passwords = str(hub.private / FIRST_PASSWORDS)
    c.NativeAuthenticator.minimum_password_length = 10
    c.NativeAuthenticator.check_common_password = True
    c.NativeAuthenticator.allowed_failed_logins = 10
else:
    c.JupyterHub.authenticator_class = "pam"
# The authenticators themselves decide: approved by an instructor, or an account of the system.
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = USER_NAME

# Instructors may approve and remove users and stop servers, but not enter them: all users share one address, and a
# page of a student's server would run in the instructor's browser with the instructor's rights.
c.JupyterHub.load_groups = {"instructors": {"users": list(settings.instructors)}}
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", "access:services!service=exchange"]},
    {
        "name": "instructor",
        "groups": ["instructors"],
        "scopes": ["admin-ui", "admin:users", "admin:servers", "access:services!service=exchange"],
    },
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]

# -- servers ---------------------------------------------------------------------------------------------------
c.JupyterHub.spawner_class = CourseSpawner
c.CourseSpawner.hub_folder = str(hub.folder)
c.CourseSpawner.settings_folder = os.path.join(deploy, "settings")
c.CourseSpawner.class_id = settings.class_id
c.CourseSpawner.exchange_url = exchange_url
c.CourseSpawner.instructors = set(settings.instructors)
c.CourseSpawner.system_users = settings.users == "system"
c.CourseSpawner.memory_mb = settings.memory_mb
c.CourseSpawner.cpus = settings.cpus
c.Spawner.cmd = [sys.executable, "-m", "autograder.single_user"]
c.Spawner.default_url = f"/lab/tree/{COURSE_MAP}"
# The first start of a day, of forty students, on two processors.
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
# What a student's server may do in the student's name: be seen as alive, be opened, hand in.
c.Spawner.server_token_scopes = [
    "users:activity!user",
    "access:servers!server",
    "access:services!service=exchange",
    "read:users:name!user",
    "read:users:groups!user",
]
c.JupyterHub.cleanup_servers = not settings.keep_servers

# -- services --------------------------------------------------------------------------------------------------
as_class = []
if os.geteuid() == 0:
    # Like the instructors' servers: they work on the class and need no other right.
    as_class = [sys.executable, "-m", "autograder.other_user", str(user_numbers(str(hub.folder)).of_class())]
environment = {CLASS_VARIABLE: str(hub.class_folder), "COURSE_NAME": settings.class_id, "HOME": str(hub.services_home)}
c.JupyterHub.services = [
    {
        "name": "exchange",
        "url": f"http://127.0.0.1:{exchange_port}",
        "command": [*as_class, sys.executable, "-m", "autograder.exchange_service"],
        "environment": environment,
        "oauth_no_confirm": True,
    },
    {
        "name": "idle-culler",
        "command": [
            *(*as_class, sys.executable, "-m", "jupyterhub_idle_culler"),
            f"--timeout={settings.idle_minutes * 60}",
        ],
        "environment": environment,
    },
]
if settings.grade_on_submit:
    c.JupyterHub.services.append(
        {
            "name": "watch",
            "command": [*as_class, sys.executable, "-m", "autograder.cli", "watch", str(hub.class_folder)],
            "environment": environment,
        }
    )

if (hub.folder / "jupyterhub_config.py").is_file():
    load_subconfig("jupyterhub_config.py", path=str(hub.folder))  # noqa: F821
