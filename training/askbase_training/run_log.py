"""A run's log: one JSON line per event and a picture of the curves."""

import json
import time
from pathlib import Path


class RunLog:
    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "log.jsonl"
        self._picture = folder / "curves.png"
        self._started = time.monotonic()

    def write(self, **values) -> None:
        with open(self._path, "a", encoding="utf-8") as out:
            out.write(json.dumps({"seconds": round(time.monotonic() - self._started, 1), **values}) + "\n")

    def draw(self) -> None:
        """Training loss and validation metric over steps, from the whole log (earlier parts of a resumed run too)."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        events = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
        for axis, name in ((left, "loss"), (right, "ndcg@10")):
            points = [(event["step"], event[name]) for event in events if name in event]
            axis.plot(*zip(*points) if points else ([], []), marker="." if name != "loss" else None)
            axis.set_xlabel("step")
            axis.set_title(name)
        figure.tight_layout()
        figure.savefig(self._picture, dpi=90)
        pyplot.close(figure)
