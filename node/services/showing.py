"""What of an entry a peer is given: the header, and each section as rights open it, sealed where it is secret."""

from federation.fragment import Fragment, Section, SectionClass
from federation.sealing import seal_section
from node.services.core import Core
from node.services.counting import stored_header
from node.services.disclosure import View
from node.services.handed import Personal
from node.services.seals import NO_SEALS, Seals
from node.store.fragments import CLEAR, SEALED, STORED, StoredFragment


class Showing:
    """Puts entries together as they leave."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def shown(
        self, fragment: StoredFragment, view: View, personal: Personal, seals: Seals = NO_SEALS
    ) -> Fragment | None:
        """An entry as an asker with that view of it gets it, None where it gets nothing; what is personal is noted."""
        if fragment.void is not None:
            return Fragment(fragment.header, fragment.signature)
        header = stored_header(fragment)
        if header is None or not view.shows(header):
            return None
        classes = {head.name: head.klass for head in header.sections}
        sections: list[Section] = []
        for stored in fragment.sections:
            klass = classes.get(stored.name, -1)
            if stored.form == STORED:
                box_key = seals.key_for(view, header, klass, stored.name)
                opened = self.opened(fragment, stored.name) if box_key is not None else None
                if opened is not None and box_key is not None:
                    sections.append(seal_section(box_key, opened))
                    self._mark(fragment, stored.name, klass, personal)
            elif stored.form == SEALED and seals.passes_on(view, header, klass, stored):
                sections.append(Section(stored.name, None, stored.data))
            elif stored.form == CLEAR and view.shows_section(header, stored.name, klass):
                sections.append(Section(stored.name, stored.salt, stored.data))
                self._mark(fragment, stored.name, klass, personal)
        return Fragment(fragment.header, fragment.signature, tuple(sections))

    @staticmethod
    def _mark(fragment: StoredFragment, name: str, klass: int, personal: Personal) -> None:
        if klass == SectionClass.PERSONAL:
            personal.setdefault((fragment.log, fragment.seq), []).append(name)

    def opened(self, fragment: StoredFragment, name: str) -> Section | None:
        """A secret section that is kept under the key of this store, in clear."""
        for stored in fragment.sections:
            if stored.name == name and stored.form == STORED:
                return Section(name, stored.salt, self._core.keystore.vault.open(stored.data))
        return None
