"""What `kubectl apply`, `docker compose` and the image are given agrees with the code."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from breadmate.deploy import rendered
from tests.edge.test_env_example import example

PROJECT = Path(__file__).resolve().parents[2]
OTHERS_SETTINGS = {"POSTGRES_PASSWORD", "PROMETHEUS_MULTIPROC_DIR"}  # read by Postgres and by prometheus_client


def documents(overlay: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(rendered(overlay)) if document]


def of_kind(overlay: str, kind: str) -> dict[str, Any]:
    return {d["metadata"]["name"]: d for d in documents(overlay) if d["kind"] == kind}


def test_rendered_file_is_current() -> None:
    assert (PROJECT / "k8s/breadmate.yaml").read_text() == rendered("dev"), "run: make k8s"


def test_every_setting_given_is_one_that_is_read() -> None:
    known = example().keys() | OTHERS_SETTINGS
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    assert compose["x-breadmate"]["environment"].keys() <= known
    for overlay in ("dev", "prod"):
        assert of_kind(overlay, "ConfigMap")["breadmate"]["data"].keys() <= known
    assert of_kind("dev", "Secret")["breadmate"]["stringData"].keys() <= known
    told = yaml.safe_load((PROJECT / "k8s/overlays/prod/secret.example.yaml").read_text())["stringData"]
    assert told.keys() <= known
    assert set(told.values()) == {""}


def test_production_has_no_secret_in_it() -> None:
    assert of_kind("prod", "Secret") == {}
    assert of_kind("prod", "ConfigMap")["breadmate"]["data"]["DEMO"] == "0"


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_every_service_and_scaler_finds_its_pods(overlay: str) -> None:
    workloads = of_kind(overlay, "Deployment") | of_kind(overlay, "StatefulSet")
    labels = {name: w["spec"]["template"]["metadata"]["labels"] for name, w in workloads.items()}
    services = of_kind(overlay, "Service")
    for name, service in services.items():
        assert service["spec"]["selector"].items() <= labels[name].items()
        ports = {p.get("name") for c in workloads[name]["spec"]["template"]["spec"]["containers"] for p in c["ports"]}
        assert {port.get("targetPort", port["name"]) for port in service["spec"]["ports"]} <= ports
    for scaler in of_kind(overlay, "HorizontalPodAutoscaler").values():
        assert scaler["spec"]["scaleTargetRef"]["name"] in workloads
    for budget in of_kind(overlay, "PodDisruptionBudget").values():
        assert budget["spec"]["selector"]["matchLabels"] in [
            w["spec"]["selector"]["matchLabels"] for w in workloads.values()
        ]
    for ingress in of_kind(overlay, "Ingress").values():
        for rule in ingress["spec"]["rules"]:
            assert {path["backend"]["service"]["name"] for path in rule["http"]["paths"]} <= services.keys()


@pytest.mark.parametrize(("name", "least", "most", "percent"), [("web-orders", 2, 5, 50), ("web-payments", 1, 5, 70)])
def test_what_must_not_slow_down_grows_with_its_load(name: str, least: int, most: int, percent: int) -> None:
    spec = of_kind("prod", "HorizontalPodAutoscaler")[name]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (least, most)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == percent


def test_nothing_of_ours_runs_as_root_or_writes_to_its_image() -> None:
    ours = [
        (pod["spec"]["template"]["spec"], container)
        for pod in [*of_kind("prod", "Deployment").values(), *of_kind("prod", "Job").values()]
        for container in pod["spec"]["template"]["spec"]["containers"]
        if "breadmate" in container["image"]
    ]
    assert len(ours) == 7
    for pod, container in ours:
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_role_the_manifests_name_is_one_the_image_knows() -> None:
    known = set(re.findall(r"^([a-z]+)\)$", (PROJECT / "ops/role.sh").read_text(), re.MULTILINE)) | {"prepare"}
    pods = [*of_kind("prod", "Deployment").values(), *of_kind("prod", "Job").values()]
    roles = {
        c["args"][0] for pod in pods for c in pod["spec"]["template"]["spec"]["containers"] if "breadmate" in c["image"]
    }
    assert roles == known


def test_image_holds_what_the_roles_start_and_no_servers_of_its_own() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\S+) (?!/)", text, re.MULTILINE))
    assert {"manage.py", "breadmate", "apps", "ops", "templates", "static"} <= copied
    assert "requirements-embedded" not in text
    kept = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied <= kept | {"--from=build"}


def test_role_script_is_posix() -> None:
    assert subprocess.run(["/bin/sh", "-n", PROJECT / "ops/role.sh"], check=False).returncode == 0
