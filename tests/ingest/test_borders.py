import pytest

np = pytest.importorskip("numpy")

from flatwater.ingest.borders import CHARACTER, HEADING, LINE, PARAGRAPH, PLACE, SENTENCE, WORD, Borders  # noqa: E402


def kinds(text, reach=1_000):
    borders = Borders(text, reach, is_first=False, is_last=False)
    return dict(zip(borders.places.tolist(), (borders.ranks >> 60).tolist(), strict=True))


def test_headings_paragraphs_sentences_and_lines_are_told_apart():
    """A border is of the strongest kind that stands there."""
    text = "One. Two e.g. this\nthree.\nFour\n\nFive\n\n# Six\nSeven\n\nEight\n=====\nNine"
    named = {text[place:].split("\n", maxsplit=1)[0].split(maxsplit=1)[0]: kind for place, kind in kinds(text).items()}
    assert named["Two"] == named["Four"] == SENTENCE
    assert named["three."] == named["Seven"] == LINE
    assert named["Five"] == PARAGRAPH
    assert named["#"] == named["Eight"] == HEADING


def test_chinese_sentences_end_at_their_marks():
    """A border stands behind each full stop of a text without blanks."""
    assert kinds("天气好。我们去！好吗？走") == {4: SENTENCE, 8: SENTENCE, 11: SENTENCE}  # noqa: RUF001


def test_weaker_borders_only_where_there_is_nothing_else():
    """Words count where there is no line within reach, characters where there is no word either."""
    assert set(kinds("ab cd " * 10, 5).values()) == {WORD}
    assert set(kinds("a" * 60, 5).values()) == {CHARACTER}


def test_what_belongs_together_has_no_border_inside():
    """Neither a pair of CR and LF, nor a letter and its accent, nor the halves of a pair of surrogates is cut."""
    for pair in ("\r\n", "e\u0301", "\ud83d\ude00"):
        text = "a" * 40 + pair + "a" * 40
        assert 41 not in kinds(text, 5)


def test_the_best_are_those_that_none_within_reach_beats():
    """The fast search finds what comparing each with each finds."""
    rng = np.random.default_rng(1)
    for reach in (1, 7, 40, 300):
        text = "".join(rng.choice(list("abc .\n"), 2_000))
        borders = Borders(text, reach, is_first=True, is_last=True)
        pairs = list(zip(borders.places.tolist(), borders.ranks.tolist(), strict=True))
        expected = [
            place for place, rank in pairs if all(rank >= other for at, other in pairs if abs(at - place) <= reach)
        ]
        assert borders.best(reach).tolist() == expected


def test_ranks_do_not_depend_on_where_a_border_stands_or_what_else_is_there():
    """The same surroundings give the same rank, also in a text whose characters take more bytes."""
    text = "some words before it. And some words behind it, more than a few.\n" * 2
    for front in ("x" * 50, "é" * 50, "中" * 50, "😀" * 50):
        borders = Borders(front + text, 1_000, is_first=False, is_last=False)
        ranks = (borders.ranks | PLACE).tolist()
        assert ranks[-2] == (Borders(text, 1_000, is_first=False, is_last=False).ranks | PLACE).tolist()[-2]
