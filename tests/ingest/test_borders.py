import pytest

np = pytest.importorskip("numpy")

from flatwater.ingest.borders import CHARACTER, END, HEADING, LINE, PARAGRAPH, PLACE, SENTENCE, WORD, Borders  # noqa: E402


def kinds(text, reach=5, gap=10):
    borders = Borders(text, reach, gap, [0, len(text)])
    found = dict(zip(borders.places.tolist(), (borders.ranks >> 60).tolist(), strict=True))
    assert found.pop(0) == found.pop(len(text)) == END
    return found


def test_headings_and_paragraphs_are_told_apart():
    """What comes behind an empty line is a paragraph, or a heading if it is marked as one; lines between them do not count."""
    text = "One two\nthree.\n\nFive\n\n# Six\nSeven\r\n\r\nEight\r\nNine"
    named = {text[place:].split(maxsplit=1)[0]: kind for place, kind in kinds(text, gap=100).items()}
    assert {name: kind for name, kind in named.items() if kind >= PARAGRAPH} == {
        "Five": PARAGRAPH,
        "#": HEADING,
        "Eight": PARAGRAPH,
    }


def test_weaker_borders_count_only_where_stronger_ones_are_far_apart():
    """Lines count in a long paragraph, sentences in a long line, words in a long sentence, characters in a long word."""
    assert set(kinds("ab\ncd\n" * 10).values()) == {LINE}
    assert set(kinds("Abc. De e.g. f. " * 5, gap=17).values()) == {SENTENCE}
    assert set(kinds("ab cd " * 10).values()) == {WORD}
    assert set(kinds("a" * 60).values()) == {CHARACTER}
    text = "x" * 40 + "\n\n" + "short\nlines\n" * 3 + "\n" + "y" * 40
    assert LINE not in kinds(text, reach=5, gap=38).values()


def test_chinese_sentences_end_at_their_marks():
    """A border stands behind each full stop of a text without blanks."""
    assert kinds("天气好。我们去！好吗？走", reach=0, gap=5) == {4: SENTENCE, 8: SENTENCE, 11: SENTENCE}  # noqa: RUF001


def test_what_belongs_together_has_no_border_inside():
    """Neither a pair of CR and LF, nor a letter and its accent, nor the halves of a pair of surrogates is cut."""
    for pair in ("\r\n", "e\u0301", "\ud83d\ude00"):
        text = "a" * 40 + pair + "a" * 40
        assert 41 not in kinds(text)


def test_the_best_are_those_that_none_within_reach_beats():
    """The fast search finds what comparing each with each finds."""
    rng = np.random.default_rng(1)
    for reach in (1, 7, 40, 300):
        text = "".join(rng.choice(list("abc .\n"), 2_000))
        borders = Borders(text, reach, 2 * reach, [0, len(text)])
        pairs = list(zip(borders.places.tolist(), borders.ranks.tolist(), strict=True))
        expected = [
            place for place, rank in pairs if all(rank >= other for at, other in pairs if abs(at - place) <= reach)
        ]
        assert borders.best(reach, 0, 0).tolist() == expected


def test_borders_that_are_not_needed_are_left_out_from_the_worst_one_on():
    """What stays is what taking out the worst one that leaves room, again and again, would leave; ends always stay."""
    rng = np.random.default_rng(2)
    for size in (30, 100, 400):
        text = "".join(rng.choice(list("abcdefgh .\n"), 3_000))
        borders = Borders(text, 9, 18, [0, len(text)])
        ranks = dict(zip(borders.places.tolist(), borders.ranks.tolist(), strict=True))
        stay = borders.best(9, 0, 0).tolist()
        for place in sorted(stay[1:-1], key=ranks.get):
            at = stay.index(place)
            if stay[at + 1] - stay[at - 1] <= size:
                stay.remove(place)
        assert borders.best(9, size, 50).tolist() == stay
        assert set(stay) < set(borders.best(9, size, 1).tolist())


def test_ranks_do_not_depend_on_where_a_border_stands_or_what_else_is_there():
    """The same surroundings give the same rank, also in a text whose characters take more bytes."""
    text = "some words before it. And some words behind it, more than a few.\n" * 2
    for front in ("x" * 50, "é" * 50, "中" * 50, "😀" * 50):
        borders = Borders(front + text, 5, 40, [])
        ranks = (borders.ranks | PLACE).tolist()
        assert ranks[-2] == (Borders(text, 5, 40, []).ranks | PLACE).tolist()[-2]
