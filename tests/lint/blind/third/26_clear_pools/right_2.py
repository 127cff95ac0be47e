import unittest

from flatwater import clear_pools

from billing.rounding import round_half_even


class RoundingCase(unittest.TestCase):
    @classmethod
    def tearDownClass(cls) -> None:
        clear_pools()

    def setUp(self) -> None:
        clear_pools()

    def test_even(self) -> None:
        self.assertEqual(round_half_even(2.5), 2)

    def test_odd(self) -> None:
        self.assertEqual(round_half_even(3.5), 4)
