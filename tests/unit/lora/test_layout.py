"""The virtual side of the radio stays out of the server."""

import ast
from pathlib import Path

LORA = Path(__file__).parents[3] / "lora"
VIRTUAL = {"lora.device", "lora.device_mac", "lora.gateway.virtual", "lora.net.simulator", "lora.net.simulator_config"}


def test_server_never_imports_the_simulator() -> None:
    """No module of the server imports the virtual device, the virtual gateway or the simulator."""
    for path in LORA.rglob("*.py"):
        name = ".".join(path.relative_to(LORA.parent).with_suffix("").parts)
        if name in VIRTUAL:
            continue
        found = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        assert not found & VIRTUAL, f"{path.name} imports {found & VIRTUAL}"
