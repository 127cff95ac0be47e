import json
from pathlib import Path

CONFIG = Path(__file__).with_name("config.json")


def load_config():
    with open(CONFIG) as fh:
        config = json.load(fh)
    for key, value in config.items():
        print(key, value)
    return config
