"""A picture as a PlantUML state diagram."""

from engine.diagrams.picture import Line, Picture

TEXT = str.maketrans({"\n": " ", "\\": "/"})


def _written(line: Line) -> str:
    guard = f"[{line.guard}]" if line.guard else ""
    clause = " ".join(part for part in (line.label, line.clause) if part)
    parts = (line.message, guard, f"({clause})" if clause else "")
    return f"{line.number} " + " ".join(part for part in parts if part).translate(TEXT)


def plantuml(shown: Picture) -> str:
    """``shown`` in the language of PlantUML. The same machine gives the same text."""
    out = ["@startuml", f"title {shown.name}: {shown.summary}", "hide empty description"]
    for box in shown.boxes:
        out.append(f'state "{box.name}" as {box.value} {box.color.fill}')
        out += [f"{box.value} : {_written(line)}" for line in box.inside]
        if box.more:
            out.append(f"{box.value} : and {box.more} more in the table")
        out += [f"{box.value} : <b>{who}</b>" for who in box.here]
    if any(box.value == shown.initial for box in shown.boxes):
        out.append(f"[*] --> {shown.initial}")
    inks = {box.value: box.color.ink for box in shown.boxes}
    for move in shown.moves:
        lines = "\\n".join(_written(line) for line in move.lines)
        out.append(f"{move.source} -[{inks[move.source]}]-> {move.target} : {lines}")
    out.append("@enduml")
    return "\n".join(out) + "\n"
