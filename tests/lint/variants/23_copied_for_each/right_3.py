import copy


def scenarios(base):
    for rate in (0.1, 0.2, 0.3):
        cfg = copy.deepcopy(base)
        cfg["rate"] = rate
        yield cfg
