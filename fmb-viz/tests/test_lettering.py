import pytest

from fmb_viz.lettering import Print, SmallPrint, lettered
from fmb_viz.typeset import font, width_in

SIZE_IN = 7.0 / 72.0


@pytest.mark.parametrize(("across", "part"), [("left", 0.0), ("center", 0.5), ("right", 1.0)])
@pytest.mark.parametrize(("along", "depth"), [("top", 0.0), ("center", 0.5), ("bottom", 1.0)])
def test_a_text_stands_where_it_is_put(across, part, along, depth):
    box = lettered(Print("Hxg", 3.0, 5.0, across, along)).get_extents()
    # A letter has a little room before and after it: some tenth of the size of the type.
    assert box.x0 + part * box.width == pytest.approx(3.0, abs=0.2 * SIZE_IN)
    assert box.y0 + depth * box.height == pytest.approx(5.0, abs=0.1 * SIZE_IN)
    assert box.width == pytest.approx(width_in("Hxg", font()), abs=0.3 * SIZE_IN)
    assert box.height == pytest.approx(SIZE_IN, rel=0.1)  # from the top of H to the foot of g


def test_a_turned_text_is_read_from_below():
    path = lettered(Print("HI", 3.0, 5.0, "center", "bottom", upright=False))
    box = path.get_extents()
    assert box.y1 == pytest.approx(5.0, abs=0.2 * SIZE_IN)
    assert box.height == pytest.approx(width_in("HI", font()), abs=0.3 * SIZE_IN)
    first = path.vertices[: len(path.vertices) // 2]  # the H, which has more corners than the I
    assert first[:, 1].mean() > box.y0 + 0.5 * box.height


def test_lines_of_a_text_stand_below_each_other():
    one, two = (lettered(Print(text, 0.0, 0.0)).get_extents() for text in ("H", "H\nH"))
    assert two.y1 - one.y1 == pytest.approx(1.25 * SIZE_IN)


def test_an_empty_text_can_be_printed():
    assert len(lettered(Print("", 1.0, 1.0)).vertices) == 0


def test_what_is_printed_can_be_looked_up():
    printed = SmallPrint([Print("a", 0.0, 0.0), Print("b", 1.0, 0.0)], colour="black")
    assert printed.texts == ["a", "b"]
    assert len(printed.get_paths()) == 2
