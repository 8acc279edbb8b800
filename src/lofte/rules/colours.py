"""Colours as WCAG 2.2 measures them."""

from lofte.rules.model import Palette


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white), for two colours written ``#rrggbb``."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """``share`` of the first colour and the rest of the second."""
    parts = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(first * share + second * (1 - share)):02x}" for first, second in parts)


def wash(palette: Palette) -> str:
    """The ground of notes on the settings page: the surface with a touch of the text."""
    return mix(palette.text, palette.surface, 0.05)


def soft(palette: Palette) -> str:
    """The settings page's words of less weight: the text with a little of the surface."""
    return mix(palette.text, palette.surface, 0.8)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
