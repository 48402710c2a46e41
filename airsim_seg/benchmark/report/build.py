"""Puts the report together: one HTML file that opens offline, and its figures as PNG beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from airsim_seg.benchmark.report import facts, figures
from airsim_seg.benchmark.report.pictures import Sample, colours_of, css_colours_of, data_uri, paint, read_samples
from airsim_seg.benchmark.results import RunResults, write_text


def write_report(run: RunResults) -> Path:
    """Write report.html and figures/ into the run's folder.

    Args:
        run: as load_run gives it; the videos are not needed any more.

    Returns:
        The path of report.html. The same run gives the same bytes.
    """
    samples = read_samples(run)
    charts = figures.draw_all(run, samples) if run.cells else {}
    path = run.folder / "report.html"
    write_text(path, render(run, samples, charts))
    return path


def render(run: RunResults, samples: Sequence[Sample], charts: dict[str, str]) -> str:
    """The page as text; everything that comes from names of files or videos is escaped by the template."""
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html.j2").render(
        run=run,
        facts=facts,
        css=Markup((folder / "style.css").read_text(encoding="utf-8")),
        charts={name: Markup(svg) for name, svg in charts.items()},
        legend=list(zip(run.classes, css_colours_of(run.classes), strict=True)),
        rows=[_panels(run, sample) for sample in samples],
        config=(run.folder / "config.toml").read_text(encoding="utf-8"),
    )


def _panels(run: RunResults, sample: Sample) -> dict[str, Any]:
    """One row of pictures for the template: heading, alternative text and data URI of each."""
    colours = colours_of(run.classes)
    where = f"{sample.video}, frame {sample.frame}"
    panels = [
        ("picture", f"Camera picture of {where}", data_uri(sample.rgb, "jpeg")),
        ("truth", f"True classes of {where}", data_uri(paint(sample.truth, colours), "png")),
    ]
    for heading, labels in sample.predicted.items():
        painted = data_uri(paint(labels, colours), "png")
        panels.append((heading, f"Classes predicted by the network with {heading} in {where}", painted))
    return {"where": where, "panels": panels}
