"""Label maps against a plain loop over their rules, the shipped map against the real ids, and maps that are wrong."""

import csv
from pathlib import Path

import numpy as np
import pytest

from airsim_seg.errors import LabelMapError, MissingData
from airsim_seg.label_maps import LabelMap, Rule, compile_label_map, load_label_map
from airsim_seg.palette import id_from_name
from airsim_seg.shipped import shipped_folder
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE, TRAIN_ID_OF

REAL_IDS = Path(__file__).parents[3] / "shared" / "data" / "airsim_neighborhood" / "raw_id_table.csv"


def load(tmp_path: Path, rules: str, *, head: str = 'environment = "X"', **options: object) -> LabelMap:
    path = tmp_path / "map.toml"
    path.write_text(f"{head}\n{rules}", encoding="utf-8")
    return load_label_map("X", path=path, **options)  # type: ignore[arg-type]


def test_names_ids_and_patterns_compile(tmp_path: Path) -> None:
    rules = """
        [[rule]]
        class = "tree"
        names = ["Tree", "Fir_12"]
        ids = [9, 255]
        [[rule]]
        class = "ignore"
        ids = [0]
        [[rule]]
        class = "roof"
        patterns = ["roof_.*"]
    """
    objects = [("ROOF_1", 30), ("roof_2", 31), ("my_roof_3", 32)]
    found = load(tmp_path, rules, objects=objects)
    wanted = {id_from_name("tree"): 3, id_from_name("fir"): 3, 9: 3, 255: 3, 0: IGNORE, 30: 10, 31: 10}
    assert [int(v) for v in found.lut] == [wanted.get(k, IGNORE) for k in range(256)]
    assert np.flatnonzero(found.mapped).tolist() == sorted(wanted)
    assert not load(tmp_path, rules).mapped[[30, 31]].any(), "patterns need the recording's objects"


def test_random_maps_against_a_loop() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        rules = [
            Rule(
                str(rng.choice([*CLASS_NAMES, "ignore"])),
                ids=tuple(int(v) for v in rng.integers(0, 256, 5)),
                override=bool(rng.random() < 0.5),
            )
            for _ in range(6)
        ]
        wanted: dict[int, str] = {}
        conflict = False
        for rule in rules:
            for raw_id in rule.ids:
                conflict |= wanted.get(raw_id, rule.class_name) != rule.class_name and not rule.override
                wanted[raw_id] = rule.class_name
        if conflict:
            with pytest.raises(LabelMapError, match="override"):
                compile_label_map("X", 1, rules)
            continue
        found = compile_label_map("X", 1, rules)
        for raw_id in range(256):
            assert found.mapped[raw_id] == (raw_id in wanted)
            assert found.lut[raw_id] == TRAIN_ID_OF.get(wanted.get(raw_id, ""), IGNORE)


def test_two_classes_on_one_id_name_both_rules(tmp_path: Path) -> None:
    rules = '[[rule]]\nclass = "vehicle"\nnames = ["Car"]\n[[rule]]\nclass = "house"\n{}'
    message = r"raw id 59 is 'vehicle' by rule 1 \(name 'Car'\) and 'house' by rule 2 \((name 'Cladding'|id 59)\)"
    for second in ('names = ["Cladding"]', "ids = [59]"):
        with pytest.raises(LabelMapError, match=message):
            load(tmp_path, rules.format(second))
        found = load(tmp_path, rules.format(second) + "\noverride = true")
        assert found.lut[59] == TRAIN_ID_OF["house"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("", r"map\.toml has no \[\[rule\]\]"),
        ("rule = 3", "has no"),
        ("[[rule]]\nclass = 'bush'\nids = [1]", "rule 1: class 'bush' is unknown; it must be one of: road"),
        ("[[rule]]\nids = [1]", "rule 1: class None is unknown"),
        ("[[rule]]\nclass = ['road']\nids = [1]", "is unknown"),
        ("[[rule]]\nclass = 'road'\nid = [1]", "rule 1: key 'id' is unknown"),
        ("colour = 1\n[[rule]]\nclass = 'road'\nids = [1]", "key 'colour' is unknown"),
        ("[[rule]]\nclass = 'road'\nids = [1]\n[[rule]]\nclass = 'sky'\nids = [256]", r"rule 2 \(sky\): ids must be"),
        ("[[rule]]\nclass = 'road'\nids = [-1]", "0..255"),
        ("[[rule]]\nclass = 'road'\nids = [true]", "0..255"),
        ("[[rule]]\nclass = 'road'\nids = [1.0]", "0..255"),
        ("[[rule]]\nclass = 'road'\nids = 1", "must be a list"),
        ("[[rule]]\nclass = 'road'\nnames = 'Road'", "names must be a list of texts"),
        ("[[rule]]\nclass = 'road'\nnames = ['']", "names must be a list of texts"),
        ("[[rule]]\nclass = 'road'\npatterns = ['(']", "pattern '\\(' is no regular expression"),
        ("[[rule]]\nclass = 'road'\nids = [1]\noverride = 1", "override must be true or false"),
        ("[[rule]]\nclass = 'road'", "names nothing"),
        ("version = '2'\n[[rule]]\nclass = 'road'\nids = [1]", "version must be a whole number"),
        ("[[rule]\n", "is not TOML"),
    ],
)
def test_a_map_that_is_wrong_says_where(tmp_path: Path, rules: str, message: str) -> None:
    with pytest.raises(LabelMapError, match=message):
        load(tmp_path, rules)


def test_a_map_without_environment_or_that_is_not_text(tmp_path: Path) -> None:
    with pytest.raises(LabelMapError, match="lacks environment"):
        load(tmp_path, "[[rule]]\nclass = 'road'\nids = [1]", head="")
    (tmp_path / "map.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LabelMapError, match="is not TOML"):
        load_label_map("X", path=tmp_path / "map.toml")
    with pytest.raises(MissingData, match="does not read"):
        load_label_map("X", path=tmp_path / "nowhere.toml")


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    first = load(tmp_path, '[[rule]]\nclass = "road"\nids = [1, 2]').sha256
    assert load(tmp_path, '# said otherwise\n[[rule]]\nids = [2, 1]\nclass = "road"\n').sha256 == first
    changed = [
        load(tmp_path, '[[rule]]\nclass = "road"\nids = [1, 3]'),
        load(tmp_path, '[[rule]]\nclass = "sky"\nids = [1, 2]'),
        load(tmp_path, 'version = 2\n[[rule]]\nclass = "road"\nids = [1, 2]'),
    ]
    assert len({first, *(found.sha256 for found in changed)}) == 4


def test_the_working_directory_comes_before_the_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = load_label_map("Neighborhood")
    assert shipped.lut[0] == TRAIN_ID_OF["sky"]
    folder = tmp_path / "label_maps"
    folder.mkdir()
    (folder / "Neighborhood.toml").write_text('environment = "Neighborhood"\n[[rule]]\nclass = "road"\nids = [0]')
    assert load_label_map("Neighborhood").lut[0] == TRAIN_ID_OF["road"]
    (folder / "Neighborhood.toml").write_text('environment = "Forest"\n[[rule]]\nclass = "road"\nids = [0]')
    with pytest.raises(LabelMapError, match="must be 'Neighborhood'"):
        load_label_map("Neighborhood")


@pytest.mark.parametrize("environment", ["Nowhere", "../Neighborhood", "", "/etc/passwd"])
def test_an_unknown_environment_lists_the_known(environment: str) -> None:
    with pytest.raises(MissingData, match=r"no label map .*Neighborhood.*--label-map"):
        load_label_map(environment)


def test_every_shipped_map_compiles() -> None:
    maps = sorted(shipped_folder("label_maps").glob("*.toml"))
    assert maps
    for path in maps:
        assert load_label_map(path.stem).environment == path.stem


def test_neighborhood_gives_every_real_id_its_class() -> None:
    if not REAL_IDS.exists():
        pytest.skip(f"{REAL_IDS} is absent")
    found = load_label_map("Neighborhood")
    rows = [row for row in csv.DictReader(REAL_IDS.read_text().splitlines()) if row["raw_id"].isdigit()]
    assert len(rows) == 99
    for row in rows:
        assert found.mapped[int(row["raw_id"])], row
        assert found.lut[int(row["raw_id"])] == int(row["class11_index"]), row
