"""Tables and transactions on SQLite and PostgreSQL. Functions take a transaction first and never open one."""
