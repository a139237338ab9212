"""The committed record of gradients of other papers: of the present weights, and consistent with itself."""

from analysis import honest


def test_the_record_of_peers_is_of_the_present_weights_and_none_breaks_more_than_there_is() -> None:
    record = honest.peers()
    for of in record["networks"].values():
        for found in of["by_eps"].values():
            assert found["alone"].keys() == found["added"].keys() >= {"assg", "bptr", "rga", "hart", "pdsg"}
            for attacker, left in found["alone"].items():
                added = found["added"][attacker]
                assert 0 <= added <= found["suite"] <= of["n"]
                assert found["suite"] - added <= left <= of["n"]  # what survives suite and attacker survives the attacker
            long = found.get("long", {"suite": 0, "left": 0})
            assert 0 <= long["left"] <= long["suite"] <= min(found["suite"], record["long"]["n"])


def test_the_finding_counts_what_the_record_holds() -> None:
    cases = honest._cases(honest.peers())
    text, survivors = honest.peers_finding(), sum(found["suite"] for _, _, found in cases)
    assert f"Of {survivors} survivors" in text
    assert all(f"`{name}`" in text for name, _, _ in cases)
    assert "survivors of the suite" in honest.longer_finding()
