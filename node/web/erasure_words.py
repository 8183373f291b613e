"""What the codes about erasures read as."""

from node.web.passport_words import Table

GROUNDS: Table = {
    "consent": ("согласие отозвано", "consent was withdrawn"),
    "period": ("срок хранения истёк", "the storage period is over"),
    "mistake": ("записано по ошибке", "recorded by mistake"),
    "court": ("решение суда", "a court decided so"),
    "other": ("другое", "other"),
}
# Why a row of an erasure has no effect.
HINDRANCES: Table = {
    "other-entry": ("на этом месте другой фрагмент", "another statement stands at that place"),
    "no-section": ("такого раздела у фрагмента нет", "the statement has no such section"),
    "authority": ("раздел полномочий не стирают", "a section of authority is not erased"),
    "not-personal": ("раздел не персональный: его исправляют, а не стирают", "not personal: corrected, not erased"),
    "foreign": ("просит не автор и не якорь", "neither its author nor an anchor asks"),
    "few-anchors": ("ждёт подписи других якорей", "waits for other anchors"),
    "absent": ("фрагмента здесь нет", "the statement is not here"),
}
ERASURE_STATES: Table = {
    "erased": ("стёрто", "erased"),
    "waiting": ("ждёт других якорей", "waits for other anchors"),
    "refused": ("не действует", "has no effect"),
    "absent": ("фрагмента здесь нет", "the statement is not here"),
}
