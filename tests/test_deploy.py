"""What lies in deploy/ for Kubernetes: right names, no secrets, nobody reaches more of the network than he needs.

There is no cluster here. What a cluster would tell is told by what is at hand: a schema of the chart's values, the
installed JupyterHub for roles and spawners, an evaluation of the network policies by their definition, the engine's
own trial of its isolation under the restrictions of a pod.
"""

import ast
import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from traitlets.config import Config

REPOSITORY = Path(__file__).resolve().parent.parent
DEPLOY = REPOSITORY / "deploy"
MANIFESTS = ("ngshare", "make_class", "grading_job", "network_policy", "dask")
#: Where deploy/Dockerfile leaves the checkout.
CHECKOUT_IN_IMAGE = "/srv/course/"


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((DEPLOY / "values.yaml").read_text())


@pytest.fixture(scope="module")
def documents():
    """All Kubernetes objects, by kind and name."""
    found = {}
    for name in MANIFESTS:
        for document in yaml.safe_load_all((DEPLOY / f"{name}.yaml").read_text()):
            key = document["kind"], document["metadata"]["name"]
            assert key not in found, key
            found[key] = document
    return found


@pytest.fixture(scope="module")
def page():
    return (REPOSITORY / "docs" / "class_on_kubernetes.md").read_text(encoding="utf-8")


def pod_templates(documents):
    """Name -> pod template of everything that runs pods."""
    found = {}
    for (kind, name), document in documents.items():
        if kind == "Deployment":
            found[name] = document["spec"]["template"]
        elif kind == "CronJob":
            found[name] = document["spec"]["jobTemplate"]["spec"]["template"]
        elif kind == "Job":
            found[name] = document["spec"]["template"]
    return found


def containers(documents):
    for name, template in pod_templates(documents).items():
        for container in template["spec"]["containers"]:
            yield name, template["spec"], container


def leaves(tree, path=()):
    """Every value of a tree of dicts and lists, with its path."""
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(value, (*path, key))
    else:
        yield path, tree


# -- names and types ---------------------------------------------------------------------------------------------


def test_the_chart_knows_all_values(values):
    schema = yaml.safe_load((REPOSITORY / "tests" / "z2jh_values_schema.yaml").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    errors = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(values)]
    assert errors == []
    broken = [("hub", {**values["hub"], "databse": {}}), ("cull", {**values["cull"], "timeout": "1h"})]
    for part, wrong in broken:
        assert not jsonschema.Draft7Validator(schema).is_valid(values | {part: wrong})


def test_helm_accepts_the_values():
    charts = os.environ.get("COURSE_HELM_CHARTS")
    if shutil.which("helm") is None:
        pytest.skip("helm is not installed; the schema above is what was checked")
    if charts is None:
        pytest.skip("set COURSE_HELM_CHARTS to a folder with the chart jupyterhub-4.*.tgz to render it")
    (chart,) = Path(charts).glob("jupyterhub-4.*.tgz")
    command = ["helm", "template", "hub", str(chart), "--values", str(DEPLOY / "values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert {"Deployment", "NetworkPolicy"} <= {one["kind"] for one in yaml.safe_load_all(done.stdout) if one}


def test_kubernetes_objects_refer_to_one_another(documents):
    claims = {name for kind, name in documents if kind == "PersistentVolumeClaim"}
    services = {name for kind, name in documents if kind == "Service"}
    templates = pod_templates(documents)
    for name, pod, container in containers(documents):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
            if "configMap" in volume:
                assert mount["subPath"] in documents["ConfigMap", volume["configMap"]["name"]]["data"]
        for kind in ("Deployment", "CronJob"):
            if (kind, name) in documents and kind == "Deployment":
                wanted = documents[kind, name]["spec"]["selector"]["matchLabels"]
                assert wanted.items() <= templates[name]["metadata"]["labels"].items()
    for service in services:
        selector = documents["Service", service]["spec"]["selector"]
        assert any(selector.items() <= template["metadata"]["labels"].items() for template in templates.values())


def test_commands_options_modules_and_files_exist(values, documents):
    from typer.main import get_command

    from autograder.cli import app

    course = get_command(app).commands
    scripts = " ".join(" ".join(one.get("args", [])) for _, _, one in containers(documents))
    for command, words in re.findall(r"course (\w+)((?: (?:--)?[\w./\"$-]+)*)", scripts):
        options = {option for parameter in course[command].params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", words)) <= options, command
    assert re.search(r"course grade .*--db ", scripts) and "course feedback" in scripts

    from nbgrader.apps import CollectApp, ReleaseFeedbackApp

    assert set(re.findall(r"nbgrader (\w+)", scripts)) == {"collect", "release_feedback"}
    assert "update" in CollectApp.flags and ReleaseFeedbackApp.name == "nbgrader-release-feedback"
    assert values["singleuser"]["cmd"][:2] == ["python", "-m"]
    assert importlib.util.find_spec(values["singleuser"]["cmd"][2]) is not None
    texts = [(DEPLOY / name).read_text() for name in ("values.yaml", "Dockerfile")]
    named = re.findall(rf"{CHECKOUT_IN_IMAGE}([\w./-]+)", "\n".join(texts))
    assert len(named) > 4
    for name in named:
        assert (REPOSITORY / name).exists(), name
    assert (REPOSITORY / values["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")).is_file()


def test_the_environment_is_the_one_that_the_single_user_server_reads(values):
    from autograder import hub_users, single_user

    environment = values["singleuser"]["extraEnv"]
    assert {single_user.COURSE_VARIABLE, "JUPYTERHUB_ROOT_DIR", "COURSE_NAME"} <= environment.keys()
    assert values["hub"]["config"]["Authenticator"]["username_pattern"] == hub_users.USER_NAME
    source = Path(single_user.__file__).read_text()
    assert "COURSE_GIT_CONFIG" in source and "COURSE_GIT_CONFIG" in environment
    # nbgrader's settings name the class as the environment does, and both files are programs that compile.
    files = values["singleuser"]["extraFiles"]
    for file in files.values():
        ast.parse(file["stringData"])
    assert 'os.environ["COURSE_NAME"]' in files["nbgrader"]["stringData"]


def test_images_are_pinned_and_one_image_is_used_everywhere(values, documents):
    image = values["singleuser"]["image"]
    wanted = f"{image['name']}:{image['tag']}"
    assert re.fullmatch(r"\d{4}\.\d{1,2}\.\d+", image["tag"])
    assert {container["image"] for _, _, container in containers(documents)} == {wanted}
    assert wanted in (DEPLOY / "Dockerfile").read_text()
    requirements = "".join((DEPLOY / f"ngshare{name}_requirements.txt").read_text() for name in ("", "_client"))
    pinned = re.findall(r"^([\w-]+)==[\d.]+((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", requirements, re.MULTILINE)
    assert [name for name, _ in pinned] == ["alembic", "ngshare", "sqlalchemy", "ngshare-exchange"]
    # The chart is pinned where it is installed.
    assert re.search(r"helm upgrade .*--version 4\.\d+\.\d+", (DEPLOY / "values.yaml").read_text())


# -- secrets -----------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_a_file_and_the_page_names_each_reference(values, documents, page):
    suspicious = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)
    referred = {(values["hub"]["existingSecret"], "hub.db.password")}
    for where in (values, *documents.values()):
        for path, _ in leaves(where):
            words = [key for key in path if isinstance(key, str)]
            if words and suspicious.search(words[-1]) and not words[-1].endswith("_url"):
                # The name of a secret, a switch, or the address of a log-in: nothing else may have such a name.
                assert words[-1] in {"existingSecret", "automountServiceAccountToken"}, path
        for tree in [value for _, value in leaves(where) if isinstance(value, str)]:
            assert not re.search(r"://[^/@\s]*:[^/@\s]+@", tree), "a password in an address"
    for _, pod, container in containers(documents):
        for variable in container["env"]:
            if suspicious.search(variable["name"]) or variable["name"].startswith("PG"):
                reference = variable["valueFrom"]["secretKeyRef"]
                referred.add((reference["name"], reference["key"]))
        assert pod["automountServiceAccountToken"] is False
    for name in values["hub"]["services"]:
        referred.add((values["hub"]["existingSecret"], f"hub.services.{name}.apiToken"))
    password = instructors(values).Spawner.group_overrides["instructors"]["spawner_override"]["environment"][
        "PGPASSWORD"
    ]
    referred.add(tuple(password["valueFrom"]["secretKeyRef"][key] for key in ("name", "key")))
    for secret, key in referred:
        assert f"`{secret}`" in page and f"`{key}`" in page, (secret, key)
    assert len(referred) == 4


# -- hub ---------------------------------------------------------------------------------------------------------


def instructors(values):
    """The configuration that the snippet about instructors makes."""
    configuration = Config()
    exec(compile(values["hub"]["extraConfig"]["instructors"], "instructors.py", "exec"), {"c": configuration})
    return configuration


def test_roles_hold_what_jupyterhub_knows_and_instructors_enter_no_students_server(values):
    from jupyterhub.scopes import _expand_scope, scope_definitions

    services, groups = values["hub"]["services"], instructors(values).JupyterHub.load_groups
    for name, role in values["hub"]["loadRoles"].items():
        for scope in role["scopes"]:
            base, _, rest = scope.partition("!")
            assert base in scope_definitions, scope
            assert not rest or rest.removeprefix("service=") in services, scope
        assert set(role.get("groups", [])) <= groups.keys(), name
    expanded = {scope for one in values["hub"]["loadRoles"]["instructor"]["scopes"] for scope in _expand_scope(one)}
    entering = {"access:servers", "tokens", "admin:users", "admin:groups", "users", "inherit"}
    assert expanded.isdisjoint(entering), expanded & entering
    assert {"read:users", "servers"} <= expanded


def test_nobody_can_be_called_like_the_administrator_of_the_exchange(values, documents):
    (arguments,) = (one["args"] for _, _, one in containers(documents) if one["name"] == "ngshare")
    (admins,) = (one.partition("=")[2].split(",") for one in arguments if one.startswith("--admins"))
    assert set(admins) <= set(values["hub"]["config"]["Authenticator"]["blocked_users"])
    assert set(admins) <= values["hub"]["services"].keys()


def test_the_class_and_its_instructors_have_one_name_everywhere(values, documents):
    ((name, *who),) = (one["args"] for pod, _, one in containers(documents) if pod == "make-class")
    assert name == values["singleuser"]["extraEnv"]["COURSE_NAME"]
    assert who == instructors(values).JupyterHub.load_groups["instructors"]["users"]


@pytest.mark.parametrize("kind", [list, dict])
def test_only_instructors_servers_see_class_and_gradebook(values, documents, kind):
    from jupyterhub.spawner import SimpleLocalProcessSpawner
    from traitlets import Any, Dict

    home = {"name": "home"}
    before = [home] if kind is list else {"home": home}

    class Kubernetes(SimpleLocalProcessSpawner):
        """The traits of KubeSpawner that matter; the chart has volumes as a list or, later, as a dict."""

        volumes = Any(config=True)
        volume_mounts = Any(config=True)
        extra_labels = Dict(config=True)

    configuration = instructors(values)
    chart = {"volumes": before, "volume_mounts": before, "extra_labels": {"from": "the chart"}}
    configuration.merge({"Kubernetes": chart})
    configuration.Spawner.environment = dict(values["singleuser"]["extraEnv"])
    student, instructor = (Kubernetes(config=configuration) for _ in range(2))
    instructor._apply_overrides(configuration.Spawner.group_overrides["instructors"]["spawner_override"])
    for given in (instructor.volumes, instructor.volume_mounts):
        assert isinstance(given, kind) and len(given) == 2
        entries = given if kind is list else list(given.values())
        assert entries[0] == home and entries[1]["name"] == "class"
    assert instructor.volumes != instructor.volume_mounts
    (claimed,) = (one for one in documents if one == ("PersistentVolumeClaim", "class"))
    assert claimed[1] in str(instructor.volumes)
    assert instructor.extra_labels == {"from": "the chart", "course-role": "instructor"}
    # What is the students' is as before: overrides of one server are not those of the next.
    assert student.volumes == student.volume_mounts == before and student.extra_labels == {"from": "the chart"}
    assert student.environment == values["singleuser"]["extraEnv"]
    assert instructor.environment["COURSE_CLASS"] == "/srv/class"


# -- network -----------------------------------------------------------------------------------------------------

JUPYTERHUB = {"app": "jupyterhub"}
OUTSIDE = {"the internet": True}
PORTS = {
    "hub": 8081,
    "proxy": 8000,
    "ngshare": 8080,
    "postgresql": 5432,
    "student": 8888,
    "dask-scheduler": 8786,
    "dask-worker": 8788,
    "another service": 9090,
    "internet": 443,
}
ALLOWED = {
    "student": {"hub", "proxy", "ngshare"},
    "instructor": {"hub", "proxy", "ngshare", "postgresql"},
    "ngshare": {"hub"},
    "collecting": {"ngshare"},
    "grading": {"postgresql", "dask-scheduler"},
    "dask-scheduler": {"dask-worker"},
    "dask-worker": {"dask-scheduler", "dask-worker"},
}


def selects(selector, labels):
    return selector.get("matchLabels", {}).items() <= labels.items()


def rule_allows(rule, side, labels, port):
    ports = [one["port"] for one in rule.get("ports", [])]
    if ports and port not in ports:
        return False
    peers = rule.get(side)
    # A selector of namespaces stands for the name service in all of our rules; an address reaches no pod of ours.
    return peers is None or any(
        "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], labels)
        for peer in peers
    )


def may_talk(policies, source, target, port):
    """Whether a pod reaches another by the definition of network policies: both sides must allow it."""
    for direction, own, other, side in (("Egress", source, target, "to"), ("Ingress", target, source, "from")):
        valid = [one for one in policies if direction in one["policyTypes"] and selects(one["podSelector"], own)]
        rules = [rule for one in valid for rule in one.get(direction.lower(), [])]
        if valid and not any(rule_allows(rule, side, other, port) for rule in rules):
            return False
    return True


def policies_of_the_chart(values):
    """What the chart makes itself for servers, hub and proxy: its own rules, and those of our values."""
    label = "hub.jupyter.org/network-access-"

    def to(component, *ports):
        peer = {"podSelector": {"matchLabels": JUPYTERHUB | {"component": component}}}
        return {"to": [peer], "ports": [{"port": port} for port in ports]}

    def by(access, port):
        return {"from": [{"podSelector": {"matchLabels": {label + access: "true"}}}], "ports": [{"port": port}]}

    parts = {
        "singleuser-server": (
            values["singleuser"]["networkPolicy"],
            [by("singleuser", 8888)],
            [to("hub", 8081), to("proxy", 8000), to("autohttps", 8080, 8443)],
        ),
        "hub": (
            values["hub"]["networkPolicy"],
            [by("hub", 8081)],
            [to("proxy", 8001), to("singleuser-server", 8888)],
        ),
        "proxy": (
            values["proxy"]["chp"]["networkPolicy"],
            [by("proxy-api", 8001), {"ports": [{"port": 8000}]}],
            [to("hub", 8081), to("singleuser-server", 8888)],
        ),
    }
    for component, (policy, ingress, egress) in parts.items():
        assert policy["enabled"]
        yield {
            "podSelector": {"matchLabels": JUPYTERHUB | {"component": component}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress + policy.get("egress", []),
        }


def test_everybody_reaches_what_he_needs_and_nothing_else(values, documents):
    access = {f"hub.jupyter.org/network-access-{name}": "true" for name in ("hub", "singleuser", "proxy-api")}
    server = JUPYTERHUB | {"component": "singleuser-server", "hub.jupyter.org/network-access-hub": "true"}
    overrides = instructors(values).Spawner.group_overrides["instructors"]["spawner_override"]
    labels = {
        "student": server,
        "instructor": server | overrides["extra_labels"],
        "hub": JUPYTERHUB | {"component": "hub"} | access,
        "proxy": JUPYTERHUB | {"component": "proxy"} | access,
        "postgresql": {"app": "postgresql"},
        "another service": {"app": "prometheus"},
        "internet": OUTSIDE,
    }
    names = {"ngshare": "ngshare", "make-class": "collecting", "collect": "collecting", "grade": "grading"}
    names |= {"dask-scheduler": "dask-scheduler", "dask-workers": "dask-worker"}
    for name, template in pod_templates(documents).items():
        labels[names[name]] = template["metadata"]["labels"]
    policies = [one["spec"] for (kind, _), one in documents.items() if kind == "NetworkPolicy"]
    policies += policies_of_the_chart(values)
    for source, wanted in ALLOWED.items():
        reached = {target for target, port in PORTS.items() if may_talk(policies, labels[source], labels[target], port)}
        assert reached == wanted, source
        others = {8000, 22, 443, 5432, 8001, 8888}
        for port in others - set(PORTS.values()):
            assert not any(may_talk(policies, labels[source], labels[target], port) for target in PORTS)
    for source, target in (("proxy", "ngshare"), ("hub", "postgresql"), ("hub", "student"), ("proxy", "student")):
        assert may_talk(policies, labels[source], labels[target], PORTS[target]), (source, target)
    # The way out of the cluster and the machine's own data are closed by switches of the chart.
    switches = values["singleuser"]["networkPolicy"]["egressAllowRules"]
    assert [name for name, on in switches.items() if on] == ["dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs"]


# -- what a pod may do -------------------------------------------------------------------------------------------


def test_pods_have_no_rights_that_they_do_not_need(values, documents):
    pods = {name: pod for name, pod, _ in containers(documents)}
    pods["servers"] = values["singleuser"]["extraPodConfig"]
    for name, pod in pods.items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, _, container in containers(documents):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"] is True, name
        assert security["capabilities"] == {"drop": ["ALL"]} and "limits" in container["resources"], name
    assert values["singleuser"]["allowPrivilegeEscalation"] is False
    # The group of the volume is told twice, because extraPodConfig replaces what the chart says.
    assert values["singleuser"]["extraPodConfig"]["securityContext"]["fsGroup"] == 100


IN_A_POD = """
import ctypes, errno, sys
import pyseccomp
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(444, None, 0, 1) < 1:  # landlock_create_ruleset: which version?
    print("no landlock"); sys.exit()
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS, as allowPrivilegeEscalation: false
rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
# What RuntimeDefault refuses to a container without capabilities, as far as the engine could want it.
for name in ("unshare", "setns", "mount", "umount2", "pivot_root", "bpf", "keyctl"):
    rules.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
rules.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, 0x10000000, 0x10000000))
rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
rules.load()
from autograder.isolation import available
print(available().level)
"""


def test_in_a_pod_of_the_grading_the_engine_has_landlock(documents):
    """The page promises it; without it `course grade` refuses to grade there."""
    spec = pod_templates(documents)["grade"]["spec"]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can become the user of the pod")
    user = spec["securityContext"]["runAsUser"]
    driver = str(REPOSITORY / "tests" / "as_user.py")
    environment = {"PATH": os.environ["PATH"], "HOME": "/tmp", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, driver, str(user), "--cover-proc", sys.executable, "-c", IN_A_POD],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if done.stdout.strip() == "no landlock":
        pytest.skip("the kernel of this machine has no Landlock")
    assert done.stdout.strip() == "landlock"


# -- sizes -------------------------------------------------------------------------------------------------------


def megabytes(quantity):
    number, unit = re.fullmatch(r"([\d.]+)(Mi|Gi|M|G)", quantity).groups()
    return float(number) * {"M": 1, "G": 1000, "Mi": 1.048576, "Gi": 1073.741824}[unit]


def test_the_table_of_sizes_follows_from_the_values(values, page):
    """Readers plan and pay by that table: it must be the formula above it, with the numbers of the values."""
    memory, cpu = values["singleuser"]["memory"], values["singleuser"]["cpu"]
    guarantee_mb = megabytes(memory["guarantee"])
    assert guarantee_mb < megabytes(memory["limit"]) and f"{guarantee_mb:.0f} MB" in page
    node_mb, node_cores = (float(value) for value in re.search(r"(\d+) MB and ([\d.]+) cores for users", page).groups())
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [30, 300, 3000]
    seconds = float(re.search(r"(\d+) CPU-s a submission", page)[1])
    for students, share, running, nodes, cores, storage in ([float(cell) for cell in row] for row in rows):
        assert running == math.ceil(students * share)
        a_node = min(node_mb // guarantee_mb, node_cores // cpu["guarantee"])
        assert nodes == math.ceil(running / a_node)
        assert cores == math.ceil(students * seconds / 3600)
        assert storage == math.ceil(students * megabytes(values["singleuser"]["storage"]["capacity"]) / 1073.741824)
    assert values["hub"]["activeServerLimit"] >= float(rows[1][2])
