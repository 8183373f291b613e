"""Records that a steward of tests publishes: a unit, a type, and a version of that type."""

UNIT = {"code": "ft3", "ru": "фут³", "en": "ft³", "dimension": "volume", "factor": "1/35"}
TYPE = {
    "code": "t:new", "grsi": "77777-26", "type_ru": "Счётчик воды ультразвуковой", "type_en": "Ultrasonic water meter",
    "model": "УЗ-20", "executions": ["УЗ-20-2,5", "УЗ-20-4"], "resources": ["cold_water"], "mpi_months": 72,
    "params": {"dn": 20, "ratio_r": 250}, "execution_params": {"УЗ-20-2,5": {"q3": 2.5}, "УЗ-20-4": {"q3": 4}},
    "valid_from": "2026-01-15", "valid_until": "2031-01-14",
}  # fmt: skip
VERSION = {
    "version": "1.0",
    "since": "2026-02-01",
    "documents": [{"title": "Технические условия", "designation": "УЗ.20.000 ТУ", "hash": "ab" * 32}],
    "firmware": [{"version": "1.0.7", "hash": "cd" * 32, "since": "2026-02-01"}],
    "prototypes": [{"serial": "ОП-1", "note": "испытан"}],
}
