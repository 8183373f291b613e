"""What `make test` runs: what the tests need from the system, then everything, then the coverage table."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import coverage

ROOT = Path(__file__).parent.parent
QUICK = (("ruff", "format", "--check", "."), ("ruff", "check", "."), ("hadolint", "docker/Dockerfile"))
TYPES = ("mypy",)
TESTS = ("python", "-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "tests")
PACKAGES = {"chromium-headless-shell": ("chromium-headless-shell",), "gcc": ("gcc", "libc6-dev")}


def main() -> int:
    """Install, run, report."""
    _install()
    results = ROOT / "build" / "tests"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    environment = {**os.environ, "PASSPORT_RESULTS": str(results)}
    for command in QUICK:
        if code := _begin(command, environment).wait():
            return code
    # The types of everything take a minute of one processor: beside the tests, whose processes often wait.
    with _begin(TYPES, environment) as types, _begin(TESTS, environment) as tests:
        codes = types.wait(), tests.wait()
    if any(codes):
        print(f"== types {'are wrong' if codes[0] else 'hold'}, tests {'fail' if codes[1] else 'pass'}", flush=True)
        return 1
    return coverage.main(["--check"] if os.environ.get("CI") else [])


def _begin(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    print("==", " ".join(command), flush=True)
    binary = str(Path(sys.executable).parent / command[0])
    return subprocess.Popen([binary, *command[1:]], cwd=ROOT, env=environment)


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
