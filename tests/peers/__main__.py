"""Make the environments of independent implementations: `python -m tests.peers`.

Each is made from its own lock, stamped with the lock's hash, and left alone while the hash is the same. What cannot be
made (no newer Python, no Node) is named and passed over; on CI it is an error.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.peers import BUILD, HERE, NPM, PYTHONS, ROOT, environment, python_of

NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
NEWER = ("3.12", "3.13", "3.14")


class MissingError(Exception):
    """Something that an environment is made with is not on this machine."""


def main() -> int:
    """Make what is not up to date."""
    missing = [name for name in (*PYTHONS, NPM) if not make(name)]
    if missing and os.environ.get("CI"):
        print(f"on CI every peer must be there; missing: {', '.join(missing)}", file=sys.stderr)
        return 1
    return 0


def make(name: str) -> bool:
    """Make one environment; False where it cannot be made here."""
    stamp, wanted = environment(name) / "stamp", lock_hash(name)
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    print(f"peers: making {name} ...", flush=True)
    shutil.rmtree(environment(name), ignore_errors=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        if name == NPM:
            make_npm()
        else:
            make_python(name)
    except MissingError as error:
        print(f"peers: {name} is NOT made: {error}; its tests will be skipped", file=sys.stderr, flush=True)
        return False
    stamp.write_text(wanted)
    return True


def lock_hash(name: str) -> str:
    """What an environment is stamped with."""
    files = [HERE / "npm" / file for file in NPM_FILES] if name == NPM else [lock_of(name)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def lock_of(name: str) -> Path:
    """The lock of a Python environment."""
    return ROOT / "requirements" / f"peers-{name}.lock"


def make_python(name: str) -> None:
    """A virtual environment with exactly what the lock says."""
    python = find_python(PYTHONS[name])
    run([python, "-m", "venv", str(environment(name))])
    pip = [str(python_of(name)), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", "--no-deps", "--require-hashes", "-r", str(lock_of(name))])


def make_npm() -> None:
    """A folder with exactly what the lock says, and no script of any package run."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise MissingError("no npm")
    environment(NPM).mkdir()
    for file in NPM_FILES:
        shutil.copy(HERE / "npm" / file, environment(NPM) / file)
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=environment(NPM))


def find_python(least: tuple[int, int]) -> str:
    """A Python of at least this version that runs, if need be from the distribution; raise MissingError."""
    if sys.version_info[:2] >= least:
        return sys.executable
    found = _first_that_runs(least)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install_newer()
        found = _first_that_runs(least)
    if found is None:
        raise MissingError(f"no Python {least[0]}.{least[1]} or newer")
    return found


def _first_that_runs(least: tuple[int, int]) -> str | None:
    return next((python for python in _candidates() if _version(python) >= least), None)


def _candidates() -> Iterator[str]:
    for version in NEWER:
        yield from (found for found in (shutil.which(f"python{version}"),) if found)
    for folder in (Path.home() / ".pyenv" / "versions", Path("/opt/python"), Path("/opt/hostedtoolcache/Python")):
        yield from (str(path) for path in sorted(folder.glob("**/bin/python3")) if path.is_file())
    yield from (str(path) for version in NEWER for path in Path("/usr/local/bin").glob(f"python{version}"))


def _version(python: str) -> tuple[int, ...]:
    # A python3.12 on PATH may be a shim that answers nothing: only one that runs and has venv counts.
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(int(part) for part in answer.stdout.split()) if answer.returncode == 0 else ()


def _install_newer() -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    for version in NEWER:
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", f"python{version}-venv"]
        if subprocess.run(command, env=quiet, check=False, capture_output=True).returncode == 0:
            return


def run(command: list[str], cwd: Path = ROOT) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, cwd=cwd, check=True)


if __name__ == "__main__":
    sys.exit(main())
