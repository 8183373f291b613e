"""Files and messages of other systems: tables, Arshin."""
