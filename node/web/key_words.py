"""What the codes of the root chain read as for people, in Russian and English."""

from node.web.passport_words import Table

NODE_STATES: Table = {
    "live": ("работает", "live"),
    "ended": ("отключён", "ended"),
    "disowned": ("не признан", "disowned"),
}
# What should not stay so, and what to do about it.
WARNINGS: Table = {
    "root_here": (
        "root.key лежит на этой машине: кто возьмёт её, возьмёт и организацию; уберите его: passport-node keys move",
        "root.key lies on this machine: whoever takes it takes the organisation; move it: passport-node keys move",
    ),
    "next_here": (
        "next-root.key лежит на этой машине: он возвращает цепочку, если украден root.key, и должен лежать отдельно",
        "next-root.key lies on this machine: it takes the chain back when root.key is stolen, and should lie apart",
    ),
    "forked": (
        "корневая цепочка раздвоена: якоря федерации подтверждают одну ветвь, или keys rotate отменяет обе",
        "the root chain is forked: the federation's anchors attest one branch, or keys rotate undoes both",
    ),
    "ended": (
        "этот узел отключён: что он скажет, не засчитывается",
        "this node is ended: what it says does not count",
    ),
}
STATEMENTS: Table = {
    "genesis": ("организация основана", "organisation founded"),
    "node": ("объявлен узел", "node stated"),
    "end_node": ("отключён узел", "node ended"),
    "rotate": ("сменён корневой ключ", "root key changed"),
}
END_REASONS: Table = {
    "retired": ("выведен из работы", "retired"),
    "stolen": ("украден", "stolen"),
    "lost": ("утрачен", "lost"),
    "replaced": ("заменён", "replaced"),
    "other": ("причина не названа", "no reason told"),
}
