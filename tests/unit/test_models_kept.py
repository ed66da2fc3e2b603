"""How much of a cell's output is kept."""

from nbformat import NotebookNode

from notehive.models.step.kept import Kept


def printed(text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name="stdout", text=text)


def shown(text: str) -> NotebookNode:
    return NotebookNode(output_type="display_data", data={"text/plain": text})


def kept(*outputs: NotebookNode) -> tuple[list[NotebookNode], Kept]:
    """What is kept of outputs that come one after the other; 10 characters of each kind."""
    cut, there = Kept(text=10, shown=10), []
    for output in outputs:
        there.append(output)
        cut.cut(there)
    return there, cut


def test_little_output_is_kept_whole() -> None:
    outputs, cut = kept(printed("12345"), shown("12345"), printed("12345"), shown("12345"))
    assert [output.get("text") or output.data["text/plain"] for output in outputs] == ["12345"] * 4
    assert cut.notice() == ""


def test_lines_are_cut_where_the_room_ends() -> None:
    outputs, cut = kept(printed("1234567"), printed("abcdefg"), printed("more"))
    assert [output.text for output in outputs] == ["1234567", "abc"]
    assert cut.left_out == 8


def test_what_is_shown_is_kept_whole_or_not_at_all() -> None:
    outputs, cut = kept(shown("1" * 11), shown("2" * 10), shown("3"))
    texts = [output.data["text/plain"] for output in outputs]
    assert texts == ["(left out)", "2" * 10, "(left out)"]
    assert cut.left_out == 12


def test_errors_are_kept_whole() -> None:
    error = NotebookNode(output_type="error", ename="E", evalue="x" * 50, traceback=["y" * 50])
    outputs, cut = kept(printed("1" * 10), error)
    assert outputs[-1] is error
    assert len(error.traceback[0]) == 50
    assert cut.left_out == 0


def test_the_notice_says_how_much() -> None:
    cut = Kept(text=0)
    cut.cut([printed("x" * (3 << 20))])
    assert cut.notice() == "[3.0 MB more of this cell's output are not kept]\n"
