"""The store of labels: what is written is read, and what is not sound is named."""

import json

import numpy as np
import pytest

from mec_cf_gym import Scenario
from mec_cf_gym.baselines import LabelStore
from mec_cf_gym.baselines.labels.store import MOST_CHUNK_BYTES, array_layout

SCENARIO = Scenario.paper_a(num_users=3, num_aps=5, num_subcarriers=2)
LAYOUT = array_layout(SCENARIO)


def settings(topologies=60, blocks=2, scenario=SCENARIO, **others):
    versions = {"numpy": "2"}
    return {
        "solver": "ica",
        "split": "train",
        "topologies": topologies,
        "blocks": blocks,
        "scenario": scenario.to_dict(),
        "versions": versions,
        **others,
    }


def fill(store):
    """Write numbers that differ from row to row, and zeros, which need a file too."""
    generator = np.random.default_rng(0)
    content = {
        name: generator.integers(0, 2, (len(store), *shape)).astype(dtype)
        for name, (dtype, shape) in LAYOUT.items()
    }
    content["block"][:] = 0
    for rows in store.chunks():
        store.write(rows, {name: array[rows] for name, array in content.items()})
    return content


@pytest.fixture
def filled(tmp_path):
    store = LabelStore.create(tmp_path / "labels", settings())
    return store, fill(store)


@pytest.mark.parametrize(
    "rows", [slice(0, 120), slice(49, 51), slice(None, None), slice(-20, None), slice(7, 7), slice(70, 999)]
)
def test_any_slice_of_rows_is_read(filled, rows):
    store, content = LabelStore(filled[0].folder), filled[1]
    block, labels = store.block(rows), store.labels(rows)
    for name in ("signal_gain", "interference_gain", "task_bits", "cycles_per_bit", "local_hz", "server_hz"):
        np.testing.assert_array_equal(getattr(block, name), content[name][rows])
    for name in ("power", "offload", "assignment", "latency_s"):
        np.testing.assert_array_equal(getattr(labels, name), content[name][rows])
    np.testing.assert_array_equal(block.channel, content["channel_magnitude"][rows])
    assert block.subcarrier_bandwidth_hz == 10e6
    assert store.read("seed", rows).dtype == np.int64


def test_it_knows_what_it_holds(filled):
    store = LabelStore(filled[0].folder)
    assert store.scenario == SCENARIO
    assert len(store) == 120
    assert store.chunks() == [slice(0, 50), slice(50, 100), slice(100, 120)]
    assert store.settings == json.loads(json.dumps(settings()))
    assert not any(store.damage(rows) for rows in store.chunks())


def test_only_contiguous_rows_of_known_arrays_are_read(filled):
    for rows in (slice(0, 9, 2), slice(9, 0, -1)):
        with pytest.raises(ValueError, match="a slice must have step 1"):
            filled[0].read("power", rows)
    with pytest.raises(ValueError, match="name='powers' is not allowed: it must be one of seed, block"):
        filled[0].read("powers", slice(0, 1))


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "flipped": (flip_a_bit, "is damaged"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-7]), "is damaged"),
    "extended": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged"),
    "missing": (lambda path: path.unlink(), "is missing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_chunk_is_named(filled, kind):
    harm, said = DAMAGE[kind]
    store = LabelStore(filled[0].folder)
    for name in LAYOUT:
        path = store.chunk_path(name, 60)
        sound = path.read_bytes()
        harm(path)
        with pytest.raises(ValueError, match=said) as caught:
            store.read(name, slice(40, 60))
        assert repr(name) in str(caught.value)
        assert str(path) in str(caught.value)
        assert [len(store.damage(rows)) for rows in store.chunks()] == [0, 1, 0]
        store.read(name, slice(0, 50))
        path.write_bytes(sound)


@pytest.mark.parametrize("name", ["power", "seed"])
@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text[:100],
        lambda text: "",
        lambda text: text.replace("120", "130"),
        lambda text: text.replace("50", "60"),
        lambda text: text.replace("float32", "float64").replace("int64", "int32"),
        lambda text: text.replace("crc32c", "crc33c"),
        lambda text: text.replace("codecs", "codecz"),
    ],
)
def test_damaged_metadata_of_an_array_are_named(filled, name, harm):
    path = filled[0].folder / name / "zarr.json"
    path.write_text(harm(path.read_text()))
    with pytest.raises(ValueError, match="is damaged") as caught:
        LabelStore(filled[0].folder)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"attributes": {"settings": {"topologies": 1}}}', "[]", "\0"])
def test_a_folder_without_a_data_set_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match="holds no data set"):
        LabelStore(tmp_path)
    (tmp_path / "zarr.json").write_text(text)
    with pytest.raises(ValueError, match="holds no data set"):
        LabelStore(tmp_path)


def test_creation_that_was_cut_off_goes_on(filled, tmp_path):
    for kept in range(0, len(LAYOUT), 4):
        store = LabelStore.create(tmp_path / str(kept), settings())
        for name in list(LAYOUT)[kept:]:
            (store.folder / name / "zarr.json").unlink()
            (store.folder / name).rmdir()
        (store.folder / "zarr.0123.partial").write_text("{")
        again = LabelStore.create(store.folder, settings())
        fill(again)
        assert files(again.folder) == files(filled[0].folder)
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "zarr.0123.partial").write_text("{")
    fill(LabelStore.create(tmp_path / "first", settings()))
    assert files(tmp_path / "first") == files(filled[0].folder)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_does_not_go_on_with_other_settings(filled):
    folder, before = filled[0].folder, files(filled[0].folder)
    for other, said in [
        (settings(solver="exact"), "solver='exact' differs from 'ica'"),
        (settings(topologies=61), "topologies=61 differs from 60"),
        (settings(scenario=SCENARIO.replace(radius_m=500.0)), "radius_m=500.0 differs from 1000.0"),
        (settings(versions={"numpy": "3"}), "numpy='3' differs from '2'"),
        (settings(versions={"numpy": "2", "numba": "1"}), "numba='1' differs from None"),
    ]:
        with pytest.raises(ValueError, match=said):
            LabelStore.create(folder, other)
    assert files(folder) == before


@pytest.mark.parametrize(("topologies", "blocks"), [(1, 1), (3, 20), (200, 1000), (200_000, 1), (7, 10**6)])
@pytest.mark.parametrize("fields", [{}, {"num_subcarriers": 64, "num_users": 50}])
def test_chunks_are_few_and_fit_into_memory(tmp_path, topologies, blocks, fields):
    scenario = Scenario.paper_a(**fields)
    store = LabelStore.create(tmp_path, settings(topologies, blocks, scenario))
    row_bytes = sum(np.dtype(dtype).itemsize * np.prod(shape) for dtype, shape in array_layout(scenario).values())
    assert store.chunk_rows * row_bytes <= MOST_CHUNK_BYTES
    assert len(store.chunks()) <= max(200, len(store) * row_bytes / (0.5 * MOST_CHUNK_BYTES))
    assert store.chunks()[-1].stop == topologies * blocks
    assert store.chunk_rows % blocks == 0 or blocks * row_bytes > MOST_CHUNK_BYTES
