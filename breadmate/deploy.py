"""Renders the manifests: ``make k8s``."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
HEAD = "# The demo overlay, rendered by `make k8s`, so that `kubectl apply -f` of this one file works.\n"


def rendered(overlay: str) -> str:
    """Return what ``kubectl apply -k`` of an overlay would send; nothing is fetched."""
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run(  # noqa: S603 - a program of our own environment
        [kubectl, "kustomize", PROJECT / "k8s" / "overlays" / overlay], capture_output=True, text=True, check=True
    )
    return HEAD + done.stdout if overlay == "dev" else done.stdout


if __name__ == "__main__":
    (PROJECT / "k8s" / "breadmate.yaml").write_text(rendered("dev"))
