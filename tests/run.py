"""What `make test` runs: what the tests need from the system, then everything, then the coverage table."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import coverage

ROOT = Path(__file__).parent.parent
PACKAGES = {"chromium": ("chromium",), "gcc": ("gcc", "libc6-dev")}


def main() -> int:
    """Install, run, report."""
    _install()
    results = ROOT / "build" / "tests"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    environment = {**os.environ, "PASSPORT_RESULTS": str(results)}
    commands = (
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["hadolint", "docker/Dockerfile"],
        ["python", "-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "tests"],
    )
    for command in commands:
        print("==", " ".join(command), flush=True)
        binary = str(Path(sys.executable).parent / command[0])
        code = subprocess.run([binary, *command[1:]], cwd=ROOT, env=environment, check=False).returncode
        if code:
            return code
    return coverage.main(["--check"] if os.environ.get("CI") else [])


def _install() -> None:
    missing = [name for binary, names in PACKAGES.items() if shutil.which(binary) is None for name in names]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"not here and not installable without root: {', '.join(missing)}: their tests are skipped", flush=True)
        return
    print(f"installing {', '.join(missing)} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
