"""The camera and the classifier of events in the page against those of Python: the same events, spikes and answers."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import numpy as np
import torch
from building import ROOT

from snnlab import data, zoo
from snnlab.data.event_camera import EventCamera, saccades, spike_frames
from snnlab.data.events import frames_of
from snnlab.zoo import export

JS = ROOT / "snnlab" / "widgets" / "js"
SCRIPT = """
import { readFileSync } from "node:fs";
import { changed, classifier, search } from "./src/events/attack.js";
import { recorded, spikesOf } from "./src/events/camera.js";
const { payload, images, labels } = JSON.parse(readFileSync(0, "utf8"));
const { camera, model } = payload;
const network = classifier(model, camera.num_steps);
const out = images.map((bytes, n) => {
  const events = recorded(Float32Array.from(bytes, (v) => v / 255), 28, camera);
  const spikes = spikesOf(events, 28, camera);
  const read = (s) => [...network.respond(null, s).predictions];
  const where = search(network, spikes, labels[n], { kind: "add", number: 20, exit: 9, view: model.attack_surrogate });
  return {
    events: events.map(({ x, y, t, p }) => [x, y, t, p]),
    spikes: [...spikes.keys()].filter((i) => spikes[i]),
    answers: read(spikes),
    where,
    attacked: read(changed("add", spikes, 9, where)),
  };
});
console.log(JSON.stringify(out));
"""
LIVE = """
import { readFileSync } from "node:fs";
import { spikesOf } from "./src/events/camera.js";
import { Recorder } from "./src/events/webcam.js";
const { camera, images, every } = JSON.parse(readFileSync(0, "utf8"));
const recorder = new Recorder(camera, 8);
for (const [k, bytes] of images.entries()) recorder.see(bytes.map((v) => v / 255), every * k);
const events = recorder.events.map(({ x, y, t, p }) => [x, y, t, p]);
console.log(JSON.stringify({ events, spikes: [...spikesOf(recorder.events, 8, camera)] }));
"""


def _in_node(script: str, asked: object) -> Any:
    command = ["node", "--import", "./tests/assets.mjs", "--input-type=module", "-e", script]
    done = subprocess.run(command, cwd=JS, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_readers_camera_gives_the_events_that_python_gives_for_its_pictures() -> None:
    """Fifteen pictures, 30 ms apart: the events of the last 300 ms, and their frames."""
    every, num = 30_000, 15
    pictures = torch.randint(256, (num, 8, 8), generator=torch.Generator().manual_seed(0))
    camera = export.payload(export.EVENTS5K)["camera"]
    page = _in_node(LIVE, {"camera": camera, "images": pictures.flatten(1).tolist(), "every": every})
    recorded = EventCamera(duration=every * (num - 1)).events(pictures.double() / 255)
    start = every * (num - 1) - camera["duration"]
    late = recorded[recorded["t"] >= start]
    late["t"] -= start
    assert len(late) > 400
    assert sorted(map(tuple, page["events"])) == sorted(zip(*(late[f].tolist() for f in "xytp"), strict=True))
    frames = frames_of(late, num_steps=camera["num_steps"], size=8, sensor=8, span=camera["duration"], empty=True)
    assert page["spikes"] == frames.clamp(max=1).flatten().tolist()


def test_the_page_records_reads_and_attacks_as_python_does() -> None:
    digits = data.load("mnist5k").test[:12]
    asked = {
        "payload": export.payload(export.EVENTS5K),
        "images": (digits.images * 255).round().int().flatten(1).tolist(),
        "labels": digits.labels.tolist(),
    }
    page = _in_node(SCRIPT, asked)

    model, camera, frames = zoo.load("events5k/mlp"), EventCamera(), spike_frames(digits.images)
    answers = model.answers(*model.respond(frames))
    sequence = saccades(digits.images)
    broken = 0
    for n, found in enumerate(page):
        events = camera.events(sequence[:, n])
        assert sorted(map(tuple, found["events"])) == sorted(zip(*(events[f].tolist() for f in "xytp"), strict=True))
        assert np.flatnonzero(frames[:, n].flatten().numpy()).tolist() == found["spikes"]
        assert answers[:, n].tolist() == found["answers"]
        attacked = frames[:, n].flatten().clone()
        attacked[found["where"]] = 1
        assert len(set(found["where"])) == len(found["where"]) <= 20
        assert not frames[:, n].flatten()[found["where"]].any()
        after = model.answers(*model.respond(attacked.view(9, 1, 2, 28, 28)))[:, 0]
        assert after.tolist() == found["attacked"]
        broken += int(after[-1] != digits.labels[n])
    assert broken > int((answers[-1] != digits.labels).sum())
