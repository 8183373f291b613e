"""What the folder of a new driver begins with: a whole driver that holds its own vector, to be changed."""

from collections.abc import Mapping

DESCRIPTION = """\
# What the driver is. The guide is docs/drivers.md; `passport-node driver test` tells what does not hold.
id = "{id}"
publisher = "{publisher}"
name = "{id}"
version = "1.0"
level = {level}
transports = ["lorawan"]
ports = [2]
source = ""  # the document that the layout is from

# Which meters it is for: central types, models, and the name by which a passport calls it.
[applies_to]
types = []
models = []
match = [["payload", "{id}"]]
# firmware = {{minimum = "1.0", below = "2.0"}}

# How far the meter's clock may be off before its time is doubted.
[clock]
ahead_s = 60
behind_s = 3600

# What becomes a reading: `name` is the place of the value, `quantity` a code of the parameter catalog, `unit` UCUM.
[[fields]]
name = "volume"
quantity = "volume"
unit = "m3"
kind = "counter"
{scale}
[[fields]]
name = "temperature"
quantity = "temperature"
unit = "Cel"
kind = "gauge"

[[states]]
name = "leak"
alarm = true

# The proof: these bytes say this, on every node that is to run the driver.
[[vectors]]
name = "usual"
port = 2
data = "000004d200e701"
expected = "port-2 | 0:volume=1.234 m3 0:temperature=23.1 Cel | leak=1 | !leak"
"""

PAYLOAD = """\
name: {id}
endian: big
fields:
- {{name: volume, type: u32, unit: L}}
- {{name: temperature, type: s16, div: 10, unit: "°C"}}
- {{name: leak, type: u8}}
test_vectors:
- {{name: usual, payload: 000004d2 00e7 01, expected: {{volume: 1234, temperature: 23.1, leak: 1}}}}
"""

SCRIPT = """\
// LoRa Alliance TS013. No files, no network, no clock but the time of receipt.
function decodeUplink(input) {
  const bytes = Buffer.from(input.bytes);
  if (bytes.length !== 7) {
    return { errors: ['expected 7 bytes, got ' + bytes.length] };
  }
  return {
    data: {
      volume: bytes.readUInt32BE(0),
      temperature: bytes.readInt16BE(4) / 10,
      leak: bytes.readUInt8(6),
    },
  };
}
"""
_LITRES = 'scale = "0.001"  # the document tells no unit: litres times this are cubic metres\n'


def begin_driver(driver_id: str, publisher: str, *, is_script: bool) -> Mapping[str, bytes]:
    """The files of a new driver by name: a description, and a payload document or a script."""
    level, scale = (2, _LITRES) if is_script else (0, "")
    description = DESCRIPTION.format(id=driver_id, publisher=publisher, level=level, scale=scale)
    name, text = ("codec.js", SCRIPT) if is_script else ("payload.yaml", PAYLOAD.format(id=driver_id))
    return {"driver.toml": description.encode(), name: text.encode()}
