"""Committed records, read and written."""

from pathlib import Path

from snnlab import zoo
from snnlab.statistics import Record

FILES = sorted(Path(zoo.__file__).parent.rglob("results*.json"))


def test_every_committed_record_is_read_and_written_again_byte_for_byte(tmp_path: Path) -> None:
    assert len(FILES) > 100
    for path in FILES:
        Record.load(path).save(tmp_path / "again.json")
        assert (tmp_path / "again.json").read_bytes() == path.read_bytes(), path


def test_a_record_of_several_decoders_has_one_of_each_with_the_provenance_of_all() -> None:
    whole = Record.load(zoo.MODELS / "cifar10" / "latency" / "results.json")
    assert list(whole.decodings) == ["current", "ttfs"]
    by_spike = whole.read_by("ttfs")
    assert (by_spike.model, by_spike.seed, by_spike.weights_sha256) == ("latency", 0, whole.weights_sha256)
    assert by_spike.exits == [4] != whole.read_by("current").exits
    assert zoo.results("cifar10/latency", decoder="ttfs").correct == by_spike.correct
