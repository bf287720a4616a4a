"""The gallery: images and spectra of the strangest objects, strangest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from fmb import (
    Array,
    Batch,
    Columns,
    ConfigError,
    DataError,
    Images,
    PlotData,
    Spectra,
    did_you_mean,
)
from fmb_viz.cards import Card, cards
from fmb_viz.columns_panel import draw_columns, drawable
from fmb_viz.config import OutlierGridConfig
from fmb_viz.frame import Frame
from fmb_viz.grid_layout import card_lines, plan
from fmb_viz.image_panel import draw_image, draw_missing
from fmb_viz.lettering import Print
from fmb_viz.page import Page, pitch_in
from fmb_viz.ranking import ranking
from fmb_viz.rgb import band_weights, choose_bands, display_range, good_pixels, picture
from fmb_viz.seen import panel_name
from fmb_viz.sheet import Sheet
from fmb_viz.spectrum_panel import draw_spectrum
from fmb_viz.trace import trace

__all__ = ["OutlierGrid"]


_KINDS = {Images: "image", Spectra: "spectrum", Columns: "photometry"}


class OutlierGrid:
    """One card an object: rank, id, standing, catalogue values, images and spectra.

    Args:
        config: what is shown and how.
    """

    def __init__(self, config: OutlierGridConfig) -> None:
        self.config = config

    def draw(self, data: PlotData) -> Figure:
        """A page of the strangest objects.

        Args:
            data: a list of a run that keeps cutouts.

        Raises:
            DataError: the list is empty, or the run keeps nothing of its strangest objects.
            ConfigError: a band, instrument or column of the configuration does not exist.
        """
        scores = ranking(data)
        batch = data.run.cutouts(scores.name, len(scores.table))
        if len(batch) == 0:
            raise DataError("outlier-grid needs the cutouts of at least one object")
        chosen = cards(batch.ids, scores.table, data.run.objects, self.config.facts)
        chosen = chosen[: self.config.n_objects]
        subtitle = _subtitle(len(chosen), len(scores.table), scores.label)
        return self.page(data, batch, chosen, subtitle, data.run.reads(scores.name))

    def page(
        self,
        data: PlotData,
        batch: Batch,
        chosen: Sequence[Card],
        subtitle: str,
        reads: Mapping[str, Sequence[str]] | None = None,
    ) -> Figure:
        """A page of cards.

        Args:
            data: its title and notes.
            batch: what was observed of the objects.
            chosen: what is written on the cards, in their order.
            subtitle: says what is shown.
            reads: instrument -> bands, of what the models read; None where none did.

        Raises:
            ConfigError: a band or instrument of the configuration does not exist.
        """
        _check_bands(self.config.bands, batch)
        marked = (
            self.config.lines
            and any(isinstance(value, Spectra) for value in batch.inputs.values())
            and any(card.redshift is not None for card in chosen)
        )
        layout = plan(chosen, batch.inputs, columns=self.config.columns, named_lines=marked)
        page = Page(
            layout.page_in,
            title=data.title,
            subtitle=subtitle,
            notes=[note.text for note in data.notes],
            legend=list(_legend(batch, chosen, self.config, marked=marked)),
        )
        shown = _Shown(batch, _scales(batch), reads)
        sheet = Sheet(page.figure)
        for i, card in enumerate(chosen):
            left, top = layout.corner(i, page.body_top_in)
            _write(page, sheet, left, top, card_lines(card, layout.card_in[0]))
            for box in layout.boxes:
                frame = Frame(left + box.left, top + box.top, box.width, box.height)
                self._fill(sheet, frame, box.instrument, card, shown)
        sheet.finish()
        return page.figure

    def _fill(
        self,
        sheet: Sheet,
        frame: Frame,
        instrument: str,
        card: Card,
        shown: "_Shown",
    ) -> None:
        value = shown.batch.inputs[instrument]
        kind = _KINDS[type(value)]
        at = _row(shown.batch, instrument, card)
        if at is None:
            draw_missing(sheet, frame, [f"no {kind}", instrument])
        elif isinstance(value, Images):
            self._image(sheet, frame, instrument, value, at, shown)
        elif isinstance(value, Spectra):
            name = panel_name(instrument, (), shown.reads)
            self._spectrum(sheet, frame, name, value, at, card.redshift)
        elif not np.isfinite(value.values[at]).any():
            draw_missing(sheet, frame, ["no value", instrument])
        else:
            draw_columns(sheet, frame, value, at, panel_name(instrument, (), shown.reads))

    def _image(
        self,
        sheet: Sheet,
        frame: Frame,
        instrument: str,
        images: Images,
        row: int,
        shown: "_Shown",
    ) -> None:
        wanted = self.config.bands.get(instrument, ())
        bands = choose_bands(images.bands, images.band_valid[row], wanted)
        if not bands or not good_pixels(images, row)[list(bands)].all(axis=0).any():
            draw_missing(sheet, frame, ["no good pixel", instrument])
            return
        scale = shown.scales[instrument]
        cutout = picture(images, row, bands, scale=scale, stretch=self.config.stretch)
        draw_image(
            sheet,
            frame,
            cutout,
            name=panel_name(instrument, cutout.bands, shown.reads),
            unit=images.unit,
            pixel_scale_arcsec=images.pixel_scale_arcsec,
        )

    def _spectrum(
        self,
        sheet: Sheet,
        frame: Frame,
        name: str,
        spectra: Spectra,
        row: int,
        redshift: float | None,
    ) -> None:
        spectrum = trace(spectra, row)
        if not spectrum.good.any():
            draw_missing(sheet, frame, ["no good pixel", name])
            return
        draw_spectrum(
            sheet,
            frame,
            spectrum,
            unit=spectra.unit,
            calibrated=spectra.calibrated,
            name=name,
            fwhm_aa=self.config.smooth_aa,
            redshift=redshift if self.config.lines else None,
        )


@dataclass(frozen=True, eq=False)
class _Shown:
    """What all cards of a page share."""

    batch: Batch
    """Cutouts of the objects, strangest first."""
    scales: Mapping[str, Array | tuple[float, float]]
    """Instrument -> what makes its flux brightness."""
    reads: Mapping[str, Sequence[str]] | None
    """Instrument -> bands, of what the models of the list read."""


def _write(
    page: Page, sheet: Sheet, left: float, top: float, lines: list[tuple[str, FontProperties, str]]
) -> None:
    """Rank and id as text that can be copied from the file, the other lines as small print."""
    top = page.column(left, top, lines[:1])
    for text, face, colour in lines[1:]:
        sheet.write(Print(text, left, top, face=face), colour=colour)
        top += pitch_in(face)


def _check_bands(wanted: Mapping[str, Sequence[str]], batch: Batch) -> None:
    for instrument, names in wanted.items():
        images = batch.inputs.get(instrument)
        if not isinstance(images, Images):
            known = [name for name, value in batch.inputs.items() if isinstance(value, Images)]
            hint = did_you_mean(instrument, known)
            raise ConfigError(f"outlier-grid.bands: no images of {instrument!r}{hint}")
        for name in names:
            if name not in images.bands:
                hint = did_you_mean(name, images.bands)
                raise ConfigError(f"outlier-grid.bands.{instrument}: no band {name!r}{hint}")


def _row(batch: Batch, instrument: str, card: Card) -> int | None:
    at = np.flatnonzero(batch.rows[instrument] == card.row)
    return int(at[0]) if at.size else None


def _scales(batch: Batch) -> dict[str, Array | tuple[float, float]]:
    return {
        name: display_range(value) if value.unit == "display" else band_weights(value)
        for name, value in batch.inputs.items()
        if isinstance(value, Images)
    }


def _subtitle(shown: int, n: int, score_name: str) -> str:
    which = "The strangest" if shown == 1 else f"The {shown} strangest, in order,"
    return f"{which} of {n:,} objects; score: {score_name}"


def _has_bad_pixels(batch: Batch, chosen: Sequence[Card]) -> bool:
    return any(
        isinstance(value, Images)
        and (row := _row(batch, name, card)) is not None
        and not good_pixels(value, row)[value.band_valid[row]].all()
        for name, value in batch.inputs.items()
        for card in chosen
    )


def _legend(
    batch: Batch, chosen: Sequence[Card], config: OutlierGridConfig, *, marked: bool
) -> Iterator[str]:
    images = [value for value in batch.inputs.values() if isinstance(value, Images)]
    if any(value.unit != "display" for value in images):
        yield (
            f"Images: {config.stretch} stretch, each on its own scale; row 0 at the bottom."
            " Colours: bands as named, red first, one balance for all (the median object is"
            " neutral), grey in the noise."
        )
    if any(value.unit == "display" for value in images):
        yield 'Pictures of unit "display" are shown as they are, row 0 at the top.'
    if _has_bad_pixels(batch, chosen):
        yield "Purple stripes: pixels that are masked or have no value."
    if any(isinstance(value, Spectra) for value in batch.inputs.values()):
        smoothed = config.smooth_aa > 0.0
        line = f"grey: flux; blue: smoothed over {config.smooth_aa:g} Å" if smoothed else "flux"
        yield (
            f"Spectra: {line}; pale band: plus and minus the error of one pixel; gaps and purple at"
            " the bottom: bad pixels."
        )
    if any(isinstance(value, Columns) and drawable(value) for value in batch.inputs.values()):
        yield "Photometry: the value in each band at its wavelength, with its error."
    if marked:
        yield (
            "Dashed (emission) and dotted (absorption): common lines, vacuum wavelengths at the"
            " catalogue's redshift."
        )
