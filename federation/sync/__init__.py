"""The exchange of log entries between two nodes, without I/O."""
