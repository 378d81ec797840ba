"""What the process as a whole is set to, and the names that objects get by themselves."""

from collections import Counter
from typing import Any


class _Settings:
    floatx = "float32"
    epsilon = 1e-7
    image_data_format = "channels_last"
    interactive_logging = True
    names: Counter = Counter()
    seed_generator: Any = None


process = _Settings()


def auto_name(prefix: str) -> str:
    """The next name of a kind: "dense", "dense_1", …"""
    number = process.names[prefix]
    process.names[prefix] += 1
    return f"{prefix}_{number}" if number else prefix
