"""Characters that nobody sees, or that turn what is seen around: what is signed stays for ever and is read by people.

Controls, line and paragraph separators, and the marks of direction (Unicode TR 36, section 3.2; TR 9).
"""

import re

SIGNS = r"\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069"
UNSEEN = re.compile(f"[{SIGNS}]")
VISIBLE = f"^[^{SIGNS}]*$"
