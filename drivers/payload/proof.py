"""Whether a document does what its own vectors say, on this node."""

from drivers.errors import DriverError
from drivers.payload.schema import Program
from drivers.payload.vectors import Vector, agrees


def failed_vectors(program: Program) -> tuple[str, ...]:
    """What each vector that does not hold expected, and what came instead; nothing where all hold."""
    tried = ((vector, _fault(program, vector)) for vector in program.vectors)
    return tuple(f"vector {vector.name!r}: {fault}" for vector, fault in tried if fault is not None)


def _fault(program: Program, vector: Vector) -> str | None:
    try:
        if vector.values is None:
            values = program.decode(vector.port, vector.payload).values
            wrong = next((name for name, item in vector.expected.items() if not agrees(item, values.get(name))), None)
            return None if wrong is None else f"{wrong} is {values.get(wrong)}, expected {vector.expected[wrong]}"
        raw = program.encode(vector.port, vector.values)
    except DriverError as error:
        return f"{type(error).__name__}: {error}"
    return None if raw == vector.payload else f"written as {raw.hex()}, expected {vector.payload.hex()}"
