"""Codecs that try to harm whoever runs them, each on a payload that begins with 01; on others they are good."""

GOOD = "return {data: {volume: input.bytes.length}};"
HARM: dict[str, str] = {
    "an endless loop": "while (true) {}",
    "a loop that catches its end": "for (;;) { try { while (true) {} } catch (e) {} finally { continue; } }",
    "memory without end": "const all = []; while (true) all.push(new Array(1000).fill(1));",
    "memory without end, caught": (
        "let all = []; for (;;) { try { all.push(new Uint8Array(1 << 20)); } catch (e) { all = []; } }"
    ),
    "a text that doubles": "let text = 'x'; while (true) text += text;",
    "texts that double, caught": "for (;;) { try { let text = 'x'; while (true) text += text; } catch (e) {} }",
    "a pattern that never ends": "/^(a+)+$/.test('a'.repeat(50) + 'b');",
    "a recursion": "const f = () => f() + 1; f();",
    "a recursion, caught": "const f = () => { try { return f(); } catch (e) { return f(); } }; f();",
    "an order that is never found": "[3, 2, 1].sort(() => { while (true) {} });",
    "a search that the engine does not interrupt": (
        "const text = 'a'.repeat(1e6) + 'b'; for (let n = 0; n < 1e9; n += 1) text.indexOf('ab');"
    ),
    "an array of nothing, joined": "new Array(2 ** 28).join('ab');",
    "two gigabytes at once": "new Uint8Array(2 ** 31 - 1).fill(1); new ArrayBuffer(2 ** 40);",
    "promises without end": "const f = () => Promise.resolve().then(f); f(); for (;;) { Promise.resolve().then(f); }",
    "a generator without end": "function* f() { for (;;) yield* f(); } for (const one of f()) {}",
    "numbers without end": "let n = 3n; for (;;) n = n * n;",
    "a getter without end": "return {data: {get volume() { while (true) {} }}};",
    "a text of itself without end": "return {data: {volume: {toJSON() { for (;;) {} }}}};",
    "a proxy without end": "return new Proxy({}, {get() { for (;;) {} }, ownKeys() { for (;;) {} }});",
    "an answer of many megabytes": "return {data: {volume: 'x'.repeat(8 << 20)}};",
    "code out of text": "for (;;) { new Function('for (;;) {}')(); (0, eval)('for (;;) {}'); }",
}


def codec(harm: str) -> str:
    """A codec that does that on payloads that begin with 01."""
    return f"function decodeUplink(input) {{ if (input.bytes[0] === 1) {{ {harm} }} {GOOD} }}"
