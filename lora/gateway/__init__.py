"""Gateway protocols as codecs: bytes in, messages out."""
