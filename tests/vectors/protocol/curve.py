"""Ed25519 in plain integers, to make the keys and signatures that no library would make."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]

IDENTITY: Point = (0, 1)


def recover_x(y: int, sign: int) -> int | None:
    """The x of a point with this y and this lowest bit; None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_1 % P
    if (x * x - square) % P:
        return None
    return P - x if x % 2 != sign else x


def add(left: Point, right: Point) -> Point:
    """The sum of two points."""
    (a, b), (c, d) = left, right
    k = D * a * b * c * d % P
    return (a * d + c * b) * pow(1 + k, P - 2, P) % P, (b * d + a * c) * pow(1 - k, P - 2, P) % P


def multiply(factor: int, point: Point) -> Point:
    """The point added to itself `factor` times."""
    total = IDENTITY
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def encode(point: Point) -> bytes:
    """The canonical 32 bytes."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(raw: bytes) -> Point:
    """The point of a canonical encoding."""
    value = int.from_bytes(raw, "little")
    y = value & (2**255 - 1)
    x = recover_x(y, value >> 255)
    assert x is not None
    return x, y


BASE: Point = (recover_x(4 * pow(5, P - 2, P) % P, 0) or 0, 4 * pow(5, P - 2, P) % P)
ORDER_8 = decode(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
SMALL_ORDER = [multiply(factor, ORDER_8) for factor in range(8)]


def scalar_of(seed: bytes) -> tuple[int, bytes]:
    """The secret scalar and the nonce prefix that Ed25519 makes of a seed."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & (2**254 - 8) | 2**254, digest[32:]


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    """SHA-512(R || A || M) as a scalar."""
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def sign_with(seed: bytes, message: bytes, twist: Point = IDENTITY, nonce: int | None = None) -> bytes:
    """A signature whose R carries `twist`: with one of small order it holds only times the cofactor."""
    scalar, prefix = scalar_of(seed)
    key = encode(multiply(scalar, BASE))
    r = nonce if nonce is not None else int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = encode(add(multiply(r, BASE), twist))
    return point + ((r + challenge(point, key, message) * scalar) % L).to_bytes(32, "little")


def non_canonical_keys() -> list[bytes]:
    """Every spelling of a curve point with y >= p, and of x = 0 with the sign bit set."""
    found = []
    for y in range(19):
        for sign in (0, 1):
            if recover_x(y, sign) is not None:
                found.append((y + P | sign << 255).to_bytes(32, "little"))
    found += [(1 | 1 << 255).to_bytes(32, "little"), (P - 1 | 1 << 255).to_bytes(32, "little")]
    return found
