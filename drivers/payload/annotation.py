"""What a document says of a value besides its bytes: units and meanings for people and other formats."""

from dataclasses import dataclass, field

from drivers.payload.section import Section

# Prose and hints of other formats: they change no value.
PROSE = frozenset(
    {"description", "comment", "comments", "note", "notes", "title", "summary", "example", "sensor", "resolution"}
    | {"unece", "ipso", "senml", "senml_unit", "identity", "mbus_dif", "mbus_vif"}
)
ANNOTATIONS = PROSE | {"unit", "semantic"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """The unit as it is written, and the dotted meaning."""

    unit: str | None = None
    semantic: str | None = None


@dataclass(frozen=True, slots=True)
class Annotations:
    """Annotations by the path of the value in the output, as `gps.latitude`; all that are said of one path."""

    by_path: dict[str, set[Annotation]] = field(default_factory=dict)

    def take(self, section: Section, within: tuple[str, ...], name: str | None) -> None:
        """Keep what a field says of itself."""
        texts = [item if isinstance(item, str) else None for item in (section.take("unit"), section.take("semantic"))]
        section.drop(PROSE)
        if name:
            self.by_path.setdefault(".".join((*within, name)), set()).add(Annotation(*texts))

    def find(self, path: str) -> Annotation | None:
        """What is said of a value, or None where nothing is or two cases say different things."""
        found = self.by_path.get(path, set())
        return next(iter(found)) if len(found) == 1 else None
