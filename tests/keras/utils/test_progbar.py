"""Progbar writes what Keras' does, and single lines where nothing can change in place."""

import io

import pytest

import nbflow as nf
from tests.keras import parts

BARS = parts.constant("BARS")


@pytest.mark.parametrize("name", BARS)
def test_as_keras(name):
    text = parts.constant("bar_text")(nf, *BARS[name], parts.constant("Terminal")())
    assert text == str(parts.golden(f"bar {name}"))


def test_a_log_file_gets_the_last_line():
    text = parts.constant("bar_text")(nf, *BARS["known"], io.StringIO())
    assert text == "12/12 ━━━━━━━━━━━━━━━━━━━━ 10s 846ms/step - loss: 1.5000\n"


def test_lines_when_asked_for():
    nf.keras.config.disable_interactive_logging()
    try:
        text = parts.constant("bar_text")(nf, *BARS["fast"], parts.constant("Terminal")())
    finally:
        nf.keras.config.enable_interactive_logging()
    assert text == "1000000/1000000 ━━━━━━━ 0s 0us/step\n"


def test_an_output_without_such_characters():
    written = io.BytesIO()
    screen = io.TextIOWrapper(written, encoding="ascii", write_through=True)
    screen.getvalue = lambda: written.getvalue().decode("ascii")
    assert parts.constant("bar_text")(nf, *BARS["known"], screen).startswith("12/12 ====")


def test_add(capsys):
    bar = nf.keras.utils.Progbar(3, verbose=2)
    bar.add(1, [("loss", 3.0)])
    bar.add(2, [("loss", 1.5)])
    assert capsys.readouterr().out.endswith(" - loss: 1.5000\n")
