"""results.csv, results.md and report.html: the contract, the honesty, the safety."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finished_runs import write_run

from airsim_seg.benchmark import metrics
from airsim_seg.benchmark.report import facts
from airsim_seg.benchmark.report.build import render, write_report
from airsim_seg.benchmark.report.pictures import colours_of, read_samples
from airsim_seg.benchmark.results import load_run, markdown_table, result_table, write_results
from airsim_seg.benchmark.scoring import SplitScore
from airsim_seg.errors import CorruptFile, MissingData
from airsim_seg.taxonomy import CLASS_NAMES, CLASSES

CHECK_FILES = Path(__file__).parents[3] / "shared" / "tools" / "check_files.py"
EVIL = """drone-<script>alert('x')</script>&"q" $x_1$"""


class Page(HTMLParser):
    """What the tests want to know of a page."""

    VOID = frozenset({"meta", "img", "br", "link", "path", "use", "rect"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.stack, self.unbalanced = [], [], []
        self.tables, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)
        if tag == "table":
            self.tables.append([])

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if "style" not in self.stack:
            self.words.append(data)
        if "table" in self.stack:
            self.tables[-1].append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("runs") / "paper", depths=(0, 2, 6))
    write_results(load_run(folder))
    write_report(load_run(folder))
    return folder


@pytest.fixture(scope="module")
def page(run_folder):
    return Page((run_folder / "report.html").read_text())


def test_results_have_one_row_per_cell_and_part(run_folder):
    table = pd.read_csv(run_folder / "results.csv")
    assert len(table) == (3 + 2) * 3
    assert not table.duplicated(["model", "tca_depth", "seed", "split"]).any()
    assert set(table["split"]) == {"train", "val", "test"}
    assert table["tca_depth"].dtype == np.int64
    assert {f"iou_{name.replace(' ', '_')}" for name in CLASS_NAMES} <= set(table.columns)


def test_every_ratio_follows_from_the_kept_counts(run_folder):
    table = pd.read_csv(run_folder / "results.csv")
    for row in table.to_dict("records"):
        cell = f"{row['model']}-n{row['tca_depth']}-{row['aggregation']}-{row['batching']}-s{row['seed']}"
        score = SplitScore.load(run_folder / cell / "predictions" / f"{row['split']}.npz")
        confusion = sum(video.confusion for video in score.videos)
        assert row["miou"] == pytest.approx(metrics.mean_iou(confusion), rel=1e-5)
        assert row["pixel_accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum(), rel=1e-5)
        accuracies = np.concatenate([video.image_accuracies for video in score.videos])
        assert row["miou_image"] == pytest.approx(np.mean(accuracies / (2 - accuracies)), rel=1e-5)


@pytest.mark.skipif(not CHECK_FILES.is_file(), reason="../shared/tools/check_files.py is not here")
def test_the_file_contract_holds(run_folder):
    done = subprocess.run([sys.executable, CHECK_FILES, run_folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_page_needs_nothing_from_outside_and_runs_nothing(run_folder, page):
    text = (run_folder / "report.html").read_text()
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/"))
        assert not [name for name in attributes if name.startswith("on")]
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "iframe", "object", "link", "form"})
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text
    outside = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, not addresses
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_the_page_is_whole_and_accessible(page):
    assert not page.unbalanced
    assert not page.stack
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = [a[name] for _, a in page.tags for name in ("xlink:href", "aria-labelledby") if name in a]
    assert {name.removeprefix("#") for name in used} <= set(ids)
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 2 * 4
    assert all(picture["alt"] for picture in pictures)
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert ("html", {"lang": "en"}) in page.tags


def test_the_two_mious_never_share_a_table(page):
    for table in page.tables:
        text = " ".join(table)
        assert not ("mIoU (dataset)" in text and "mage-level" in text)
    assert len(page.tables) == 6


def test_the_first_table_answers_the_question(page):
    cells = [cell.strip() for cell in page.tables[0] if cell.strip()]
    assert cells[:2] == ["mIoU (dataset), %", "against N=0, points"]
    assert "N=6" in cells
    assert "colour baseline" in cells


def test_same_run_same_bytes(run_folder):
    before = {path: path.read_bytes() for path in run_folder.rglob("*") if path.is_file()}
    write_results(load_run(run_folder))
    write_report(load_run(run_folder))
    assert {path: path.read_bytes() for path in run_folder.rglob("*") if path.is_file()} == before


def test_figures_are_written_too(run_folder):
    names = {path.name for path in (run_folder / "figures").iterdir()}
    assert names == {"curves.png", "miou_vs_depth.png", "predictions.png"}


def test_names_from_files_are_escaped(tmp_path):
    run = load_run(write_run(tmp_path / "run", test=(EVIL, "car-s0-02")))
    text = write_report(run).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert EVIL in Page(text).text


def honest(tmp_path, **options):
    run = load_run(write_run(tmp_path / "run", **options))
    return facts.answer(run)


def test_one_seed_is_not_enough_to_tell(tmp_path):
    videos = tuple(f"drone-s1-{i:02d}" for i in range(9))
    said = honest(tmp_path, depths=(0, 6), test=videos)
    assert said.endswith("That is one seed: not enough to tell.")


def test_few_videos_are_not_enough_to_tell(tmp_path):
    assert "3 test videos: not enough" in honest(tmp_path, seeds=(0, 1, 2), test=("a", "b", "c"))


def test_with_seeds_and_videos_the_interval_speaks(tmp_path):
    videos = tuple(f"drone-s1-{i:02d}" for i in range(9))
    said = honest(tmp_path, depths=(0, 6), seeds=(0, 1, 2), test=videos)
    assert "For 1 of 1 memories the 95 % interval excludes zero" in said  # made with 12 points more accuracy


def test_without_n0_nothing_is_compared(tmp_path):
    assert "without a cell at N=0 nothing compares" in honest(tmp_path, depths=(2, 4))


def test_other_classes_one_depth_and_no_baselines_still_make_a_report(tmp_path):
    run = load_run(write_run(tmp_path / "run", depths=(0,), classes=("sky", "moon"), baselines=False))
    page = Page(render(run, read_samples(run), {}))
    assert "moon" in page.text
    assert "nothing with a memory was trained" in page.text


def test_seeds_show_their_spread(tmp_path):
    run = load_run(write_run(tmp_path / "run", depths=(0, 4), seeds=(0, 1, 2)))
    assert re.search(r"\d+\.\d \(\d+\.\d to \d+\.\d\)", facts.main_table(run)[0].cells[0])
    assert "| fanet18 | 4 | sum | 3 |" in markdown_table(run)


def test_a_class_that_does_not_occur_is_a_dash_not_a_zero(tmp_path):
    run = load_run(write_run(tmp_path / "run", depths=(0,), seeds=(0, 1)))
    for result in (*run.cells, *run.baselines):
        for video in result.scores["test"].videos:
            video.confusion[9] = video.confusion[:, 9] = 0
    pool = facts.class_table(run)[9]
    assert pool.heading == "pool"
    assert set(pool.cells[1:]) == {facts.NOTHING}
    assert result_table(run).query("split == 'test'")["num_classes_scored"].eq(10).all()


def test_colours_are_the_taxonomys_and_others_differ():
    table = colours_of(CLASS_NAMES)
    assert [tuple(int(v) for v in row) for row in table[:11]] == [c.colour for c in CLASSES]
    other = colours_of([f"class {i}" for i in range(40)])[:40]
    assert len(np.unique(other, axis=0)) == 40


def test_a_folder_without_a_run_and_a_damaged_one_are_sentences(tmp_path):
    with pytest.raises(MissingData, match="holds no run"):
        load_run(tmp_path)
    folder = write_run(tmp_path / "run")
    (folder / "fanet18-n0-sum-mixed-s0" / "predictions" / "test.npz").write_bytes(b"PK broken")
    with pytest.raises(CorruptFile, match=r"test\.npz"):
        load_run(folder)
    (folder / "fanet18-n0-sum-mixed-s0" / "cell.json").write_text("{")
    with pytest.raises(CorruptFile, match=r"cell\.json"):
        load_run(folder)
