"""The theme of banner and settings page: readable in both schemes, and no answer dressed up before the other."""

from collections.abc import Iterator

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.codes import fault
from lofte.rules.colours import contrast, soft, wash
from lofte.rules.model import Button, Palette

TEXT = 4.5  # WCAG 2.2 success criterion 1.4.3
SHAPE = 3.0  # 1.4.11: controls, and the ring around what has focus
_EPSILON = 1e-9


def problems(case: Case) -> Iterator[Problem]:
    for scheme in ("light", "dark"):
        palette: Palette = getattr(case.policy.banner.theme, scheme)
        yield from _contrast(case, scheme, palette)
        yield from _parity(case, scheme, palette)


def _contrast(case: Case, scheme: str, palette: Palette) -> Iterator[Problem]:
    pairs: list[tuple[tuple[str, ...], str, str, str, float]] = [
        (("text",), palette.text, "surface", palette.surface, TEXT),
        (("text",), soft(palette), "the ground of notes", wash(palette), TEXT),
        (("focus",), palette.focus, "surface", palette.surface, SHAPE),
    ]
    for name in ("button", "accept", "reject"):
        button: Button | None = getattr(palette, name)
        if button is not None:
            pairs.append(((name, "text"), button.text, f"{name}.surface", button.surface, TEXT))
            pairs.append(((name, "surface"), button.surface, "surface", palette.surface, SHAPE))
    for path, colour, against, other, least in pairs:
        has = contrast(colour, other)
        if has + _EPSILON < least:
            detail = f"{scheme} {'.'.join(path)}: {colour} has contrast {has:.2f} to {against}, {other}"
            place = case.place("banner", "theme", scheme, *path)
            yield fault("banner.contrast", detail, place, expected=f"at least {least:g}")


def _parity(case: Case, scheme: str, palette: Palette) -> Iterator[Problem]:
    accept, reject = palette.accept or palette.button, palette.reject or palette.button
    if accept != reject:
        name = "accept" if palette.accept else "reject"
        detail = f"{scheme}: accept {_look(accept)}, reject {_look(reject)}"
        place = case.place("banner", "theme", scheme, name)
        yield fault("banner.unequal-buttons", detail, place, expected="the same look for both")


def _look(button: Button) -> str:
    return f"{button.text} on {button.surface}"
