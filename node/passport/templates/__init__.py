"""Protocol templates: what a publisher writes as data, and what a node does with it and with documents."""
