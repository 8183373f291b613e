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
    built: list[str] = field(default_factory=list)

    def take(self, section: Section, within: tuple[str, ...]) -> None:
        """Keep what a field says of itself."""
        name, template = section.text("name"), section.text("name_from")
        texts = [item if isinstance(item, str) else None for item in (section.take("unit"), section.take("semantic"))]
        section.drop(PROSE)
        if name:
            self.by_path.setdefault(".".join((*within, name)), set()).add(Annotation(*texts))
        if template is not None:
            self.built.append(".".join((*within, template.partition("$")[0])))

    def knows(self, path: str) -> bool:
        """Whether a field has this path; a name that is built of values is known by its template's beginning."""
        return path in self.by_path or any(path.startswith(start) for start in self.built)

    def find(self, path: str) -> Annotation | None:
        """What is said of a value, or None where nothing is or two cases say different things."""
        found = self.by_path.get(path, set())
        return next(iter(found)) if len(found) == 1 else None
