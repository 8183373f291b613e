"""A driver as a maker writes it: the folder of a water meter that sends litres, a temperature and a leak."""

from drivers.package import Package, read_folder

DOCUMENT = b"""name: water
endian: big
fields:
- {name: volume, type: u32, unit: L}
- {name: temperature, type: s16, div: 10, unit: "\xc2\xb0C"}
- {name: leak, type: u8}
"""
FRAME = "000004d200e700"
SAYS = "port-2 | 0:volume=1.234 m3 0:temperature=23.1 Cel | leak=0"


def folder(
    org: str,
    *,
    name: str = "water-7",
    version: str = "1.0",
    types: tuple[str, ...] = ("t:new",),
    models: tuple[str, ...] = (),
    key: str = "",
    says: str = SAYS,
    scale: str = "1",
    firmware: str = "",
    below: str = "",
    port: int = 2,
    quantity: str = "volume",
) -> dict[str, bytes]:
    """What stands in the folder."""
    match = f'match = [["payload", "{key}"]]' if key else ""
    description = f"""
id = "{name}"
publisher = "{org}"
name = "Вода-7"
version = "{version}"
level = 0
transports = ["lorawan"]
ports = [{port}]
source = "паспорт изделия"

[applies_to]
types = {list(types)}
models = {list(models)}
{match}
firmware = {{{", ".join(f'{name} = "{bound}"' for name, bound in (("minimum", firmware), ("below", below)) if bound)}}}

[clock]
ahead_s = 60
behind_s = 3600

[[fields]]
name = "volume"
quantity = "{quantity}"
unit = "m3"
kind = "counter"
scale = "{scale}"

[[fields]]
name = "temperature"
quantity = "temperature"
unit = "Cel"
kind = "gauge"

[[states]]
name = "leak"
alarm = true

[[vectors]]
name = "usual"
port = {port}
data = "{FRAME}"
expected = "{says.replace("port-2", f"port-{port}")}"
"""
    return {"driver.toml": description.encode(), "payload.yaml": DOCUMENT}


def package(org: str, **changes: object) -> Package:
    """The package of such a folder."""
    return read_folder(folder(org, **changes))  # type: ignore[arg-type]  # the names of `folder`
