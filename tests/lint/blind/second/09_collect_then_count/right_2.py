from dataclasses import dataclass


@dataclass
class Dice:
    sides: int
    rolled: int


def score(hand: tuple[Dice, Dice, Dice, Dice, Dice]) -> int:
    sixes = []
    for die in hand:
        if die.rolled == 6:
            sixes.append(die)
    bonus = 50 if len(sixes) == 5 else 0
    return sum(die.rolled for die in hand) + bonus
