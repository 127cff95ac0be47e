import copy


def publish(state, subscribers):
    for sub in subscribers:
        sub.notify(copy.deepcopy(state))
