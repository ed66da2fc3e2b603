"""How much of a cell's output is kept: a notebook with 200 MB of lines can be opened by nobody."""

from nbformat import NotebookNode

TEXT = 1 << 20  # characters of what one cell prints
SHOWN = 16 << 20  # characters of its figures, tables and pages; one of plotly is 5 MB


class Kept:
    """What is kept of one cell's outputs. Errors are kept whole."""

    def __init__(self, text: int = TEXT, shown: int = SHOWN) -> None:
        self._text, self._shown = text, shown
        self.left_out = 0  # characters

    def cut(self, outputs: list[NotebookNode]) -> None:
        """Cut the last of the outputs, which has just been added."""
        output = outputs[-1]
        if output.output_type == "stream":
            size = len(output.text)
            output.text = output.text[: self._text]
            self._text -= len(output.text)
            self.left_out += size - len(output.text)
            if not output.text:
                outputs.pop()
        elif output.output_type != "error":
            size = sum(len(str(content)) for content in output.data.values())
            if size <= self._shown:
                self._shown -= size
                return
            # It stays in its place: the cell may know it by its display_id.
            output.data = {"text/plain": "(left out)"}
            self.left_out += size

    def notice(self) -> str:
        """Say what was left out; nothing if nothing was."""
        if not self.left_out:
            return ""
        return f"[{self.left_out / 2**20:.1f} MB more of this cell's output are not kept]\n"
